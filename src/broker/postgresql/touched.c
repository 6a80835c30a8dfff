/* SPDX-License-Identifier: Apache-2.0 */
/* Which queues a run touches: of those where a key may pass on it takes the locks, all at once and
 * before anything else; and of those where there may be something to claim other hosts are told. */
#include "base/alloc.h"
#include "broker/postgresql/internal.h"

enum { LOOK_BACK = 16 };

static bool add_name(iswi_pg *pg, isw_str name)
{
    for (size_t i = pg->name_count; i > 0 && i + LOOK_BACK > pg->name_count; i--)
        if (isw_str_equal(pg->names[i - 1], name))
            return true;
    if (!iswi_grow(&pg->names, &pg->name_capacity, pg->name_count, sizeof *pg->names))
        return false;
    pg->names[pg->name_count++] = name;
    return true;
}

static void add_names(iswi_pg *pg)
{
    iswi_pg_params_reset(pg);
    iswi_pg_add_texts(pg, pg->name_count);
    for (size_t i = 0; i < pg->name_count; i++)
        iswi_pg_item_bytes(pg, pg->names[i].data, pg->names[i].size);
}

static bool add_puts(iswi_pg *pg, const iswi_queue_put *items, size_t count, bool keyed)
{
    for (size_t i = 0; i < count; i++)
        if ((!keyed || items[i].key.size) && !add_name(pg, items[i].queue))
            return false;
    return true;
}

/* Of what is complete only those with a key let another one come. */
static bool add_settled(iswi_pg *pg, const iswi_broker_op *op, bool keyed)
{
    for (size_t i = 0; i < op->as.settle.count; i++) {
        const iswi_settlement *of = &op->as.settle.items[i];

        if ((of->delivery->key.size || (!keyed && of->verdict != ISWI_VERDICT_COMPLETE)) &&
            !add_name(pg, of->delivery->queue))
            return false;
    }
    return add_puts(pg, op->as.settle.puts, op->as.settle.put_count, keyed);
}

static bool add_of(iswi_pg *pg, const iswi_broker_op *op, bool keyed)
{
    switch (op->kind) {
    case ISWI_BROKER_PUT:
        return add_puts(pg, op->as.put.items, op->as.put.count, keyed);
    case ISWI_BROKER_SETTLE:
        return add_settled(pg, op, keyed);
    case ISWI_BROKER_DECLARE:
    case ISWI_BROKER_PURGE:
    case ISWI_BROKER_REPLAY:
        return add_name(pg, op->queue);
    case ISWI_BROKER_PAUSE:
        return keyed || add_name(pg, op->queue);
    default:
        return true;
    }
}

static bool gather(iswi_pg *pg, iswi_broker_op **ops, size_t count, bool keyed)
{
    pg->name_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!add_of(pg, ops[i], keyed)) {
            isw_error_set(&pg->fault, ISW_E_NO_MEMORY, "no memory for names of queues");
            return false;
        }
    return true;
}

bool iswi_pg_lock_keys(iswi_pg *pg, iswi_broker_op **ops, size_t count, bool is_due)
{
    if (!gather(pg, ops, count, true))
        return false;
    if (pg->name_count == 0 && !is_due)
        return true;
    add_names(pg);
    iswi_pg_add_int(pg, is_due ? pg->now_ms : 0);
    return iswi_pg_send(pg, ISWI_PG_LOCK, NULL, NULL, 0);
}

bool iswi_pg_tell(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    if (!gather(pg, ops, count, false))
        return false;
    if (pg->name_count == 0)
        return true;
    add_names(pg);
    return iswi_pg_send(pg, ISWI_PG_TELL, NULL, NULL, 0);
}
