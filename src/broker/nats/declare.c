/* SPDX-License-Identifier: Apache-2.0 */
/* Declaring and pausing: what the others are told of. */
#include "broker/nats/internal.h"

static bool differ(const iswi_queue_options *a, const iswi_queue_options *b)
{
    return a->max_messages != b->max_messages || a->max_bytes != b->max_bytes ||
           a->max_attempts != b->max_attempts || a->window_ms != b->window_ms ||
           a->keep_dead_ms != b->keep_dead_ms || a->lease_ms != b->lease_ms;
}

static bool declare(iswi_nats *nats, iswi_nats_queue *queue, const iswi_queue_options *keeps)
{
    const bool is_there = iswi_nats_load_queue(nats, queue);

    if (nats->is_lost || (!is_there && nats->fault.status != ISW_E_NOT_FOUND))
        return false;
    if (is_there && !differ(&queue->keeps, keeps))
        return true;
    queue->is_known =
        iswi_nats_have_all(nats, queue, !is_there, keeps) && iswi_nats_load_queue(nats, queue);
    if (queue->is_known)
        iswi_nats_tell(nats, queue, "changed");
    return queue->is_known;
}

void iswi_nats_declare(iswi_nats *nats, iswi_broker_op *op)
{
    iswi_nats_queue *queue = iswi_nats_queue_of(nats, op->queue);

    if (!queue)
        iswi_nats_refuse(op, ISW_E_NO_MEMORY, "no memory for a queue");
    else if (declare(nats, queue, &op->as.declare))
        iswi_nats_done(op);
    else
        iswi_nats_fail(nats, op);
}

void iswi_nats_pause(iswi_nats *nats, iswi_broker_op *op)
{
    iswi_nats_queue *queue = iswi_nats_known(nats, op->queue);

    if (!queue || !iswi_nats_have_stream(nats, queue, false, &queue->keeps, op->as.pause)) {
        iswi_nats_fail(nats, op);
        return;
    }
    queue->paused = op->as.pause;
    iswi_nats_tell(nats, queue, "changed");
    iswi_nats_done(op);
}
