/* SPDX-License-Identifier: Apache-2.0 */
/* The queues of a file, and what is counted of each in memory, so that no look need count. */
#include "base/alloc.h"
#include "base/text.h"
#include "broker/sqlite/internal.h"

#include <stdlib.h>

/* Numbers that are reserved in one go, so that the file need not say each. */
enum { NUMBERS_AT_ONCE = 10000 };

/* -- The list ---------------------------------------------------------------------------------- */

static iswi_sqlite_queue *add_queue(iswi_sqlite *store, isw_str name)
{
    iswi_sqlite_queue *queue;

    if (!iswi_grow(&store->queues, &store->queue_capacity, store->queue_count,
                   sizeof(iswi_sqlite_queue *)) ||
        !(queue = iswi_calloc(1, sizeof *queue)))
        return NULL;
    queue->name = iswi_strndup(name.data, name.size);
    if (!queue->name) {
        iswi_free(queue);
        return NULL;
    }
    queue->view = isw_str_of(queue->name);
    queue->id = (int64_t)++store->queue_count;
    queue->now.next = 1;
    queue->now.due_ms = queue->now.expiry_ms = queue->now.drop_ms = INT64_MAX;
    queue->kept = queue->now;
    store->queues[queue->id - 1] = queue;
    return queue;
}

void iswi_sqlite_free_queues(iswi_sqlite *store)
{
    for (size_t i = 0; i < store->queue_count; i++) {
        iswi_free(store->queues[i]->name);
        iswi_free(store->queues[i]);
    }
    iswi_free(store->queues);
    store->queues = NULL;
    store->queue_count = store->queue_capacity = 0;
}

static iswi_sqlite_queue *any_of_name(const iswi_sqlite *store, isw_str name)
{
    for (size_t i = 0; i < store->queue_count; i++)
        if (isw_str_equal(store->queues[i]->view, name))
            return store->queues[i];
    return NULL;
}

iswi_sqlite_queue *iswi_sqlite_find(iswi_sqlite *store, isw_str name, isw_error *error)
{
    iswi_sqlite_queue *queue = any_of_name(store, name);

    if (queue && queue->now.exists)
        return queue;
    isw_error_set(error, ISW_E_NOT_FOUND, "no queue %.*s was declared", (int)name.size, name.data);
    return NULL;
}

void iswi_sqlite_keep_facts(iswi_sqlite *store, bool kept)
{
    for (size_t i = 0; i < store->queue_count; i++) {
        iswi_sqlite_queue *queue = store->queues[i];

        if (kept)
            queue->kept = queue->now;
        else
            queue->now = queue->kept;
    }
}

/* -- Counts ------------------------------------------------------------------------------------ */

static int shown(int state)
{
    return state == ISWI_SQLITE_BEHIND || state == ISWI_SQLITE_IN_LINE ? ISWI_MESSAGE_READY : state;
}

void iswi_sqlite_moved(iswi_sqlite_queue *queue, int from, int to, int64_t size)
{
    iswi_sqlite_facts *now = &queue->now;

    now->in_line += (to == ISWI_SQLITE_IN_LINE) - (from == ISWI_SQLITE_IN_LINE);
    if (from == ISWI_MESSAGE_STATES)
        now->bytes += size;
    else
        now->counts[shown(from)]--;
    if (to == ISWI_MESSAGE_STATES)
        now->bytes -= size;
    else
        now->counts[shown(to)]++;
}

/* -- What a file says of them ------------------------------------------------------------------ */

static bool load_list(iswi_sqlite *store)
{
    int got;

    if (!iswi_sql_bind(store, ISWI_SQL_QUEUES, ""))
        return false;
    while ((got = iswi_sql_step(store, ISWI_SQL_QUEUES)) > 0) {
        iswi_sqlite_queue *queue = add_queue(store, iswi_sql_text(store, ISWI_SQL_QUEUES, 1));
        iswi_sqlite_facts *now = queue ? &queue->now : NULL;

        if (!now || queue->id != iswi_sql_int(store, ISWI_SQL_QUEUES, 0)) {
            iswi_sql_reset(store, ISWI_SQL_QUEUES);
            return iswi_sql_no_memory(store);
        }
        now->exists = true;
        now->paused = iswi_sql_int(store, ISWI_SQL_QUEUES, 2) != 0;
        now->options = (iswi_queue_options){
            .max_messages = iswi_sql_int(store, ISWI_SQL_QUEUES, 3),
            .max_bytes = iswi_sql_int(store, ISWI_SQL_QUEUES, 4),
            .max_attempts = (unsigned)iswi_sql_int(store, ISWI_SQL_QUEUES, 5),
            .window_ms = iswi_sql_int(store, ISWI_SQL_QUEUES, 6),
            .keep_dead_ms = iswi_sql_int(store, ISWI_SQL_QUEUES, 7),
        };
        now->next = now->reserved = iswi_sql_int(store, ISWI_SQL_QUEUES, 8);
        now->claimed = iswi_sql_int(store, ISWI_SQL_QUEUES, 9);
        now->due_ms = now->expiry_ms = now->drop_ms = 0; /* to be looked at */
    }
    return got == 0;
}

static bool load_counts(iswi_sqlite *store)
{
    int got;

    if (!iswi_sql_bind(store, ISWI_SQL_COUNTS, ""))
        return false;
    while ((got = iswi_sql_step(store, ISWI_SQL_COUNTS)) > 0) {
        iswi_sqlite_queue *queue = store->queues[iswi_sql_int(store, ISWI_SQL_COUNTS, 0) - 1];

        const int state = (int)iswi_sql_int(store, ISWI_SQL_COUNTS, 1);
        const int64_t count = iswi_sql_int(store, ISWI_SQL_COUNTS, 2);

        queue->now.counts[shown(state)] += count;
        queue->now.in_line += state == ISWI_SQLITE_IN_LINE ? count : 0;
        queue->now.bytes += iswi_sql_int(store, ISWI_SQL_COUNTS, 3);
    }
    if (got < 0 || !iswi_sql_bind(store, ISWI_SQL_DEAD_COUNTS, ""))
        return false;
    while ((got = iswi_sql_step(store, ISWI_SQL_DEAD_COUNTS)) > 0)
        store->queues[iswi_sql_int(store, ISWI_SQL_DEAD_COUNTS, 0) - 1]
            ->now.counts[ISWI_MESSAGE_DEAD] = iswi_sql_int(store, ISWI_SQL_DEAD_COUNTS, 1);
    return got == 0;
}

bool iswi_sqlite_load_queues(iswi_sqlite *store)
{
    const bool loaded = load_list(store) && load_counts(store);

    iswi_sqlite_keep_facts(store, true);
    return loaded;
}

int64_t iswi_sqlite_number(iswi_sqlite *store, iswi_sqlite_queue *queue)
{
    iswi_sqlite_facts *now = &queue->now;

    if (now->next >= now->reserved) {
        now->reserved = now->next + NUMBERS_AT_ONCE;
        if (!iswi_sql_do(store, ISWI_SQL_QUEUE_NEXT, "ii", queue->id, now->reserved))
            return 0;
    }
    return now->next++;
}

void iswi_sqlite_make_id(const iswi_sqlite *store, const iswi_sqlite_queue *queue, int64_t number,
                         char out[ISWI_ULID_BYTES])
{
    iswi_ulid_of(store->now_ms, store->salt + (uint64_t)queue->id, (uint64_t)number, out);
}

/* -- Operations -------------------------------------------------------------------------------- */

static bool equal_options(const iswi_queue_options *a, const iswi_queue_options *b)
{
    return a->max_messages == b->max_messages && a->max_bytes == b->max_bytes &&
           a->max_attempts == b->max_attempts && a->window_ms == b->window_ms &&
           a->keep_dead_ms == b->keep_dead_ms;
}

bool iswi_sqlite_declare(iswi_sqlite *store, iswi_broker_op *op)
{
    const iswi_queue_options *options = &op->as.declare;
    iswi_sqlite_queue *queue = any_of_name(store, op->queue);
    bool is_new;

    if (!queue && !(queue = add_queue(store, op->queue)))
        return iswi_sql_no_memory(store);
    is_new = !queue->now.exists;
    if (!is_new && equal_options(&queue->now.options, options))
        return true;
    queue->now.exists = true;
    queue->now.options = *options;
    queue->now.drop_ms = 0; /* dead ones may have to go sooner */
    if (is_new)
        return iswi_sql_do(store, ISWI_SQL_QUEUE_ADD, "isiiiii", queue->id, queue->view,
                           options->max_messages, options->max_bytes,
                           (int64_t)options->max_attempts, options->window_ms,
                           options->keep_dead_ms);
    return iswi_sql_do(store, ISWI_SQL_QUEUE_SET, "iiiiii", queue->id, options->max_messages,
                       options->max_bytes, (int64_t)options->max_attempts, options->window_ms,
                       options->keep_dead_ms);
}

bool iswi_sqlite_pause(iswi_sqlite *store, iswi_broker_op *op)
{
    iswi_sqlite_queue *queue = iswi_sqlite_find(store, op->queue, &op->error);

    if (!queue || queue->now.paused == op->as.pause)
        return true;
    queue->now.paused = op->as.pause;
    return iswi_sql_do(store, ISWI_SQL_QUEUE_PAUSE, "ii", queue->id, (int64_t)op->as.pause);
}

/* The first one in line; and the first that is due of each priority: the index has them in that
 * order. */
static bool find_oldest(iswi_sqlite *store, const iswi_sqlite_queue *queue, int64_t *oldest_ms)
{
    int64_t priority = INT64_MAX;
    int got;

    *oldest_ms = 0;
    if (queue->now.in_line > 0 &&
        !iswi_sql_number(store, ISWI_SQL_FIRST_IN_LINE, oldest_ms, 0, "ii",
                         iswi_sqlite_rowid(queue, queue->now.claimed),
                         iswi_sqlite_last_rowid(queue)))
        return false;
    for (;;) {
        int64_t due_ms;

        if (!iswi_sql_bind(store, ISWI_SQL_OLDEST, "ii", queue->id, priority))
            return false;
        got = iswi_sql_step(store, ISWI_SQL_OLDEST);
        if (got <= 0)
            return got == 0;
        priority = iswi_sql_int(store, ISWI_SQL_OLDEST, 0);
        due_ms = iswi_sql_int(store, ISWI_SQL_OLDEST, 1);
        if (!*oldest_ms || due_ms < *oldest_ms)
            *oldest_ms = due_ms;
        iswi_sql_reset(store, ISWI_SQL_OLDEST);
    }
}

static bool look_at(iswi_sqlite *store, const iswi_sqlite_queue *queue, iswi_arena *arena,
                    iswi_broker_queue *out)
{
    const iswi_sqlite_facts *now = &queue->now;
    const char *name = iswi_arena_strndup(arena, queue->name, queue->view.size);

    if (!name)
        return iswi_sql_no_memory(store);
    *out = (iswi_broker_queue){
        .name = isw_str_of(name),
        .paused = now->paused,
        .bytes = now->bytes,
        .put = now->put,
        .completed = now->completed,
        .abandoned = now->abandoned,
        .died = now->died,
        .duplicates = now->duplicates,
    };
    memcpy(out->counts, now->counts, sizeof out->counts);
    return find_oldest(store, queue, &out->oldest_ms) &&
           iswi_sql_number(store, ISWI_SQL_NEXT_DUE, &out->next_due_ms, 0, "i", queue->id);
}

static int by_name(const void *a, const void *b)
{
    return iswi_text_compare(((const iswi_broker_queue *)a)->name,
                             ((const iswi_broker_queue *)b)->name);
}

bool iswi_sqlite_look(iswi_sqlite *store, iswi_broker_op *op)
{
    iswi_arena *arena = op->as.look.arena;
    const size_t most = op->queue.size ? 1 : store->queue_count;

    op->as.look.count = 0;
    if (op->queue.size && !iswi_sqlite_find(store, op->queue, &op->error))
        return true;
    op->as.look.items = iswi_arena_calloc(arena, most ? most : 1, sizeof *op->as.look.items);
    if (!op->as.look.items)
        return iswi_sql_no_memory(store);
    for (size_t i = 0; i < store->queue_count; i++) {
        const iswi_sqlite_queue *queue = store->queues[i];

        if (!queue->now.exists || (op->queue.size && !isw_str_equal(queue->view, op->queue)))
            continue;
        if (!look_at(store, queue, arena, &op->as.look.items[op->as.look.count++]))
            return false;
    }
    qsort(op->as.look.items, op->as.look.count, sizeof *op->as.look.items, by_name);
    return true;
}
