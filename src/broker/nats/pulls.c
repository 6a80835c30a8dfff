/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How messages are asked for: by pulls, each of which is over once some have come. One that waits
 * does so until a moment that is the same for all queues, once a minute, when the server says that
 * its time is over. So a host at rest is woken once a minute, however many queues it waits for. No
 * word is wanted of the server in between: that it is gone the connection says (connection.c), and
 * that another one of its cluster delivers now that one says (409). A pull of which nothing was heard
 * when its time was over is not there any more: so it is where the one server that has a queue was
 * begun again, and we are connected to another one of its cluster.
 */
#include "broker/nats/internal.h"

#include "base/clock.h"

#include <stdio.h>

#define NS_OF_MS INT64_C(1000000)

enum { NOW_MS = 1000, LAG_MS = 5, LATE_AT_ONCE = 64 };

/* So long a pull waits at most and at least, and so long after it a word of its end may take. */
enum { ROUND_MS = 60000, SHORTEST_MS = 2000, GRACE_MS = 10000 };

static bool pull(iswi_nats *nats, const iswi_nats_queue *queue, const char *consumer,
                 const char *reply, const char *text)
{
    char subject[320];

    snprintf(subject, sizeof subject, "$JS.API.CONSUMER.MSG.NEXT.%s-queue-%s.%s",
             nats->address.prefix, queue->token, consumer);
    return iswi_nats_say(nats, subject, reply, text);
}

/* -- What is there now ------------------------------------------------------------------------- */

static bool pull_once(iswi_nats *nats, iswi_nats_queue *queue, size_t count, int64_t until_ns)
{
    char reply[64];
    char text[64];

    snprintf(reply, sizeof reply, "%sn.%zu", nats->inbox, queue->index);
    snprintf(text, sizeof text, "{\"batch\":%zu,\"no_wait\":true}", count);
    queue->now.left = count;
    if (!pull(nats, queue, "ready", reply, text))
        return false;
    while (queue->now.left > 0 && iswi_now_ns() < until_ns && !nats->is_lost)
        iswi_nats_turn(nats, (until_ns - iswi_now_ns()) / NS_OF_MS + 1);
    queue->now.left = 0;
    return !nats->is_lost;
}

/* What was put a moment ago may not have got to those who send it. */
static bool may_be_on_its_way(const iswi_nats_queue *queue)
{
    return queue->put_number > queue->given_number &&
           iswi_now_ns() - queue->put_ns < LAG_MS * NS_OF_MS;
}

bool iswi_nats_pull_now(iswi_nats *nats, iswi_nats_queue *queue, size_t count)
{
    const int64_t until_ns = iswi_now_ns() + NOW_MS * NS_OF_MS;
    bool well;

    do
        well = pull_once(nats, queue, count, until_ns);
    while (well && iswi_nats_waiting_arrivals(&queue->ready) == 0 && may_be_on_its_way(queue));
    return well;
}

/* -- What comes later -------------------------------------------------------------------------- */

/* The same for all that are made until shortly before. */
static int64_t end_of_round(int64_t now_ns)
{
    const int64_t round_ns = ROUND_MS * NS_OF_MS;

    return ((now_ns + SHORTEST_MS * NS_OF_MS) / round_ns + 1) * round_ns;
}

static bool wait_for(iswi_nats *nats, iswi_nats_queue *queue, iswi_nats_pull *which,
                     const char *consumer, size_t count)
{
    const int64_t now_ns = iswi_now_ns();
    const int64_t ends_ns = end_of_round(now_ns);
    char reply[64];
    char text[160];

    if (which->left > 0)
        return true;
    snprintf(reply, sizeof reply, "%sw.%zu-%s", nats->inbox, queue->index, consumer);
    snprintf(text, sizeof text, "{\"batch\":%zu,\"no_wait\":true,\"expires\":%lld}", count,
             (long long)(ends_ns - now_ns));
    *which = (iswi_nats_pull){ .left = count, .ends_ns = ends_ns };
    return pull(nats, queue, consumer, reply, text);
}

static size_t wanted(const iswi_nats_queue *queue)
{
    size_t count = 0;

    for (size_t i = 0; i < queue->waiting_count; i++)
        count += queue->waiting[i]->as.claim.max;
    return count < ISWI_BROKER_ITEMS_MAX ? count : ISWI_BROKER_ITEMS_MAX;
}

bool iswi_nats_pull_later(iswi_nats *nats, iswi_nats_queue *queue)
{
    const size_t count = wanted(queue);

    if (!queue->is_known || queue->paused || nats->is_lost)
        return !nats->is_lost;
    if (queue->has_late && queue->is_claimed &&
        !wait_for(nats, queue, &queue->due, "late", LATE_AT_ONCE))
        return false;
    return count == 0 || wait_for(nats, queue, &queue->waited, "ready", count);
}

/* -- What is not there any more ---------------------------------------------------------------- */

/* When it is to be looked at, for which the server has been silent then. */
static int64_t overdue_ns(const iswi_nats_pull *pull)
{
    return pull->left ? pull->ends_ns + GRACE_MS * NS_OF_MS : INT64_MAX;
}

/* False: is_lost, as nothing else was heard since it should have been over. */
static bool look_at(iswi_nats *nats, iswi_nats_queue *queue, iswi_nats_pull *pull, int64_t now_ns)
{
    if (overdue_ns(pull) > now_ns)
        return true;
    if (nats->heard_ns < pull->ends_ns)
        return iswi_nats_lose(nats, "it has said nothing for a while");
    pull->left = 0;
    return iswi_nats_pull_later(nats, queue);
}

bool iswi_nats_watch_pulls(iswi_nats *nats, int64_t *due_ms)
{
    const int64_t now_ns = iswi_now_ns();
    int64_t next_ns = INT64_MAX;

    for (size_t i = 0; i < nats->queue_count; i++) {
        iswi_nats_queue *queue = nats->queues[i];

        if (!look_at(nats, queue, &queue->waited, now_ns) ||
            !look_at(nats, queue, &queue->due, now_ns))
            return false;
        next_ns = overdue_ns(&queue->waited) < next_ns ? overdue_ns(&queue->waited) : next_ns;
        next_ns = overdue_ns(&queue->due) < next_ns ? overdue_ns(&queue->due) : next_ns;
    }
    if (next_ns != INT64_MAX && nats->now_ms + (next_ns - now_ns) / NS_OF_MS + 1 < *due_ms)
        *due_ms = nats->now_ms + (next_ns - now_ns) / NS_OF_MS + 1;
    return true;
}
