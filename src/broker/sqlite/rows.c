/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as rows: how one is read, and how it leaves the table of those that live. */
#include "broker/sqlite/internal.h"

/* The columns of `message` and of `dead`, which begin and end alike (schema.c). */
enum { NUMBER, QUEUE, STATE };
enum { M_PRIORITY = 3, M_DUE, M_PUT, M_EXPIRES, M_ATTEMPT, M_CLAIM, M_SIZE, M_ID };
enum { D_PRIORITY = 2, D_DUE, D_PUT, D_DIED, D_ATTEMPT, D_SIZE, D_ID };
enum { KEY = 1, TYPE, TRACE, ERROR, BODY }; /* behind the id */

static bool copy_text(iswi_sqlite *store, iswi_sql which, int column, iswi_arena *arena,
                      isw_str *out)
{
    const isw_str text = iswi_sql_text(store, which, column);
    const char *copy;

    if (text.size == 0)
        return true;
    copy = iswi_arena_strndup(arena, text.data, text.size);
    *out = (isw_str){ copy, text.size };
    return copy != NULL;
}

static bool copy_bytes(isw_bytes bytes, iswi_arena *arena, isw_bytes *out)
{
    void *copy = iswi_arena_alloc(arena, bytes.size ? bytes.size : 1);

    if (copy && bytes.size)
        memcpy(copy, bytes.data, bytes.size);
    *out = (isw_bytes){ copy, bytes.size };
    return copy != NULL;
}

static bool copy_content(iswi_sqlite *store, int64_t rowid, iswi_arena *arena, isw_bytes *out)
{
    bool copied = false;

    if (iswi_sql_bind(store, ISWI_SQL_CONTENT, "i", rowid) &&
        iswi_sql_step(store, ISWI_SQL_CONTENT) > 0)
        copied = copy_bytes(iswi_sql_bytes(store, ISWI_SQL_CONTENT, 0), arena, out);
    if (store->statements[ISWI_SQL_CONTENT])
        iswi_sql_reset(store, ISWI_SQL_CONTENT);
    return copied;
}

static bool copy_all(iswi_sqlite *store, iswi_sql which, int id, int64_t size,
                     iswi_delivery *delivery)
{
    iswi_arena *arena = &delivery->arena;
    const int64_t rowid = iswi_sql_int(store, which, NUMBER);

    return copy_text(store, which, id, arena, &delivery->id) &&
           copy_text(store, which, id + KEY, arena, &delivery->key) &&
           copy_text(store, which, id + TYPE, arena, &delivery->content_type) &&
           copy_text(store, which, id + TRACE, arena, &delivery->trace) &&
           copy_text(store, which, id + ERROR, arena, &delivery->last_error) &&
           (size > ISWI_SQLITE_INLINE_BYTES
                ? copy_content(store, rowid, arena, &delivery->body)
                : copy_bytes(iswi_sql_bytes(store, which, id + BODY), arena, &delivery->body));
}

static iswi_delivery *read_row(iswi_sqlite *store, iswi_sql which, iswi_sqlite_queue *queue,
                               int id, int64_t size)
{
    iswi_delivery *delivery = iswi_delivery_create();
    const char *name;

    if (delivery && copy_all(store, which, id, size, delivery) &&
        (name = iswi_arena_strndup(&delivery->arena, queue->name, queue->view.size)) != NULL) {
        delivery->queue = isw_str_of(name);
        delivery->number = (uint64_t)(iswi_sql_int(store, which, NUMBER) - (queue->id << 40));
        return delivery;
    }
    iswi_delivery_free(delivery);
    iswi_sql_no_memory(store);
    return NULL;
}

iswi_delivery *iswi_sqlite_read_message(iswi_sqlite *store, iswi_sql which,
                                        iswi_sqlite_queue *queue)
{
    const int state = (int)iswi_sql_int(store, which, STATE);
    const bool is_in_line = state == ISWI_SQLITE_IN_LINE;
    iswi_delivery *delivery =
        read_row(store, which, queue, M_ID, iswi_sql_int(store, which, M_SIZE));

    if (!delivery)
        return NULL;
    delivery->state = state == ISWI_SQLITE_BEHIND || is_in_line ? ISWI_MESSAGE_READY
                                                                : (iswi_message_state)state;
    delivery->priority = (int)iswi_sql_int(store, which, M_PRIORITY);
    delivery->attempt = (unsigned)iswi_sql_int(store, which, M_ATTEMPT);
    delivery->put_ms = iswi_sql_int(store, which, M_PUT);
    delivery->due_ms = iswi_sql_int(store, which, M_DUE);
    delivery->expires_ms = iswi_sql_int(store, which, M_EXPIRES);
    if (is_in_line && delivery->number < (uint64_t)queue->now.claimed) {
        delivery->state = ISWI_MESSAGE_CLAIMED;
        delivery->attempt++;
    }
    return delivery;
}

iswi_delivery *iswi_sqlite_read_dead(iswi_sqlite *store, iswi_sql which, iswi_sqlite_queue *queue)
{
    iswi_delivery *delivery =
        read_row(store, which, queue, D_ID, iswi_sql_int(store, which, D_SIZE));

    if (!delivery)
        return NULL;
    delivery->state = ISWI_MESSAGE_DEAD;
    delivery->priority = (int)iswi_sql_int(store, which, D_PRIORITY);
    delivery->attempt = (unsigned)iswi_sql_int(store, which, D_ATTEMPT);
    delivery->put_ms = iswi_sql_int(store, which, D_PUT);
    delivery->due_ms = iswi_sql_int(store, which, D_DUE);
    delivery->died_ms = iswi_sql_int(store, which, D_DIED);
    return delivery;
}

/* -- How it leaves ----------------------------------------------------------------------------- */

bool iswi_sqlite_drop_content(iswi_sqlite *store, int64_t rowid, int64_t size)
{
    return size <= ISWI_SQLITE_INLINE_BYTES ||
           iswi_sql_do(store, ISWI_SQL_DROP_CONTENT, "i", rowid);
}

bool iswi_sqlite_next_of_key(iswi_sqlite *store, iswi_sqlite_queue *queue, isw_str key)
{
    int64_t rowid;
    int64_t due_ms;
    int got;

    if (key.size == 0)
        return true;
    if (!iswi_sql_bind(store, ISWI_SQL_NEXT_OF_KEY, "is", queue->id, key))
        return false;
    got = iswi_sql_step(store, ISWI_SQL_NEXT_OF_KEY);
    if (got <= 0)
        return got == 0;
    rowid = iswi_sql_int(store, ISWI_SQL_NEXT_OF_KEY, 0);
    due_ms = iswi_sql_int(store, ISWI_SQL_NEXT_OF_KEY, 1);
    iswi_sql_reset(store, ISWI_SQL_NEXT_OF_KEY);
    if (due_ms > store->now_ms) {
        iswi_sqlite_moved(queue, ISWI_SQLITE_BEHIND, ISWI_MESSAGE_DELAYED, 0);
        iswi_sqlite_sooner(&queue->now.due_ms, due_ms);
    }
    return iswi_sql_do(store, ISWI_SQL_SET_STATE, "ii", rowid, (int64_t)(due_ms > store->now_ms));
}

/* Its key is free, unless it waited itself. */
static bool let_go(iswi_sqlite *store, iswi_sqlite_queue *queue, int state, isw_str key)
{
    return state == ISWI_SQLITE_BEHIND || iswi_sqlite_next_of_key(store, queue, key);
}

bool iswi_sqlite_remove(iswi_sqlite *store, int64_t rowid, int state, int64_t size, isw_str key)
{
    iswi_sqlite_queue *queue = iswi_sqlite_queue_of(store, rowid);

    iswi_sqlite_moved(queue, state, ISWI_MESSAGE_STATES, size);
    return iswi_sql_do(store, ISWI_SQL_DROP, "i", rowid) &&
           iswi_sqlite_drop_content(store, rowid, size) && let_go(store, queue, state, key);
}

bool iswi_sqlite_bury(iswi_sqlite *store, int64_t rowid, int state, int64_t size, isw_str key,
                      isw_str cause)
{
    iswi_sqlite_queue *queue = iswi_sqlite_queue_of(store, rowid);

    iswi_sqlite_moved(queue, state, ISWI_MESSAGE_DEAD, 0);
    queue->now.bytes -= size;
    queue->now.died++;
    if (queue->now.options.keep_dead_ms)
        iswi_sqlite_sooner(&queue->now.drop_ms, store->now_ms + queue->now.options.keep_dead_ms);
    return iswi_sql_do(store, ISWI_SQL_BURY, "iis", rowid, store->now_ms, cause) &&
           iswi_sql_do(store, ISWI_SQL_DROP, "i", rowid) && let_go(store, queue, state, key);
}
