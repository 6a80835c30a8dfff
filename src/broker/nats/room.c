/* SPDX-License-Identifier: Apache-2.0 */
/* How full a queue is, where it keeps to a limit: as the server said, with what was put here since.
 * It is asked again when that is old, or when a good part of what was left is put. So hosts that
 * put at the same moment may go over a limit by what they put then. */
#include "broker/nats/internal.h"

#include "base/clock.h"

enum { OLD_NS = 50000000, PART = 8, OF_HEADER = 160 };

static bool has_limit(const iswi_nats_queue *queue)
{
    return queue->keeps.max_messages || queue->keeps.max_bytes;
}

static bool is_known_well(const iswi_nats_queue *queue)
{
    const int64_t left = queue->keeps.max_messages - queue->live;
    const int64_t left_bytes = queue->keeps.max_bytes - queue->live_bytes;

    return queue->seen_ns && iswi_now_ns() - queue->seen_ns < OLD_NS &&
           (!queue->keeps.max_messages ||
            (queue->added + queue->wanted) * PART < left) &&
           (!queue->keeps.max_bytes ||
            (queue->added_bytes + queue->wanted_bytes) * PART < left_bytes);
}

static bool see(iswi_nats *nats, iswi_nats_queue *queue)
{
    int code;
    json_t *json = iswi_nats_api(nats, &code, "", "STREAM.INFO.%s-queue-%s",
                                 nats->address.prefix, queue->token);
    const json_t *state = json_object_get(json, "state");

    queue->live = iswi_nats_int(state, "messages");
    queue->live_bytes = iswi_nats_int(state, "bytes");
    queue->added = queue->added_bytes = 0;
    queue->seen_ns = iswi_now_ns();
    json_decref(json);
    return json != NULL;
}

static bool check(iswi_nats *nats, iswi_broker_op *op, iswi_nats_queue *queue)
{
    const iswi_queue_options *keeps = &queue->keeps;

    if (!is_known_well(queue) && !see(nats, queue)) {
        iswi_nats_fail(nats, op);
        return false;
    }
    if (keeps->max_messages && queue->live + queue->added + queue->wanted > keeps->max_messages)
        iswi_nats_refuse(op, ISW_E_BUSY, "queue %s is full: it has %lld messages of %lld "
                       "(max_messages)",
                         queue->name, (long long)(queue->live + queue->added),
                         (long long)keeps->max_messages);
    else if (keeps->max_bytes &&
             queue->live_bytes + queue->added_bytes + queue->wanted_bytes > keeps->max_bytes)
        iswi_nats_refuse(op, ISW_E_BUSY, "queue %s is full: it has %lld bytes of %lld "
                       "(max_bytes)",
                         queue->name, (long long)(queue->live_bytes + queue->added_bytes),
                         (long long)keeps->max_bytes);
    return iswi_nats_is_open(op);
}

/* All of an operation, in all queues, before the first is looked at. */
static bool want(iswi_nats *nats, iswi_broker_op *op, const iswi_queue_put *puts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        iswi_nats_queue *queue = iswi_nats_known(nats, puts[i].queue);

        if (!queue) {
            iswi_nats_fail(nats, op);
            return false;
        }
        queue->wanted++;
        queue->wanted_bytes += (int64_t)puts[i].body.size + OF_HEADER;
    }
    return true;
}

static void settle(iswi_nats *nats, bool is_taken)
{
    for (size_t i = 0; i < nats->queue_count; i++) {
        iswi_nats_queue *queue = nats->queues[i];

        queue->added += is_taken ? queue->wanted : 0;
        queue->added_bytes += is_taken ? queue->wanted_bytes : 0;
        queue->wanted = queue->wanted_bytes = 0;
    }
}

bool iswi_nats_has_room(iswi_nats *nats, iswi_broker_op *op, const iswi_queue_put *puts,
                        size_t count)
{
    bool well = want(nats, op, puts, count);

    for (size_t i = 0; i < nats->queue_count && well; i++)
        if (nats->queues[i]->wanted && has_limit(nats->queues[i]))
            well = check(nats, op, nats->queues[i]);
    settle(nats, well);
    return well && !nats->is_lost;
}
