/* SPDX-License-Identifier: Apache-2.0 */
/* Messages by what they are: to show them, to take them out, and to bring dead ones back. */
#include "broker/postgresql/internal.h"

/* Those states as bits; of none all. */
static int64_t states_of(const iswi_message_filter *filter)
{
    int64_t states = 0;

    for (int i = 0; i < ISWI_MESSAGE_STATES; i++)
        states |= filter->states[i] ? INT64_C(1) << i : 0;
    return states ? states : (INT64_C(1) << ISWI_MESSAGE_STATES) - 1;
}

static int64_t behind(const iswi_message_filter *filter)
{
    return filter->after > INT64_MAX ? INT64_MAX : (int64_t)filter->after;
}

static void add_filter(iswi_pg *pg, const iswi_message_filter *filter, size_t max)
{
    iswi_pg_add_int(pg, states_of(filter));
    iswi_pg_add_text(pg, filter->id);
    iswi_pg_add_text(pg, filter->key);
    iswi_pg_add_int(pg, filter->before_ms);
    iswi_pg_add_int(pg, behind(filter));
    iswi_pg_add_int(pg, (int64_t)max);
}

static void not_found(iswi_broker_op *op)
{
    isw_error_set(&op->error, ISW_E_NOT_FOUND, "no queue %.*s was declared", (int)op->queue.size,
                  op->queue.data);
}

static void free_all(iswi_broker_op *op)
{
    while (op->as.list.count > 0)
        iswi_delivery_free(op->as.list.items[--op->as.list.count]);
    isw_error_set(&op->error, ISW_E_NO_MEMORY, "no memory for a list of messages");
}

static void take_list(iswi_pg *pg, const PGresult *result, iswi_broker_op **ops, size_t count)
{
    iswi_broker_op *op = *ops;
    const int rows = pg->pq.ntuples(result);

    (void)count;
    op->as.list.count = 0;
    if (rows == 0)
        not_found(op);
    for (int i = 0; i < rows && !iswi_pg_is_null(pg, result, i, 0); i++) {
        iswi_delivery *one = iswi_pg_read_message(pg, result, i);

        if (!one) {
            free_all(op);
            return;
        }
        op->as.list.items[op->as.list.count++] = one;
    }
}

bool iswi_pg_list(iswi_pg *pg, iswi_broker_op **op)
{
    iswi_pg_params_reset(pg);
    iswi_pg_add_text(pg, (*op)->queue);
    add_filter(pg, &(*op)->as.list.filter, (*op)->as.list.max);
    return iswi_pg_send(pg, ISWI_PG_LIST, take_list, op, 1);
}

static void take_sweep(iswi_pg *pg, const PGresult *result, iswi_broker_op **ops, size_t count)
{
    (void)count;
    (*ops)->as.sweep.count = (size_t)iswi_pg_int(pg, result, 0, 0);
    if (iswi_pg_is_null(pg, result, 0, 0))
        not_found(*ops);
}

bool iswi_pg_sweep(iswi_pg *pg, iswi_broker_op **op)
{
    iswi_pg_params_reset(pg);
    iswi_pg_add_int(pg, pg->now_ms);
    iswi_pg_add_text(pg, (*op)->queue);
    add_filter(pg, &(*op)->as.sweep.filter, (*op)->as.sweep.max);
    pg->asks_due = true;
    return iswi_pg_send(pg, (*op)->kind == ISWI_BROKER_PURGE ? ISWI_PG_PURGE : ISWI_PG_REPLAY,
                        take_sweep, op, 1);
}
