/* SPDX-License-Identifier: Apache-2.0 */
/* Queues as a whole. */
#include "broker/postgresql/internal.h"

static void not_found(iswi_broker_op *op)
{
    isw_error_set(&op->error, ISW_E_NOT_FOUND, "no queue %.*s was declared", (int)op->queue.size,
                  op->queue.data);
}

bool iswi_pg_declare(iswi_pg *pg, iswi_broker_op **op)
{
    const iswi_queue_options *options = &(*op)->as.declare;

    iswi_pg_params_reset(pg);
    iswi_pg_add_int(pg, pg->now_ms);
    iswi_pg_add_text(pg, (*op)->queue);
    iswi_pg_add_int(pg, options->max_messages);
    iswi_pg_add_int(pg, options->max_bytes);
    iswi_pg_add_int(pg, options->max_attempts);
    iswi_pg_add_int(pg, options->window_ms);
    iswi_pg_add_int(pg, options->keep_dead_ms);
    pg->asks_due = true;
    return iswi_pg_send(pg, ISWI_PG_DECLARE, NULL, op, 1);
}

static void take_pause(iswi_pg *pg, const PGresult *result, iswi_broker_op **op, size_t count)
{
    (void)count;
    if (pg->pq.ntuples(result) == 0)
        not_found(*op);
}

bool iswi_pg_pause(iswi_pg *pg, iswi_broker_op **op)
{
    iswi_pg_params_reset(pg);
    iswi_pg_add_text(pg, (*op)->queue);
    iswi_pg_add_bool(pg, (*op)->as.pause);
    return iswi_pg_send(pg, ISWI_PG_PAUSE, take_pause, op, 1);
}

enum { NAME, PAUSED, READY, DELAYED, CLAIMED, DEAD, BYTES, OLDEST, DUE };

static bool read_queue(iswi_pg *pg, const PGresult *result, int row, iswi_arena *arena,
                       iswi_broker_queue *out)
{
    const isw_str name = iswi_pg_text(pg, result, row, NAME);
    const iswi_pg_counts *counts = iswi_pg_counts_of(pg, name);
    const char *copy = iswi_arena_strndup(arena, name.data, name.size);

    *out = (iswi_broker_queue){
        .name = { copy, name.size },
        .paused = iswi_pg_int(pg, result, row, PAUSED) != 0,
        .counts = { [ISWI_MESSAGE_READY] = iswi_pg_int(pg, result, row, READY),
                    [ISWI_MESSAGE_DELAYED] = iswi_pg_int(pg, result, row, DELAYED),
                    [ISWI_MESSAGE_CLAIMED] = iswi_pg_int(pg, result, row, CLAIMED),
                    [ISWI_MESSAGE_DEAD] = iswi_pg_int(pg, result, row, DEAD) },
        .bytes = iswi_pg_int(pg, result, row, BYTES),
        .oldest_ms = iswi_pg_int(pg, result, row, OLDEST),
        .next_due_ms = iswi_pg_int(pg, result, row, DUE),
        .put = counts->put,
        .completed = counts->completed,
        .abandoned = counts->abandoned,
        .died = counts->died,
        .duplicates = counts->duplicates,
    };
    return copy != NULL;
}

static void take_look(iswi_pg *pg, const PGresult *result, iswi_broker_op **ops, size_t count)
{
    iswi_broker_op *op = *ops;
    const int rows = pg->pq.ntuples(result);
    bool well;

    (void)count;
    op->as.look.count = 0;
    if (op->queue.size && rows == 0) {
        not_found(op);
        return;
    }
    op->as.look.items = iswi_arena_calloc(op->as.look.arena, rows ? (size_t)rows : 1,
                                          sizeof *op->as.look.items);
    well = op->as.look.items != NULL;
    for (int i = 0; i < rows && well; i++)
        well = read_queue(pg, result, i, op->as.look.arena,
                          &op->as.look.items[op->as.look.count++]);
    if (!well)
        isw_error_set(&op->error, ISW_E_NO_MEMORY, "no memory for a look at queues");
}

bool iswi_pg_look(iswi_pg *pg, iswi_broker_op **op)
{
    iswi_pg_params_reset(pg);
    iswi_pg_add_text(pg, (*op)->queue);
    return iswi_pg_send(pg, ISWI_PG_LOOK, take_look, op, 1);
}
