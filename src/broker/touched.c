/* SPDX-License-Identifier: Apache-2.0 */
/* Which claims may find something, by what is done before them. */
#include "broker/touched.h"

bool iswi_is_touched(const iswi_touched *queues, isw_str name)
{
    if (queues->all)
        return true;
    for (size_t i = 0; i < queues->count; i++)
        if (isw_str_equal(queues->names[i], name))
            return true;
    return false;
}

static void touch(iswi_touched *queues, isw_str name)
{
    if (iswi_is_touched(queues, name))
        return;
    if (queues->count == ISWI_TOUCHED_MAX)
        queues->all = true;
    else
        queues->names[queues->count++] = name;
}

static void touch_puts(iswi_touched *queues, const iswi_queue_put *items, size_t count)
{
    for (size_t i = 0; i < count && !queues->all; i++)
        touch(queues, items[i].queue);
}

void iswi_touch_by(iswi_touched *queues, const iswi_broker_op *op)
{
    switch (op->kind) {
    case ISWI_BROKER_PUT:
        touch_puts(queues, op->as.put.items, op->as.put.count);
        break;
    case ISWI_BROKER_SETTLE:
        for (size_t i = 0; i < op->as.settle.count; i++)
            touch(queues, op->as.settle.items[i].delivery->queue);
        touch_puts(queues, op->as.settle.puts, op->as.settle.put_count);
        break;
    case ISWI_BROKER_DECLARE:
    case ISWI_BROKER_PURGE:
    case ISWI_BROKER_REPLAY:
    case ISWI_BROKER_PAUSE:
        touch(queues, op->queue);
        break;
    default:
        break;
    }
}
