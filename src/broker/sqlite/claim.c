/* SPDX-License-Identifier: Apache-2.0 */
/* Claiming: what is ready, in its order, with the attempt written before it is delivered. */
#include "broker/sqlite/internal.h"

static void free_all(iswi_broker_op *op)
{
    for (size_t i = 0; i < op->as.claim.count; i++)
        iswi_delivery_free(op->as.claim.items[i]);
    op->as.claim.count = 0;
}

static iswi_sqlite_claim *handle_of(const iswi_delivery *delivery)
{
    return delivery->handle;
}

static bool read_one(iswi_sqlite *store, iswi_sqlite_queue *queue, iswi_sql which,
                     iswi_broker_op *op)
{
    iswi_delivery *delivery = iswi_sqlite_read_message(store, which, queue);
    iswi_sqlite_claim *claim = delivery ? iswi_arena_alloc(&delivery->arena, sizeof *claim) : NULL;

    if (!claim) {
        iswi_delivery_free(delivery);
        return iswi_sql_no_memory(store);
    }
    claim->rowid = iswi_sql_int(store, which, 0);
    claim->token = which == ISWI_SQL_READY ? iswi_sqlite_token(store, store->claims) : 0;
    delivery->handle = claim;
    op->as.claim.items[op->as.claim.count++] = delivery;
    return true;
}

/* Whether the one by the index comes before the one in line: by priority, then by when it was due
 * (schema.c has the columns). */
static bool is_before(iswi_sqlite *store)
{
    const int64_t priority = iswi_sql_int(store, ISWI_SQL_READY, 3);
    const int64_t due_ms = iswi_sql_int(store, ISWI_SQL_READY, 4);
    const int64_t other_ms = iswi_sql_int(store, ISWI_SQL_IN_LINE, 4);

    if (priority || due_ms == other_ms)
        return priority > 0 || (priority == 0 && iswi_sql_int(store, ISWI_SQL_READY, 0) <
                                                     iswi_sql_int(store, ISWI_SQL_IN_LINE, 0));
    return due_ms < other_ms;
}

/* From both at once, in the order of all. */
static bool merge(iswi_sqlite *store, iswi_sqlite_queue *queue, iswi_broker_op *op, int listed,
                  int in_line)
{
    while (listed >= 0 && in_line >= 0 && (listed || in_line) &&
           op->as.claim.count < op->as.claim.max) {
        const bool by_index = !in_line || (listed && is_before(store));
        const iswi_sql which = by_index ? ISWI_SQL_READY : ISWI_SQL_IN_LINE;
        int *const got = by_index ? &listed : &in_line;

        if (!read_one(store, queue, which, op))
            return false;
        if (op->as.claim.count < op->as.claim.max)
            *got = iswi_sql_step(store, which);
    }
    return listed >= 0 && in_line >= 0;
}

/* 1: it stands on the first one; 0: there is none; -1: a fault. */
static int begin_listed(iswi_sqlite *store, const iswi_sqlite_queue *queue, size_t max)
{
    if (queue->now.counts[ISWI_MESSAGE_READY] == queue->now.in_line)
        return 0;
    return iswi_sql_bind(store, ISWI_SQL_READY, "ii", queue->id, (int64_t)max)
               ? iswi_sql_step(store, ISWI_SQL_READY)
               : -1;
}

static int begin_in_line(iswi_sqlite *store, const iswi_sqlite_queue *queue, size_t max)
{
    if (queue->now.in_line == 0)
        return 0;
    return iswi_sql_bind(store, ISWI_SQL_IN_LINE, "iii",
                         iswi_sqlite_rowid(queue, queue->now.claimed),
                         iswi_sqlite_last_rowid(queue), (int64_t)max)
               ? iswi_sql_step(store, ISWI_SQL_IN_LINE)
               : -1;
}

/* Those that are ready, as they are before they are claimed. */
static bool read_ready(iswi_sqlite *store, iswi_sqlite_queue *queue, iswi_broker_op *op)
{
    const int listed = begin_listed(store, queue, op->as.claim.max);
    const int in_line = listed < 0 ? -1 : begin_in_line(store, queue, op->as.claim.max);
    const bool well = merge(store, queue, op, listed, in_line);

    if (listed > 0)
        iswi_sql_reset(store, ISWI_SQL_READY);
    if (in_line > 0)
        iswi_sql_reset(store, ISWI_SQL_IN_LINE);
    return well;
}

/* Why it is not to be delivered; empty: it is. Of that kind are those that were ready when less was
 * allowed, and what expired a moment ago. */
static isw_str why_not(const iswi_sqlite *store, const iswi_sqlite_queue *queue,
                       const iswi_delivery *delivery)
{
    const unsigned most = queue->now.options.max_attempts;

    if (delivery->expires_ms && delivery->expires_ms <= store->now_ms)
        return isw_str_of("expired");
    if (most && delivery->attempt >= most)
        return delivery->last_error.size ? delivery->last_error
                                         : isw_str_of("it has had its attempts");
    return isw_str_of(NULL);
}

static bool take(iswi_sqlite *store, iswi_sqlite_queue *queue, iswi_delivery *delivery)
{
    const iswi_sqlite_claim *claim = handle_of(delivery);

    delivery->state = ISWI_MESSAGE_CLAIMED;
    delivery->attempt++;
    if (claim->token == 0) {
        iswi_sqlite_moved(queue, ISWI_SQLITE_IN_LINE, ISWI_MESSAGE_CLAIMED, 0);
        queue->now.claimed = (int64_t)delivery->number + 1;
        return true;
    }
    iswi_sqlite_moved(queue, ISWI_MESSAGE_READY, ISWI_MESSAGE_CLAIMED, 0);
    return iswi_sql_do(store, ISWI_SQL_CLAIM, "ii", claim->rowid, claim->token);
}

static bool take_all(iswi_sqlite *store, iswi_sqlite_queue *queue, iswi_broker_op *op)
{
    const size_t found = op->as.claim.count;
    const int64_t claimed = queue->now.claimed;
    bool well = true;

    op->as.claim.count = 0;
    for (size_t i = 0; i < found; i++) {
        iswi_delivery *delivery = op->as.claim.items[i];
        const isw_str cause = why_not(store, queue, delivery);

        if (!well) {
            iswi_delivery_free(delivery);
        } else if (cause.size) {
            well = iswi_sqlite_bury(store, handle_of(delivery)->rowid, ISWI_MESSAGE_READY,
                                    (int64_t)delivery->body.size, delivery->key, cause);
            iswi_delivery_free(delivery);
        } else {
            well = take(store, queue, delivery);
            op->as.claim.items[op->as.claim.count++] = delivery;
        }
    }
    return well && (queue->now.claimed == claimed ||
                    iswi_sql_do(store, ISWI_SQL_QUEUE_CLAIMED, "ii", queue->id,
                                queue->now.claimed));
}

bool iswi_sqlite_claim_some(iswi_sqlite *store, iswi_broker_op *op)
{
    iswi_sqlite_queue *queue = iswi_sqlite_find(store, op->queue, &op->error);
    size_t found;

    op->as.claim.count = 0;
    if (!queue)
        return true;
    store->claims++;
    do {
        if (!queue->now.paused && queue->now.counts[ISWI_MESSAGE_READY] > 0 &&
            !read_ready(store, queue, op)) {
            free_all(op);
            return false;
        }
        found = op->as.claim.count;
        if (!take_all(store, queue, op)) {
            free_all(op);
            return false;
        }
    } while (found && op->as.claim.count == 0); /* all of them were dead */
    if (op->as.claim.count == 0)
        op->error.status = ISW_E_BUSY;
    return true;
}
