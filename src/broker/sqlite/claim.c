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

/* Those that are ready, as they are before they are claimed. */
static bool read_ready(iswi_sqlite *store, iswi_sqlite_queue *queue, iswi_broker_op *op)
{
    int got;

    if (!iswi_sql_bind(store, ISWI_SQL_READY, "ii", queue->id, (int64_t)op->as.claim.max))
        return false;
    while ((got = iswi_sql_step(store, ISWI_SQL_READY)) > 0) {
        iswi_delivery *delivery = iswi_sqlite_read_message(store, ISWI_SQL_READY, queue);
        iswi_sqlite_claim *claim =
            delivery ? iswi_arena_alloc(&delivery->arena, sizeof *claim) : NULL;

        if (!claim) {
            iswi_sql_reset(store, ISWI_SQL_READY);
            iswi_delivery_free(delivery);
            return iswi_sql_no_memory(store);
        }
        claim->rowid = iswi_sql_int(store, ISWI_SQL_READY, 0);
        claim->token = iswi_sqlite_token(store, store->claims);
        delivery->handle = claim;
        op->as.claim.items[op->as.claim.count++] = delivery;
    }
    return got == 0;
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
    iswi_sqlite_moved(queue, ISWI_MESSAGE_READY, ISWI_MESSAGE_CLAIMED, 0);
    return iswi_sql_do(store, ISWI_SQL_CLAIM, "ii", claim->rowid, claim->token);
}

static bool take_all(iswi_sqlite *store, iswi_sqlite_queue *queue, iswi_broker_op *op)
{
    const size_t found = op->as.claim.count;
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
    return well;
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
