/* SPDX-License-Identifier: Apache-2.0 */
/* The queues of a file that was opened again after a fault of its disk: what this host holds, which
 * it still does, and what it has counted. */
#include "broker/sqlite/internal.h"

/* Of a queue as it was known before. */
static bool restore(iswi_sqlite *store, iswi_sqlite_queue *queue, const iswi_sqlite_facts *before)
{
    iswi_sqlite_facts *now = &queue->now;
    int64_t held;

    now->put = before->put;
    now->completed = before->completed;
    now->abandoned = before->abandoned;
    now->died = before->died;
    now->duplicates = before->duplicates;
    now->claimed = before->claimed;
    if (!iswi_sql_do(store, ISWI_SQL_QUEUE_CLAIMED, "ii", queue->id, now->claimed) ||
        !iswi_sql_number(store, ISWI_SQL_HELD_IN_LINE, &held, 0, "ii", iswi_sqlite_rowid(queue, 0),
                         iswi_sqlite_rowid(queue, now->claimed)))
        return false;
    now->in_line -= held;
    now->counts[ISWI_MESSAGE_READY] -= held;
    now->counts[ISWI_MESSAGE_CLAIMED] += held;
    return true;
}

static bool restore_all(iswi_sqlite *store, const iswi_sqlite *before)
{
    bool well = iswi_sqlite_begin(store);

    for (size_t i = 0; i < before->queue_count && well; i++) {
        const iswi_sqlite_queue *old = before->queues[i];
        isw_error none = { 0 };
        iswi_sqlite_queue *queue = iswi_sqlite_find(store, old->view, &none);

        if (queue && old->kept.exists)
            well = restore(store, queue, &old->kept);
    }
    return iswi_sqlite_end(store, well);
}

bool iswi_sqlite_reload_queues(iswi_sqlite *store)
{
    iswi_sqlite before = *store;
    bool well;

    store->queues = NULL;
    store->queue_count = store->queue_capacity = 0;
    well = iswi_sqlite_load_queues(store) && restore_all(store, &before);
    if (well) {
        iswi_sqlite_free_queues(&before);
        return true;
    }
    iswi_sqlite_free_queues(store); /* what was known is kept for the next time */
    store->queues = before.queues;
    store->queue_count = before.queue_count;
    store->queue_capacity = before.queue_capacity;
    return false;
}
