/* SPDX-License-Identifier: Apache-2.0 */
/* What a host had claimed that has ended: ready again, or dead if that was its last attempt. */
#include "base/alloc.h"
#include "broker/sqlite/internal.h"

#include <stdio.h>

enum { AT_ONCE = 500 };

typedef struct held {
    int64_t rowid, attempt, size;
    int state;
    char *key;
} held;

static bool read_some(iswi_sqlite *store, int64_t after, held *items, size_t *count)
{
    const iswi_sql which = ISWI_SQL_CLAIMED;
    int got;

    *count = 0;
    if (!iswi_sql_bind(store, which, "ii", after, (int64_t)AT_ONCE))
        return false;
    while ((got = iswi_sql_step(store, which)) > 0) {
        const isw_str key = iswi_sql_text(store, which, 3);
        held *item = &items[(*count)++];

        *item = (held){ .rowid = iswi_sql_int(store, which, 0),
                        .attempt = iswi_sql_int(store, which, 1),
                        .size = iswi_sql_int(store, which, 2),
                        .state = (int)iswi_sql_int(store, which, 4),
                        .key = iswi_strndup(key.data ? key.data : "", key.size) };
        if (!item->key) {
            iswi_sql_reset(store, which);
            return iswi_sql_no_memory(store);
        }
    }
    return got == 0;
}

static bool free_one(iswi_sqlite *store, const held *item)
{
    iswi_sqlite_queue *queue = iswi_sqlite_queue_of(store, item->rowid);
    const unsigned most = queue->now.options.max_attempts;
    char cause[64];

    snprintf(cause, sizeof cause, "its host ended during attempt %lld", (long long)item->attempt);
    if (most && item->attempt >= most)
        return iswi_sqlite_bury(store, item->rowid, item->state, item->size,
                                isw_str_of(item->key), isw_str_of(cause));
    iswi_sqlite_moved(queue, item->state, ISWI_MESSAGE_READY, 0);
    queue->now.expiry_ms = 0; /* it may be one that expires */
    return iswi_sql_do(store, ISWI_SQL_GIVE_BACK, "iiiis", item->rowid,
                       (int64_t)ISWI_MESSAGE_READY, store->now_ms, item->attempt,
                       isw_str_of(cause));
}

static bool free_all(iswi_sqlite *store, held *items)
{
    int64_t after = 0;
    size_t count;
    bool well;

    do {
        well = read_some(store, after, items, &count);
        for (size_t i = 0; i < count; i++) {
            well = well && free_one(store, &items[i]);
            after = items[i].rowid;
            iswi_free(items[i].key);
        }
    } while (well && count == AT_ONCE);
    return well;
}

bool iswi_sqlite_free_claims(iswi_sqlite *store)
{
    held *items = iswi_calloc(AT_ONCE, sizeof *items);
    const bool well = items ? iswi_sqlite_begin(store) &&
                                  iswi_sql_number(store, ISWI_SQL_EPOCH, &store->epoch, 0, "") &&
                                  free_all(store, items)
                            : iswi_sql_no_memory(store);

    iswi_free(items);
    return iswi_sqlite_end(store, well);
}

bool iswi_sqlite_undo_claims(iswi_sqlite *store)
{
    return iswi_sqlite_end(store, iswi_sqlite_begin(store) &&
                                      iswi_sql_do(store, ISWI_SQL_UNCLAIM, "i",
                                                  iswi_sqlite_token(store, store->sure_claims)));
}
