/* SPDX-License-Identifier: Apache-2.0 */
/* Putting: what several operations put goes in one statement. */
#include "broker/postgresql/internal.h"

typedef struct items {
    const iswi_queue_put *first;
    size_t count;
} items;

static items items_of(const iswi_broker_op *op)
{
    return op->kind == ISWI_BROKER_PUT ? (items){ op->as.put.items, op->as.put.count }
                                       : (items){ op->as.settle.puts, op->as.settle.put_count };
}

/* -- Parameters: one array for each column ----------------------------------------------------- */

static size_t total_of(iswi_broker_op **ops, size_t count)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++)
        total += items_of(ops[i]).count;
    return total;
}

typedef void (*add_fn)(iswi_pg *pg, const iswi_queue_put *put);

static void add_column(iswi_pg *pg, iswi_broker_op **ops, size_t count, add_fn add)
{
    for (size_t i = 0; i < count; i++) {
        const items of = items_of(ops[i]);

        for (size_t j = 0; j < of.count; j++)
            add(pg, &of.first[j]);
    }
}

static void add_numbers(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < items_of(ops[i]).count; j++)
            iswi_pg_item_int(pg, (int64_t)i);
}

static void add_text(iswi_pg *pg, isw_str text)
{
    iswi_pg_item_bytes(pg, text.data, text.size);
}

static void add_queue(iswi_pg *pg, const iswi_queue_put *put)
{
    add_text(pg, put->queue);
}

static void add_priority(iswi_pg *pg, const iswi_queue_put *put)
{
    iswi_pg_item_int(pg, put->priority);
}

static void add_delay(iswi_pg *pg, const iswi_queue_put *put)
{
    iswi_pg_item_int(pg, put->delay_ms);
}

static void add_life(iswi_pg *pg, const iswi_queue_put *put)
{
    iswi_pg_item_int(pg, put->expires_ms);
}

static void add_id(iswi_pg *pg, const iswi_queue_put *put)
{
    char made[ISWI_ULID_BYTES];

    if (put->id.size) {
        add_text(pg, put->id);
        return;
    }
    iswi_ulid_of(pg->now_ms, pg->salt[0], pg->salt[1] + pg->made++, made);
    iswi_pg_item_bytes(pg, made, sizeof made - 1);
}

static void add_key(iswi_pg *pg, const iswi_queue_put *put)
{
    add_text(pg, put->key);
}

static void add_type(iswi_pg *pg, const iswi_queue_put *put)
{
    add_text(pg, put->content_type);
}

static void add_trace(iswi_pg *pg, const iswi_queue_put *put)
{
    add_text(pg, put->trace);
}

static void add_body(iswi_pg *pg, const iswi_queue_put *put)
{
    iswi_pg_item_bytes(pg, put->body.data, put->body.size);
}

/* What some message of a run has; a column that none has is NULL. */
enum { PRIORITY = 1, DELAY = 2, LIFE = 4, ID = 8, KEY = 16, TYPE = 32, TRACE = 64, ALL = 128 };

static unsigned columns_of(iswi_broker_op **ops, size_t count)
{
    unsigned some = ALL;

    for (size_t i = 0; i < count; i++) {
        const items of = items_of(ops[i]);

        for (size_t j = 0; j < of.count; j++) {
            const iswi_queue_put *put = &of.first[j];

            some |= (put->priority ? PRIORITY : 0u) | (put->delay_ms ? DELAY : 0u) |
                    (put->expires_ms ? LIFE : 0u) | (put->id.size ? ID : 0u) |
                    (put->key.size ? KEY : 0u) | (put->content_type.size ? TYPE : 0u) |
                    (put->trace.size ? TRACE : 0u);
        }
    }
    return some;
}

void iswi_pg_add_items(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    static const struct {
        unsigned which;
        void (*begin)(iswi_pg *pg, size_t count);
        add_fn add;
    } columns[] = {
        { ALL, iswi_pg_add_texts, add_queue },   { PRIORITY, iswi_pg_add_ints, add_priority },
        { DELAY, iswi_pg_add_ints, add_delay },  { LIFE, iswi_pg_add_ints, add_life },
        { ALL, iswi_pg_add_texts, add_id },      { KEY, iswi_pg_add_texts, add_key },
        { TYPE, iswi_pg_add_texts, add_type },   { TRACE, iswi_pg_add_texts, add_trace },
        { ALL, iswi_pg_add_blobs, add_body },
    };
    const size_t total = total_of(ops, count);
    const unsigned some = columns_of(ops, count);

    pg->asks_due = pg->asks_due || some & (DELAY | LIFE);
    iswi_pg_add_bool(pg, some & ID);
    iswi_pg_add_ints(pg, total);
    add_numbers(pg, ops, count);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (some & columns[i].which) {
            columns[i].begin(pg, total);
            add_column(pg, ops, count, columns[i].add);
        } else {
            iswi_pg_add_null(pg);
        }
}

/* -- What came of it --------------------------------------------------------------------------- */

void iswi_pg_refuse_put(iswi_pg *pg, const PGresult *result, int row, int status, int name,
                        iswi_broker_op *op)
{
    const isw_str queue = iswi_pg_text(pg, result, row, name);
    const isw_str sentence = iswi_pg_text(pg, result, row, name + 1);

    if (iswi_pg_int(pg, result, row, status) == 1)
        isw_error_set(&op->error, ISW_E_NOT_FOUND, "no queue %.*s was declared", (int)queue.size,
                      queue.data);
    else
        isw_error_set(&op->error, ISW_E_BUSY, "%.*s", (int)sentence.size, sentence.data);
}

void iswi_pg_count_put(iswi_pg *pg, const iswi_queue_put *puts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        iswi_pg_counts_of(pg, puts[i].queue)->put++;
}

enum { OP, STATUS, KNOWN, NAME };

static void take_put(iswi_pg *pg, const PGresult *result, iswi_broker_op **ops, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ops[i]->as.put.duplicates = 0;
    for (int i = 0; i < pg->pq.ntuples(result); i++) {
        iswi_broker_op *op = ops[iswi_pg_int(pg, result, i, OP)];
        const int64_t known = iswi_pg_int(pg, result, i, KNOWN);
        iswi_pg_counts *counts = iswi_pg_counts_of(pg, iswi_pg_text(pg, result, i, NAME));

        if (iswi_pg_int(pg, result, i, STATUS))
            iswi_pg_refuse_put(pg, result, i, STATUS, NAME, op);
        op->as.put.duplicates += (size_t)known;
        counts->duplicates += (uint64_t)known;
        counts->put -= (uint64_t)known;
    }
    for (size_t i = 0; i < count; i++)
        if (ops[i]->error.status == ISW_OK)
            iswi_pg_count_put(pg, ops[i]->as.put.items, ops[i]->as.put.count);
}

bool iswi_pg_put(iswi_pg *pg, iswi_broker_op **ops, size_t count)
{
    iswi_pg_params_reset(pg);
    iswi_pg_add_int(pg, pg->now_ms);
    iswi_pg_add_items(pg, ops, count);
    return iswi_pg_send(pg, ISWI_PG_PUT, take_put, ops, count);
}
