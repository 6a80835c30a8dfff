/* SPDX-License-Identifier: Apache-2.0 */
/* A run: all operations in one transaction and one round trip, and the table of the driver. What
 * the server refuses is undone, and done again one by one, so that one does not take the others
 * with it. */
#include "base/alloc.h"
#include "base/clock.h"
#include "broker/postgresql/internal.h"
#include "broker/postgresql/postgresql.h"

/* -- What is asked ----------------------------------------------------------------------------- */

static bool send_one(iswi_pg *pg, iswi_broker_op **op)
{
    static bool (*const how[])(iswi_pg * pg, iswi_broker_op * *op) = {
        [ISWI_BROKER_DECLARE] = iswi_pg_declare,
        [ISWI_BROKER_LOOK] = iswi_pg_look,
        [ISWI_BROKER_LIST] = iswi_pg_list,
        [ISWI_BROKER_PURGE] = iswi_pg_sweep,
        [ISWI_BROKER_REPLAY] = iswi_pg_sweep,
        [ISWI_BROKER_PAUSE] = iswi_pg_pause,
        [ISWI_BROKER_RECORD_READ] = iswi_pg_record_read,
        [ISWI_BROKER_RECORD_WRITE] = iswi_pg_record_write,
        [ISWI_BROKER_RECORD_LIST] = iswi_pg_record_list,
    };

    return how[(*op)->kind](pg, op);
}

static bool settles_alone(const iswi_broker_op *op)
{
    return op->kind == ISWI_BROKER_SETTLE && op->as.settle.put_count == 0;
}

/* Whether what `b` asks may be asked with what `a` does. */
static bool go_together(const iswi_broker_op *a, const iswi_broker_op *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == ISWI_BROKER_CLAIM)
        return isw_str_equal(a->queue, b->queue);
    if (a->kind == ISWI_BROKER_SETTLE)
        return settles_alone(a) && settles_alone(b) && a->tried == b->tried;
    return a->kind == ISWI_BROKER_PUT;
}

static bool send_group(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    switch (ops[0]->kind) {
    case ISWI_BROKER_PUT:
        return iswi_pg_put(pg, ops, count);
    case ISWI_BROKER_SETTLE:
        return iswi_pg_settle(pg, ops, count);
    case ISWI_BROKER_CLAIM:
        return iswi_pg_claim_some(pg, ops, count);
    default:
        return send_one(pg, ops);
    }
}

static bool send_ops(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    size_t size;

    for (size_t i = 0; i < count; i += size) {
        for (size = 1; i + size < count && go_together(ops[i], ops[i + size]);)
            size++;
        if (!send_group(pg, &ops[i], size))
            return false;
    }
    return true;
}

static void take_due(iswi_pg *pg, const PGresult *result, iswi_broker_op **ops, size_t count)
{
    (void)ops;
    (void)count;
    pg->due_ms = iswi_pg_is_null(pg, result, 0, 0) ? INT64_MAX : iswi_pg_int(pg, result, 0, 0);
}

static void take_ripe(iswi_pg *pg, const PGresult *result, iswi_broker_op **ops, size_t count)
{
    (void)ops;
    (void)count;
    iswi_pg_count_deaths(pg, result);
}

static bool send_ripen(iswi_pg *pg)
{
    iswi_pg_params_reset(pg);
    iswi_pg_add_int(pg, pg->now_ms);
    pg->asks_due = true;
    return iswi_pg_send(pg, ISWI_PG_RIPEN, take_ripe, NULL, 0);
}

static bool send_plain(iswi_pg *pg, iswi_pg_sql which, iswi_pg_take_fn take)
{
    iswi_pg_params_reset(pg);
    return iswi_pg_send(pg, which, take, NULL, 0);
}

static bool send_all(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    const bool is_due = pg->due_ms <= pg->now_ms;

    return send_plain(pg, ISWI_PG_BEGIN, NULL) && iswi_pg_lock_keys(pg, ops, count, is_due) &&
           (!is_due || send_ripen(pg)) && send_ops(pg, ops, count) &&
           iswi_pg_tell(pg, ops, count) &&
           (!pg->asks_due || send_plain(pg, ISWI_PG_NEXT_DUE, take_due)) &&
           send_plain(pg, ISWI_PG_COMMIT, NULL);
}

/* -- What came of it --------------------------------------------------------------------------- */

static void take_all(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ops[i]->error.status = ISW_OK;
        ops[i]->error.message[0] = '\0';
    }
    for (size_t i = 0; i < pg->step_count; i++)
        if (pg->steps[i].take)
            pg->steps[i].take(pg, pg->steps[i].result, pg->steps[i].ops, pg->steps[i].count);
}

/* For want of memory some is claimed by nobody. All of this run is given back when the session
 * begins again. */
static void give_up_claims(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ops[i]->kind != ISWI_BROKER_CLAIM)
            continue;
        while (ops[i]->as.claim.count > 0)
            iswi_delivery_free(ops[i]->as.claim.items[--ops[i]->as.claim.count]);
        ops[i]->error.status = ISW_OK;
        isw_error_set(&ops[i]->error, ISW_E_NO_MEMORY, "no memory for what was claimed");
    }
    pg->is_lost = true;
    isw_error_set(&pg->fault, ISW_E_UNAVAILABLE, "no memory for what was claimed");
}

/* False: nothing was done; or, if is_lost, nobody knows. */
static bool do_all(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    bool well;

    memset(&pg->fault, 0, sizeof pg->fault);
    pg->spilled = false;
    pg->doubt = ++pg->claims;
    pg->token = iswi_pg_token(pg, pg->claims);
    pg->pq.enterPipelineMode(pg->conn);
    well = send_all(pg, ops, count);
    if (!well && !pg->is_lost) /* what was sent must not be done */
        pg->is_lost = true;
    well = well && iswi_pg_answers(pg);
    if (pg->is_lost)
        return false;
    pg->pq.exitPipelineMode(pg->conn);
    if (well) {
        take_all(pg, ops, count);
        if (pg->spilled)
            give_up_claims(pg, ops, count);
    }
    if (!pg->spilled)
        pg->doubt = 0;
    iswi_pg_forget_steps(pg);
    if (!well && pg->pq.transactionStatus(pg->conn) != PQTRANS_IDLE) {
        const isw_error fault = pg->fault;

        iswi_pg_exec(pg, "ROLLBACK");
        pg->fault = pg->is_lost ? pg->fault : fault;
    }
    return well;
}

static void do_one_by_one(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    for (size_t i = 0; i < count && !pg->is_lost; i++)
        if (!do_all(pg, &ops[i], 1) && !pg->is_lost)
            ops[i]->error = pg->fault;
}

/* -- A run ------------------------------------------------------------------------------------- */

/* In their order, but that within what is put and settled the settlements that put nothing come
 * first: they stand on nothing of the same run, and so go together. Claims by queue, in theirs. */
static bool sort(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    size_t kept = 0;

    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin; end < count && (ops[end]->kind == ISWI_BROKER_PUT ||
                                          ops[end]->kind == ISWI_BROKER_SETTLE);)
            end++;
        end += end == begin;
        for (int late = 0; late < 2; late++)
            for (size_t i = begin; i < end; i++)
                if (settles_alone(ops[i]) == !late) {
                    if (!iswi_grow(&pg->order, &pg->order_capacity, kept, sizeof *pg->order))
                        return false;
                    pg->order[kept++] = ops[i];
                }
    }
    return true;
}

static isw_status lost(const iswi_pg *pg, isw_error *error)
{
    return isw_error_set(error, ISW_E_UNAVAILABLE, "%s",
                         pg->fault.status ? pg->fault.message : "PostgreSQL cannot be reached");
}

static isw_status run(void *self, iswi_broker_op **ops, size_t count, int64_t now_ms,
                      int64_t *due_ms, isw_error *error)
{
    iswi_pg *pg = self;
    const bool looks = pg->look_ms <= now_ms;

    pg->now_ms = now_ms;
    pg->asks_due = pg->heard = false;
    if (!pg->is_lost && looks && !iswi_pg_reap(pg))
        pg->is_lost = true;
    if (pg->is_lost)
        return lost(pg, error);
    if (!sort(pg, ops, count))
        return isw_error_set(error, ISW_E_UNAVAILABLE, "no memory for operations");
    if (count || pg->due_ms <= now_ms || pg->asks_due) {
        if (!looks) /* else that has said whether to look again: claims that wait are in each run */
            iswi_pg_look_soon(pg);
        if (!do_all(pg, pg->order, count) && !pg->is_lost && count == 0)
            pg->is_lost = true;
        else if (!pg->is_lost && pg->fault.status)
            do_one_by_one(pg, pg->order, count);
    }
    if (pg->is_lost && !pg->spilled)
        return lost(pg, error);
    iswi_pg_read_notices(pg);
    if (pg->heard)
        *due_ms = now_ms;
    if (pg->due_ms < *due_ms)
        *due_ms = pg->due_ms;
    if (pg->look_ms < *due_ms)
        *due_ms = pg->look_ms;
    return ISW_OK;
}

static int descriptor(void *self)
{
    const iswi_pg *pg = self;

    return pg->conn && !pg->is_lost ? pg->pq.socket(pg->conn) : -1;
}

static isw_status heard(void *self, int64_t now_ms, bool *claims, int64_t *due_ms,
                        isw_error *error)
{
    iswi_pg *pg = self;

    (void)due_ms; /* what it changes of that is news, and asked for */
    pg->now_ms = now_ms;
    pg->heard = false;
    if (!pg->pq.consumeInput(pg->conn)) {
        pg->is_lost = true;
        return isw_error_set(error, ISW_E_UNAVAILABLE, "PostgreSQL has closed the connection");
    }
    iswi_pg_read_notices(pg);
    *claims = pg->heard;
    return ISW_OK;
}

/* -- Opening ----------------------------------------------------------------------------------- */

static void close_all(void *self)
{
    iswi_pg *pg = self;

    iswi_pg_leave(pg);
    iswi_pg_disconnect(pg);
    iswi_pg_counts_free(pg);
    for (int i = 0; i < ISWI_PG_PARAMS_MAX; i++)
        iswi_buffer_fini(&pg->params[i]);
    iswi_free(pg->steps);
    iswi_free(pg->order);
    iswi_free(pg->names);
    iswi_free(pg->address);
    iswi_free(pg);
}

/* What it claimed is still its. */
static isw_status reopen(void *self, int64_t now_ms, isw_error *error)
{
    iswi_pg *pg = self;
    isw_status status;

    memset(&pg->fault, 0, sizeof pg->fault);
    pg->now_ms = now_ms;
    if (!iswi_pg_connect(pg, error))
        return error->status;
    status = iswi_pg_prepare_schema(pg, error);
    if (status)
        return status;
    if (!iswi_pg_prepare_all(pg) || !iswi_pg_join(pg) || !iswi_pg_reap(pg))
        return isw_error_set(error, ISW_E_UNAVAILABLE, "%s", pg->fault.message);
    pg->due_ms = 0; /* to be looked at */
    if (pg->options->lock)
        pg->options->lock(pg->options->user, pg->pq.socket(pg->conn));
    return ISW_OK;
}

static isw_status open_all(const iswi_broker_options *options, int64_t now_ms, void **self,
                           isw_error *error)
{
    iswi_pg *pg = iswi_calloc(1, sizeof *pg);
    isw_status status;

    if (!pg)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "no memory for a place in PostgreSQL");
    pg->options = options;
    iswi_random(pg->salt, sizeof pg->salt);
    pg->look_ms = INT64_MAX;
    pg->address = iswi_pg_address(options->place, pg->schema, error);
    status = pg->address ? iswi_pq_load(&pg->pq, error) : error->status;
    if (status == ISW_OK)
        status = reopen(pg, now_ms, error);
    if (status) {
        close_all(pg);
        return status;
    }
    *self = pg;
    return ISW_OK;
}

const iswi_broker_driver iswi_broker_postgresql = {
    .scheme = "postgresql",
    .form = "postgresql://USER@HOST/DATABASE",
    .abilities = ISWI_BROKER_ATOMIC | ISWI_BROKER_SEES_ENDS | ISWI_BROKER_SHARED |
                 ISWI_BROKER_KEYS | ISWI_BROKER_PRIORITY | ISWI_BROKER_RECORDS | ISWI_BROKER_BODIES,
    .check = iswi_pg_check,
    .open = open_all,
    .reopen = reopen,
    .close = close_all,
    .run = run,
    .fd = descriptor,
    .heard = heard,
};
