/* SPDX-License-Identifier: Apache-2.0 */
/* Settling: what several operations settle goes in one statement; one that puts something, too, has
 * one of its own. */
#include "broker/postgresql/internal.h"

static const iswi_pg_claim NOBODYS = { 0, -1 };

static const iswi_pg_claim *claim_of(const iswi_settlement *settlement)
{
    return settlement->delivery->handle ? settlement->delivery->handle : &NOBODYS;
}

/* -- Parameters -------------------------------------------------------------------------------- */

static void add_number(iswi_pg *pg, const iswi_settlement *of)
{
    iswi_pg_item_int(pg, claim_of(of)->number);
}

static void add_token(iswi_pg *pg, const iswi_settlement *of)
{
    iswi_pg_item_int(pg, claim_of(of)->token);
}

static void add_verdict(iswi_pg *pg, const iswi_settlement *of)
{
    iswi_pg_item_int(pg, of->verdict);
    pg->asks_due = pg->asks_due || of->verdict != ISWI_VERDICT_COMPLETE || of->delivery->key.size;
}

static void add_delay(iswi_pg *pg, const iswi_settlement *of)
{
    iswi_pg_item_int(pg, of->delay_ms);
}

static void add_cause(iswi_pg *pg, const iswi_settlement *of)
{
    iswi_pg_item_bytes(pg, of->cause.data, of->cause.size);
}

static size_t total_of(iswi_broker_op **ops, size_t count)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++)
        total += ops[i]->as.settle.count;
    return total;
}

static void add_settlements(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    static const struct {
        void (*begin)(iswi_pg *pg, size_t count);
        void (*add)(iswi_pg *pg, const iswi_settlement *of);
    } columns[] = {
        { iswi_pg_add_ints, add_number }, { iswi_pg_add_ints, add_token },
        { iswi_pg_add_ints, add_verdict }, { iswi_pg_add_ints, add_delay },
        { iswi_pg_add_texts, add_cause },
    };
    const size_t total = total_of(ops, count);

    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        columns[c].begin(pg, total);
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < ops[i]->as.settle.count; j++)
                columns[c].add(pg, &ops[i]->as.settle.items[j]);
    }
    iswi_pg_add_bool(pg, ops[0]->tried);
}

/* -- What came of it --------------------------------------------------------------------------- */

enum { N, LOST, DIED, STATUS, KNOWN, NAME };

static iswi_settlement *nth(iswi_broker_op **ops, int64_t n)
{
    while (n >= (int64_t)(*ops)->as.settle.count)
        n -= (int64_t)(*ops++)->as.settle.count;
    return &(*ops)->as.settle.items[n];
}

static void count_one(iswi_pg *pg, const iswi_settlement *of)
{
    iswi_pg_counts *counts = iswi_pg_counts_of(pg, of->delivery->queue);

    if (of->lost)
        return;
    counts->completed += of->verdict == ISWI_VERDICT_COMPLETE;
    counts->abandoned += of->verdict == ISWI_VERDICT_ABANDON;
    counts->died += of->died;
}

static void take_settled(iswi_pg *pg, const PGresult *result, iswi_broker_op **ops, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < ops[i]->as.settle.count; j++)
            ops[i]->as.settle.items[j].lost = ops[i]->as.settle.items[j].died = false;
    for (int i = 0; i < pg->pq.ntuples(result); i++)
        if (!iswi_pg_is_null(pg, result, i, N)) {
            iswi_settlement *one = nth(ops, iswi_pg_int(pg, result, i, N) - 1);

            one->lost = iswi_pg_int(pg, result, i, LOST) != 0;
            one->died = iswi_pg_int(pg, result, i, DIED) != 0;
        }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < ops[i]->as.settle.count; j++)
            count_one(pg, &ops[i]->as.settle.items[j]);
}

static bool puts_were_made(const iswi_broker_op *op)
{
    for (size_t i = 0; i < op->as.settle.count; i++)
        if (!op->as.settle.items[i].lost)
            return true;
    return false;
}

static void take_settled_put(iswi_pg *pg, const PGresult *result, iswi_broker_op **ops,
                             size_t count)
{
    iswi_broker_op *op = *ops;

    for (int i = 0; i < pg->pq.ntuples(result); i++) {
        iswi_pg_counts *counts;

        if (iswi_pg_is_null(pg, result, i, STATUS))
            continue;
        if (iswi_pg_int(pg, result, i, STATUS)) {
            iswi_pg_refuse_put(pg, result, i, STATUS, NAME, op);
            return;
        }
        counts = iswi_pg_counts_of(pg, iswi_pg_text(pg, result, i, NAME));
        counts->duplicates += (uint64_t)iswi_pg_int(pg, result, i, KNOWN);
        counts->put -= (uint64_t)iswi_pg_int(pg, result, i, KNOWN);
    }
    take_settled(pg, result, ops, count);
    if (puts_were_made(op))
        iswi_pg_count_put(pg, op->as.settle.puts, op->as.settle.put_count);
}

bool iswi_pg_settle(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    const bool puts = ops[0]->as.settle.put_count > 0;

    iswi_pg_params_reset(pg);
    iswi_pg_add_int(pg, pg->now_ms);
    add_settlements(pg, ops, count);
    if (!puts)
        return iswi_pg_send(pg, ISWI_PG_SETTLE, take_settled, ops, count);
    iswi_pg_add_items(pg, ops, count);
    return iswi_pg_send(pg, ISWI_PG_SETTLE_PUT, take_settled_put, ops, count);
}
