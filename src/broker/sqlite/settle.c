/* SPDX-License-Identifier: Apache-2.0 */
/* Settling: what becomes of what was delivered, with what is put for it. A claim is told from all
 * others by its token, so that nobody settles what is another's. */
#include "broker/sqlite/internal.h"

static bool is_still_ours(iswi_sqlite *store, const iswi_settlement *settlement, bool *ours)
{
    const iswi_sqlite_claim *claim = settlement->delivery->handle;
    int64_t attempt;

    *ours = false;
    if (!claim)
        return true;
    if (claim->token
            ? !iswi_sql_number(store, ISWI_SQL_IS_CLAIMED, &attempt, -1, "ii", claim->rowid,
                               claim->token)
            : !iswi_sql_number(store, ISWI_SQL_IS_IN_LINE, &attempt, -1, "i", claim->rowid))
        return false;
    *ours = attempt >= 0;
    return true;
}

static isw_str cause_of(const iswi_settlement *settlement)
{
    return settlement->cause.size ? settlement->cause : isw_str_of("it was given up");
}

static bool bury(iswi_sqlite *store, iswi_settlement *settlement, isw_str cause)
{
    const iswi_delivery *delivery = settlement->delivery;
    const iswi_sqlite_claim *claim = delivery->handle;

    settlement->died = true;
    return iswi_sqlite_bury(store, claim->rowid, ISWI_MESSAGE_CLAIMED, (int64_t)delivery->body.size,
                            delivery->key, cause);
}

/* Ready again, now or later; its key it keeps. */
static bool give_back(iswi_sqlite *store, const iswi_settlement *settlement, unsigned attempt)
{
    const iswi_delivery *delivery = settlement->delivery;
    const iswi_sqlite_claim *claim = delivery->handle;
    iswi_sqlite_queue *queue = iswi_sqlite_queue_of(store, claim->rowid);
    const int64_t due_ms = store->now_ms + settlement->delay_ms;
    const int state = settlement->delay_ms ? ISWI_MESSAGE_DELAYED : ISWI_MESSAGE_READY;

    iswi_sqlite_moved(queue, ISWI_MESSAGE_CLAIMED, state, 0);
    if (settlement->delay_ms)
        iswi_sqlite_sooner(&queue->now.due_ms, due_ms);
    if (delivery->expires_ms)
        iswi_sqlite_sooner(&queue->now.expiry_ms, delivery->expires_ms);
    return iswi_sql_do(store, ISWI_SQL_GIVE_BACK, "iiiis", claim->rowid, (int64_t)state, due_ms,
                       (int64_t)attempt, settlement->cause);
}

static bool abandon(iswi_sqlite *store, iswi_settlement *settlement)
{
    const iswi_delivery *delivery = settlement->delivery;
    const iswi_sqlite_claim *claim = delivery->handle;
    iswi_sqlite_queue *queue = iswi_sqlite_queue_of(store, claim->rowid);
    const unsigned most = queue->now.options.max_attempts;

    queue->now.abandoned++;
    if (delivery->expires_ms && delivery->expires_ms <= store->now_ms)
        return bury(store, settlement, isw_str_of("expired"));
    if (most && delivery->attempt >= most)
        return bury(store, settlement, cause_of(settlement));
    return give_back(store, settlement, delivery->attempt);
}

static bool drop_claimed(iswi_sqlite *store, const iswi_sqlite_claim *claim, bool *ours)
{
    if (!claim->token && !store->singly) {
        *ours = true; /* else all of it is done again */
        return iswi_sqlite_gather_gone(store, claim->rowid);
    }
    if (claim->token
            ? !iswi_sql_do(store, ISWI_SQL_COMPLETE, "ii", claim->rowid, claim->token)
            : !iswi_sql_do(store, ISWI_SQL_COMPLETE_IN_LINE, "i", claim->rowid))
        return false;
    *ours = sqlite3_changes(store->db) > 0;
    return true;
}

/* The most frequent one, and the only one that sees by what it did whether it was ours. */
static bool complete(iswi_sqlite *store, iswi_settlement *settlement)
{
    const iswi_delivery *delivery = settlement->delivery;
    const iswi_sqlite_claim *claim = delivery->handle;
    const int64_t size = (int64_t)delivery->body.size;
    iswi_sqlite_queue *queue;
    bool ours;

    if (!claim || !drop_claimed(store, claim, &ours))
        return !claim;
    settlement->lost = !ours;
    if (!ours)
        return true;
    queue = iswi_sqlite_queue_of(store, claim->rowid);
    queue->now.completed++;
    iswi_sqlite_moved(queue, ISWI_MESSAGE_CLAIMED, ISWI_MESSAGE_STATES, size);
    return iswi_sqlite_drop_content(store, claim->rowid, size) &&
           iswi_sqlite_next_of_key(store, queue, delivery->key);
}

static bool settle_ours(iswi_sqlite *store, iswi_settlement *settlement)
{
    switch (settlement->verdict) {
    case ISWI_VERDICT_ABANDON:
        return abandon(store, settlement);
    case ISWI_VERDICT_DEFER:
        return give_back(store, settlement, settlement->delivery->attempt - 1);
    case ISWI_VERDICT_DEAD:
        return bury(store, settlement, cause_of(settlement));
    default:
        return true; /* EXTEND: a claim here has no end but its host's */
    }
}

static bool settle_one(iswi_sqlite *store, iswi_settlement *settlement)
{
    bool ours;

    settlement->lost = true;
    settlement->died = false;
    if (settlement->verdict == ISWI_VERDICT_COMPLETE)
        return complete(store, settlement);
    if (!iswi_sqlite_flush(store) || !is_still_ours(store, settlement, &ours))
        return false;
    settlement->lost = !ours;
    return !ours || settle_ours(store, settlement);
}

/* What was tried before was ours then, and nobody else has its token: it was done, and not lost. */
static bool was_done(iswi_sqlite *store, iswi_settlement *settlement)
{
    const iswi_sqlite_claim *claim = settlement->delivery->handle;
    int64_t died_ms = 0;

    if (!claim)
        return true;
    settlement->lost = false;
    if (!iswi_sql_number(store, ISWI_SQL_DIED, &died_ms, 0, "i", claim->rowid))
        return false;
    settlement->died = died_ms != 0;
    return true;
}

/* One that is named twice is settled as it is said first. */
static bool settle_all(iswi_sqlite *store, iswi_broker_op *op, size_t *ours)
{
    for (size_t i = 0; i < op->as.settle.count; i++) {
        if (!settle_one(store, &op->as.settle.items[i]))
            return false;
        *ours += !op->as.settle.items[i].lost;
        if (op->as.settle.items[i].lost && op->tried && !was_done(store, &op->as.settle.items[i]))
            return false;
    }
    return true;
}

bool iswi_sqlite_settle(iswi_sqlite *store, iswi_broker_op *op)
{
    const iswi_queue_put *puts = op->as.settle.puts;
    const size_t put_count = op->as.settle.put_count;
    size_t duplicates = 0;
    size_t ours = 0;

    if (!iswi_sqlite_can_put(store, puts, put_count, &op->error))
        return false;
    if (op->error.status != ISW_OK)
        return true;
    return settle_all(store, op, &ours) && (put_count == 0 || iswi_sqlite_flush(store)) &&
           (ours == 0 || iswi_sqlite_put_all(store, puts, put_count, &duplicates));
}
