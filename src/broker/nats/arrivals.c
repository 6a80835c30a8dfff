/* SPDX-License-Identifier: Apache-2.0 */
/* What comes from the server: answers, messages, and why there are none. A pull asks for messages
 * and is over once some have come; one that waits is alive as long as the server says so every ten
 * seconds, and is made anew after a minute. */
#include "broker/nats/internal.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { NOW_MS = 1000, LAG_MS = 5, LATE_AT_ONCE = 64 };

static const char WAIT[] =
    "\"no_wait\":true,\"expires\":60000000000,\"idle_heartbeat\":10000000000";

/* -- What is there ----------------------------------------------------------------------------- */

static bool add_arrived(iswi_nats_arrivals *all, const iswi_nats_arrived *of)
{
    if (!iswi_grow(&all->items, &all->capacity, all->count, sizeof *all->items))
        return false;
    all->items[all->count++] = *of;
    return true;
}

/* -- Messages ---------------------------------------------------------------------------------- */

/* "$JS.ACK.[DOMAIN.ACCOUNT.]STREAM.CONSUMER.DELIVERED.NUMBER.…", which is where it is settled. */
typedef struct origin {
    isw_str stream, consumer;
    unsigned delivered;
    uint64_t number;
} origin;

static bool read_origin(const char *reply, origin *out)
{
    isw_str tokens[16];
    size_t count = 0;
    size_t first;

    for (const char *at = reply; at && count < 16;) {
        const size_t size = strcspn(at, ".");

        tokens[count++] = (isw_str){ at, size };
        at = at[size] ? at + size + 1 : NULL;
    }
    if (count < 9 || !isw_str_equal(tokens[1], isw_str_of("ACK")))
        return false;
    first = count >= 11 ? 4 : 2;
    *out = (origin){ tokens[first], tokens[first + 1],
                     (unsigned)strtoul(tokens[first + 2].data, NULL, 10),
                     strtoull(tokens[first + 3].data, NULL, 10) };
    return true;
}

static iswi_nats_queue *queue_of_stream(const iswi_nats *nats, isw_str stream)
{
    const size_t skip = strlen(nats->address.prefix) + sizeof "-queue-" - 1;

    return stream.size > skip ? iswi_nats_by_token(nats, (isw_str){ stream.data + skip,
                                                                    stream.size - skip })
                              : NULL;
}

static void count_down(iswi_nats_pull *pull)
{
    pull->left -= pull->left > 0;
}

/* False: it is no message of a queue, or there is no memory for it: it comes again after its
 * lease. */
static bool take_message(iswi_nats *nats, natsMsg *msg, int sub)
{
    iswi_nats_queue *queue = NULL;
    bool is_late;
    origin of;

    if (read_origin(nats->lib.natsMsg_GetReply(msg), &of))
        queue = queue_of_stream(nats, of.stream);
    if (!queue)
        return false;
    is_late = isw_str_equal(of.consumer, isw_str_of("late"));
    count_down(is_late ? &queue->due : sub == ISWI_NATS_NOW ? &queue->now : &queue->waited);
    nats->has_news = true;
    if (!is_late && of.number > queue->given_number)
        queue->given_number = of.number;
    return add_arrived(is_late ? &queue->late : &queue->ready,
                       &(iswi_nats_arrived){ msg, of.number, of.delivered });
}

/* -- Words about a pull ------------------------------------------------------------------------ */

/* "n.3", "w.3.ready" or "w.3.late"; NULL: none of ours. */
static iswi_nats_pull *pull_of(iswi_nats *nats, const char *end)
{
    const bool is_now = *end == 'n';
    char *rest;
    const unsigned long index = strtoul(end + 2, &rest, 10);
    iswi_nats_queue *queue = index < nats->queue_count ? nats->queues[index] : NULL;

    if (!queue)
        return NULL;
    return is_now ? &queue->now : strcmp(rest, "-late") == 0 ? &queue->due : &queue->waited;
}

/* 100 says that it is still there; all others that it is over. */
static void take_status(iswi_nats *nats, natsMsg *msg, const char *end)
{
    const char *status = NULL;
    iswi_nats_pull *pull = pull_of(nats, end);

    if (!pull || nats->lib.natsMsgHeader_Get(msg, "Status", &status) != NATS_OK ||
        strcmp(status, "100") == 0)
        return;
    pull->left = 0;
    if (pull == &nats->queues[strtoul(end + 2, NULL, 10)]->due)
        nats->queues[strtoul(end + 2, NULL, 10)]->due_was_silent = true;
    nats->has_news = nats->has_news || pull != &nats->queues[strtoul(end + 2, NULL, 10)]->now;
}

static void take_answer(iswi_nats *nats, natsMsg *msg, const char *end)
{
    const size_t i = strtoul(end + 2, NULL, 10);

    if (i < nats->ask_count && !nats->asks[i].answer) {
        nats->asks[i].answer = msg;
        nats->answered++;
    } else {
        nats->lib.natsMsg_Destroy(msg);
    }
}

/* "late NAME" or "changed NAME", of another host or of this one. */
static void hear_told(iswi_nats *nats, natsMsg *msg)
{
    static const char late[] = "late ", changed[] = "changed ";
    const isw_bytes body = iswi_nats_body_of(nats, msg);
    const bool is_late = body.size > 5 && memcmp(body.data, late, 5) == 0;
    const size_t skip = is_late ? sizeof late - 1 : sizeof changed - 1;
    iswi_nats_queue *queue = NULL;

    if (body.size > skip)
        queue = iswi_nats_by_token(nats, (isw_str){ (const char *)body.data + skip,
                                                    body.size - skip });
    if (queue && is_late) {
        queue->has_late = true;
        iswi_nats_pull_later(nats, queue);
    } else if (queue) {
        queue->is_stale = nats->has_news = true;
    }
    nats->lib.natsMsg_Destroy(msg);
}

void iswi_nats_arrive(iswi_nats *nats, natsMsg *msg, int sub)
{
    const char *subject = nats->lib.natsMsg_GetSubject(msg);
    const size_t size = strlen(nats->inbox);
    const bool is_ours = strncmp(subject, nats->inbox, size) == 0;

    if (sub == ISWI_NATS_TOLD) {
        hear_told(nats, msg);
        return;
    }
    if (sub == ISWI_NATS_ANSWERS && is_ours) {
        take_answer(nats, msg, subject + size);
        return;
    }
    if (is_ours)
        take_status(nats, msg, subject + size);
    else if (take_message(nats, msg, sub))
        return;
    nats->lib.natsMsg_Destroy(msg);
}

/* -- Pulls ------------------------------------------------------------------------------------- */

static bool pull(iswi_nats *nats, const iswi_nats_queue *queue, const char *consumer,
                 const char *reply, const char *text)
{
    char subject[320];

    snprintf(subject, sizeof subject, "$JS.API.CONSUMER.MSG.NEXT.%s-queue-%s.%s",
             nats->address.prefix, queue->token, consumer);
    return iswi_nats_say(nats, subject, reply, text);
}

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
        iswi_nats_turn(nats, (until_ns - iswi_now_ns()) / 1000000 + 1);
    queue->now.left = 0;
    return !nats->is_lost;
}

/* What was put a moment ago may not have got to those who send it. */
static bool may_be_on_its_way(const iswi_nats_queue *queue)
{
    return queue->put_number > queue->given_number &&
           iswi_now_ns() - queue->put_ns < LAG_MS * INT64_C(1000000);
}

bool iswi_nats_pull_now(iswi_nats *nats, iswi_nats_queue *queue, size_t count)
{
    const int64_t until_ns = iswi_now_ns() + NOW_MS * INT64_C(1000000);
    bool well;

    do
        well = pull_once(nats, queue, count, until_ns);
    while (well && iswi_nats_waiting_arrivals(&queue->ready) == 0 && may_be_on_its_way(queue));
    return well;
}

static bool wait_for(iswi_nats *nats, iswi_nats_queue *queue, iswi_nats_pull *which,
                     const char *consumer, size_t count)
{
    char reply[64];
    char text[160];

    if (which->left > 0)
        return true;
    snprintf(reply, sizeof reply, "%sw.%zu-%s", nats->inbox, queue->index, consumer);
    snprintf(text, sizeof text, "{\"batch\":%zu,%s}", count, WAIT);
    which->left = count;
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

bool iswi_nats_is_pulling(const iswi_nats *nats)
{
    for (size_t i = 0; i < nats->queue_count; i++)
        if (nats->queues[i]->waited.left > 0 || nats->queues[i]->due.left > 0)
            return true;
    return false;
}
