/* SPDX-License-Identifier: Apache-2.0 */
/* What comes from the server: answers, messages, and why there are none (pulls.c asks for them). */
#include "broker/nats/internal.h"

#include "base/alloc.h"

#include <stdlib.h>

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

/* "n.3", "w.3-ready" or "w.3-late"; NULL: none of ours. */
static iswi_nats_queue *queue_of(const iswi_nats *nats, const char *end)
{
    const unsigned long index = strtoul(end + 2, NULL, 10);

    return index < nats->queue_count ? nats->queues[index] : NULL;
}

static iswi_nats_pull *pull_of(iswi_nats_queue *queue, const char *end)
{
    const char *consumer = strchr(end, '-');

    if (*end == 'n')
        return &queue->now;
    return consumer && strcmp(consumer, "-late") == 0 ? &queue->due : &queue->waited;
}

/* It is over. That its time is, while nothing has come, is no news: it is asked for anew, and that
 * finds what is there. In a cluster another server may deliver now, which has not heard the last that
 * the one before was told, perhaps. */
static void take_status(iswi_nats *nats, natsMsg *msg, const char *end)
{
    const char *status = NULL;
    iswi_nats_queue *queue = queue_of(nats, end);
    iswi_nats_pull *pull = queue ? pull_of(queue, end) : NULL;

    if (!pull || nats->lib.natsMsgHeader_Get(msg, "Status", &status) != NATS_OK)
        return;
    pull->left = 0;
    if (strcmp(status, "409") == 0)
        iswi_nats_doubt(queue);
    queue->due_was_silent = queue->due_was_silent || pull == &queue->due;
    nats->has_news = nats->has_news || (pull != &queue->now && strcmp(status, "408") != 0);
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
