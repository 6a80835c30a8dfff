/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes due by itself: delayed messages, those that expire, and dead ones that have been
 * kept long enough. Each queue knows when to look, so that nothing is asked before. */
#include "base/alloc.h"
#include "broker/sqlite/internal.h"

enum { AT_ONCE = 500, DROP_PAUSE_MS = 1000 };

/* -- Delayed ----------------------------------------------------------------------------------- */

static bool ripen_delayed(iswi_sqlite *store, iswi_sqlite_queue *queue)
{
    int changes;

    if (!iswi_sql_do(store, ISWI_SQL_RIPEN, "iii", queue->id, store->now_ms, (int64_t)AT_ONCE))
        return false;
    changes = sqlite3_changes(store->db);
    queue->now.counts[ISWI_MESSAGE_DELAYED] -= changes;
    queue->now.counts[ISWI_MESSAGE_READY] += changes;
    return iswi_sql_number(store, ISWI_SQL_NEXT_DUE, &queue->now.due_ms, INT64_MAX, "i",
                           queue->id);
}

/* -- Expired ----------------------------------------------------------------------------------- */

typedef struct found {
    int64_t rowid, size;
    int state;
    char *key;
} found;

/* They are read before any is changed. */
static bool read_expired(iswi_sqlite *store, const iswi_sqlite_queue *queue, found *items,
                         size_t *count)
{
    const iswi_sql which = ISWI_SQL_EXPIRED;
    int got;

    if (!iswi_sql_bind(store, which, "iii", queue->id, store->now_ms, (int64_t)AT_ONCE))
        return false;
    while ((got = iswi_sql_step(store, which)) > 0) {
        const isw_str key = iswi_sql_text(store, which, 3);
        found *item = &items[*count];

        *item = (found){ .rowid = iswi_sql_int(store, which, 0),
                         .state = (int)iswi_sql_int(store, which, 1),
                         .size = iswi_sql_int(store, which, 2) };
        item->key = iswi_strndup(key.data ? key.data : "", key.size);
        (*count)++;
        if (!item->key) {
            iswi_sql_reset(store, which);
            return iswi_sql_no_memory(store);
        }
    }
    return got == 0;
}

static bool bury_expired(iswi_sqlite *store, iswi_sqlite_queue *queue)
{
    found *items = iswi_calloc(AT_ONCE, sizeof *items);
    size_t count = 0;
    bool well = items ? read_expired(store, queue, items, &count) : iswi_sql_no_memory(store);

    for (size_t i = 0; i < count && well; i++) {
        int64_t state = items[i].state;

        /* One before it may have given its key to this one. */
        well = iswi_sql_number(store, ISWI_SQL_STATE, &state, -1, "i", items[i].rowid) &&
               iswi_sqlite_bury(store, items[i].rowid, (int)state, items[i].size,
                                isw_str_of(items[i].key), isw_str_of("expired"));
    }
    for (size_t i = 0; i < count; i++)
        iswi_free(items[i].key);
    iswi_free(items);
    return well && iswi_sql_number(store, ISWI_SQL_NEXT_EXPIRY, &queue->now.expiry_ms, INT64_MAX,
                                   "i", queue->id);
}

/* -- Dead -------------------------------------------------------------------------------------- */

static bool read_old_dead(iswi_sqlite *store, const iswi_sqlite_queue *queue, found *items,
                          size_t *count)
{
    const iswi_sql which = ISWI_SQL_OLD_DEAD;
    int got;

    if (!iswi_sql_bind(store, which, "iii", queue->id,
                       store->now_ms - queue->now.options.keep_dead_ms, (int64_t)AT_ONCE))
        return false;
    while ((got = iswi_sql_step(store, which)) > 0)
        items[(*count)++] = (found){ .rowid = iswi_sql_int(store, which, 0),
                                     .size = iswi_sql_int(store, which, 1) };
    return got == 0;
}

static bool drop_old_dead(iswi_sqlite *store, iswi_sqlite_queue *queue)
{
    found items[AT_ONCE];
    size_t count = 0;
    int64_t first_ms;

    queue->now.drop_ms = INT64_MAX;
    if (!queue->now.options.keep_dead_ms)
        return true;
    if (!read_old_dead(store, queue, items, &count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!iswi_sql_do(store, ISWI_SQL_DROP_DEAD, "i", items[i].rowid) ||
            !iswi_sqlite_drop_content(store, items[i].rowid, items[i].size))
            return false;
    queue->now.counts[ISWI_MESSAGE_DEAD] -= (int64_t)count;
    if (!iswi_sql_number(store, ISWI_SQL_FIRST_DEAD, &first_ms, INT64_MAX, "i", queue->id))
        return false;
    if (first_ms != INT64_MAX)
        queue->now.drop_ms = first_ms + queue->now.options.keep_dead_ms;
    if (queue->now.drop_ms < store->now_ms + DROP_PAUSE_MS && count < AT_ONCE)
        queue->now.drop_ms = store->now_ms + DROP_PAUSE_MS; /* several with one wake */
    return true;
}

/* -- All of them ------------------------------------------------------------------------------- */

bool iswi_sqlite_ripen(iswi_sqlite *store)
{
    for (size_t i = 0; i < store->queue_count; i++) {
        iswi_sqlite_queue *queue = store->queues[i];

        if ((queue->now.expiry_ms <= store->now_ms && !bury_expired(store, queue)) ||
            (queue->now.due_ms <= store->now_ms && !ripen_delayed(store, queue)) ||
            (queue->now.drop_ms <= store->now_ms && !drop_old_dead(store, queue)))
            return false;
    }
    return true;
}

int64_t iswi_sqlite_next_due(const iswi_sqlite *store)
{
    int64_t next_ms = INT64_MAX;

    for (size_t i = 0; i < store->queue_count; i++) {
        const iswi_sqlite_facts *now = &store->queues[i]->now;

        iswi_sqlite_sooner(&next_ms, now->due_ms);
        iswi_sqlite_sooner(&next_ms, now->expiry_ms);
        iswi_sqlite_sooner(&next_ms, now->drop_ms);
    }
    return next_ms;
}
