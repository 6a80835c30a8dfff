/* SPDX-License-Identifier: Apache-2.0 */
/* Most messages are in line, and most of what is done with those is to put them and to complete
 * them. Both gather here within a transaction, so that one statement writes many rows: SQLite takes
 * a third longer to begin and end one for each, with all the indexes that these rows are not in.
 * Whatever may look at such rows has them written before. */
#include "broker/sqlite/internal.h"

#include <stdlib.h>

/* -- What is put ------------------------------------------------------------------------------- */

static bool bind_row(iswi_sqlite *store, iswi_sql which, size_t at, const iswi_sqlite_row *row)
{
    const iswi_queue_put *put = row->put;
    const int64_t size = (int64_t)put->body.size;

    return iswi_sql_bind_row(store, which, at, "iiiiisssb", row->rowid, row->rowid >> 40,
                             store->now_ms, store->now_ms, size,
                             put->id.size ? put->id : (isw_str){ row->made, sizeof row->made - 1 },
                             put->content_type, put->trace,
                             size > ISWI_SQLITE_INLINE_BYTES ? (isw_bytes){ NULL, 0 } : put->body);
}

static bool write_rows(iswi_sqlite *store, iswi_sql which, const iswi_sqlite_row *rows,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!bind_row(store, which, i, &rows[i]))
            return false;
    return iswi_sql_step(store, which) == 0;
}

static bool flush_rows(iswi_sqlite *store)
{
    size_t done = 0;
    bool well = true;

    for (size_t size; well && done < store->row_count; done += size) {
        const size_t left = store->row_count - done;
        const iswi_sql which = left >= ISWI_SQLITE_ROWS_MANY  ? ISWI_SQL_PUT_MANY
                               : left >= ISWI_SQLITE_ROWS_SOME ? ISWI_SQL_PUT_SOME
                                                               : ISWI_SQL_PUT_ONE;

        size = which == ISWI_SQL_PUT_MANY   ? (size_t)ISWI_SQLITE_ROWS_MANY
               : which == ISWI_SQL_PUT_SOME ? (size_t)ISWI_SQLITE_ROWS_SOME
                                            : 1;
        well = write_rows(store, which, &store->rows[done], size);
    }
    store->row_count = 0;
    return well;
}

bool iswi_sqlite_gather_put(iswi_sqlite *store, iswi_sqlite_queue *queue, int64_t number,
                            const iswi_queue_put *put)
{
    iswi_sqlite_row *row = &store->rows[store->row_count++];

    row->rowid = iswi_sqlite_rowid(queue, number);
    row->put = put;
    if (put->id.size == 0)
        iswi_sqlite_make_id(store, queue, number, row->made);
    return store->row_count < ISWI_SQLITE_ROWS_MANY || flush_rows(store);
}

/* -- What is complete -------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Whether they follow each other without a gap, as most do; then they are in order. */
static bool is_range(int64_t *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, by_number);
    for (size_t i = 1; i < count; i++)
        if (numbers[i] != numbers[0] + (int64_t)i)
            return false;
    return true;
}

static bool delete_each(iswi_sqlite *store, const int64_t *numbers, size_t count)
{
    for (size_t i = 0; i < ISWI_SQLITE_ROWS_MANY; i++)
        if (!iswi_sql_bind_row(store, ISWI_SQL_COMPLETE_MANY, i, "i",
                               i < count ? numbers[i] : INT64_C(0)))
            return false;
    return iswi_sql_step(store, ISWI_SQL_COMPLETE_MANY) == 0;
}

/* One that was another's, or was settled before: which one it was is seen when all of the
 * transaction is undone, and done again with each by itself (run.c). */
static bool flush_gone(iswi_sqlite *store)
{
    const size_t count = store->gone_count;
    int64_t *numbers = store->gone;

    if (count == 0)
        return true;
    store->gone_count = 0;
    if (is_range(numbers, count)
            ? !iswi_sql_do(store, ISWI_SQL_COMPLETE_RANGE, "ii", numbers[0], numbers[count - 1])
            : !delete_each(store, numbers, count))
        return false;
    store->apart = sqlite3_changes(store->db) != (int)count;
    return !store->apart;
}

bool iswi_sqlite_gather_gone(iswi_sqlite *store, int64_t rowid)
{
    store->gone[store->gone_count++] = rowid;
    return store->gone_count < ISWI_SQLITE_ROWS_MANY || flush_gone(store);
}

bool iswi_sqlite_flush(iswi_sqlite *store)
{
    return flush_rows(store) && flush_gone(store);
}
