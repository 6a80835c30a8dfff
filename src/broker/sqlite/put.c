/* SPDX-License-Identifier: Apache-2.0 */
/* Putting: all of them, but those that are known, or none. */
#include "broker/sqlite/internal.h"

/* -- Whether there is room --------------------------------------------------------------------- */

static isw_status full(const iswi_sqlite_queue *queue, bool of_bytes, isw_error *error)
{
    const iswi_sqlite_facts *now = &queue->now;

    if (of_bytes)
        return isw_error_set(error, ISW_E_BUSY,
                             "queue %s is full: it has %lld bytes of %lld (max_bytes)",
                             queue->name, (long long)now->bytes, (long long)now->options.max_bytes);
    return isw_error_set(error, ISW_E_BUSY,
                         "queue %s is full: it has %lld messages of %lld (max_messages)",
                         queue->name,
                         (long long)(now->counts[ISWI_MESSAGE_READY] +
                                     now->counts[ISWI_MESSAGE_DELAYED] +
                                     now->counts[ISWI_MESSAGE_CLAIMED]),
                         (long long)now->options.max_messages);
}

static bool is_known(iswi_sqlite *store, const iswi_sqlite_queue *queue, isw_str id, bool *known)
{
    int64_t since_ms;

    *known = false;
    if (id.size == 0 || queue->now.options.window_ms == 0)
        return true;
    if (!iswi_sql_number(store, ISWI_SQL_KNOWN_SINCE, &since_ms, INT64_MIN, "is", queue->id, id))
        return false;
    *known = since_ms != INT64_MIN && store->now_ms < since_ms + queue->now.options.window_ms;
    return true;
}

/* What of `items` is for `queue` fits in. */
static bool fits(iswi_sqlite *store, const iswi_sqlite_queue *queue, const iswi_queue_put *items,
                 size_t count, isw_error *error)
{
    const iswi_sqlite_facts *now = &queue->now;
    const iswi_queue_options *options = &now->options;
    int64_t messages = now->counts[ISWI_MESSAGE_READY] + now->counts[ISWI_MESSAGE_DELAYED] +
                       now->counts[ISWI_MESSAGE_CLAIMED];
    int64_t bytes = now->bytes;
    bool adds = false; /* what is known asks for no room */
    bool known;

    for (size_t i = 0; i < count; i++) {
        if (!isw_str_equal(items[i].queue, queue->view))
            continue;
        if (!is_known(store, queue, items[i].id, &known))
            return false;
        adds = adds || !known;
        messages += !known;
        bytes += known ? 0 : (int64_t)items[i].body.size;
    }
    if (adds && options->max_messages && messages > options->max_messages)
        full(queue, false, error);
    else if (adds && options->max_bytes && bytes > options->max_bytes)
        full(queue, true, error);
    return true;
}

static bool is_first_of_its_queue(const iswi_queue_put *items, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (isw_str_equal(items[i].queue, items[at].queue))
            return false;
    return true;
}

bool iswi_sqlite_can_put(iswi_sqlite *store, const iswi_queue_put *items, size_t count,
                         isw_error *error)
{
    for (size_t i = 0; i < count && error->status == ISW_OK; i++) {
        const iswi_sqlite_queue *queue;

        if (i > 0 && (isw_str_equal(items[i].queue, items[i - 1].queue) ||
                      !is_first_of_its_queue(items, i)))
            continue;
        queue = iswi_sqlite_find(store, items[i].queue, error);
        if (queue && (queue->now.options.max_messages || queue->now.options.max_bytes) &&
            !fits(store, queue, items, count, error))
            return false;
    }
    return true;
}

/* -- Putting ----------------------------------------------------------------------------------- */

/* From now on it is; and of those that are no longer a few are forgotten, so that nothing else need
 * ever do that. */
static bool know(iswi_sqlite *store, const iswi_sqlite_queue *queue, isw_str id, bool *known)
{
    if (!is_known(store, queue, id, known))
        return false;
    if (*known || id.size == 0 || queue->now.options.window_ms == 0)
        return true;
    return iswi_sql_do(store, ISWI_SQL_KNOWN_FORGET, "iii", queue->id,
                       store->now_ms - queue->now.options.window_ms, INT64_C(2)) &&
           iswi_sql_do(store, ISWI_SQL_KNOWN_ADD, "isi", queue->id, id, store->now_ms);
}

static bool state_of(iswi_sqlite *store, const iswi_sqlite_queue *queue, const iswi_queue_put *put,
                     int64_t *state)
{
    int64_t busy = 0;

    if (put->key.size &&
        !iswi_sql_number(store, ISWI_SQL_KEY_IS_BUSY, &busy, 0, "is", queue->id, put->key))
        return false;
    *state = busy            ? ISWI_SQLITE_BEHIND
             : put->delay_ms ? ISWI_MESSAGE_DELAYED
             : put->key.size || put->priority || put->expires_ms ? ISWI_MESSAGE_READY
                                                                 : ISWI_SQLITE_IN_LINE;
    return true;
}

static bool write_one(iswi_sqlite *store, iswi_sqlite_queue *queue, const iswi_queue_put *put,
                      int64_t state)
{
    const int64_t number = iswi_sqlite_number(store, queue);
    const int64_t rowid = iswi_sqlite_rowid(queue, number);
    const int64_t size = (int64_t)put->body.size;
    const bool apart = size > ISWI_SQLITE_INLINE_BYTES;
    char made[ISWI_ULID_BYTES];
    isw_str id = put->id;

    if (number == 0 ||
        (apart && !iswi_sql_do(store, ISWI_SQL_PUT_CONTENT, "ib", rowid, put->body)))
        return false;
    if (state == ISWI_SQLITE_IN_LINE)
        return iswi_sqlite_gather_put(store, queue, number, put);
    if (id.size == 0) {
        iswi_sqlite_make_id(store, queue, number, made);
        id = (isw_str){ made, sizeof made - 1 };
    }
    return iswi_sql_do(store, ISWI_SQL_PUT, "iiiiiiiissssb", rowid, queue->id, state,
                       (int64_t)put->priority, store->now_ms + put->delay_ms, store->now_ms,
                       put->expires_ms ? store->now_ms + put->expires_ms : INT64_C(0), size, id,
                       put->key, put->content_type, put->trace,
                       apart ? (isw_bytes){ NULL, 0 } : put->body);
}

static bool put_one(iswi_sqlite *store, const iswi_queue_put *put, size_t *duplicates)
{
    isw_error none = { 0 };
    iswi_sqlite_queue *queue = iswi_sqlite_find(store, put->queue, &none);
    int64_t state;
    bool known;

    if (!know(store, queue, put->id, &known))
        return false;
    if (known) {
        queue->now.duplicates++;
        (*duplicates)++;
        return true;
    }
    if (!state_of(store, queue, put, &state) || !write_one(store, queue, put, state))
        return false;
    queue->now.put++;
    iswi_sqlite_moved(queue, ISWI_MESSAGE_STATES, (int)state, (int64_t)put->body.size);
    if (state == ISWI_MESSAGE_DELAYED)
        iswi_sqlite_sooner(&queue->now.due_ms, store->now_ms + put->delay_ms);
    if (put->expires_ms)
        iswi_sqlite_sooner(&queue->now.expiry_ms, store->now_ms + put->expires_ms);
    return true;
}

bool iswi_sqlite_put_all(iswi_sqlite *store, const iswi_queue_put *items, size_t count,
                         size_t *duplicates)
{
    for (size_t i = 0; i < count; i++)
        if (!put_one(store, &items[i], duplicates))
            return false;
    return true;
}

bool iswi_sqlite_put(iswi_sqlite *store, iswi_broker_op *op)
{
    const iswi_queue_put *items = op->as.put.items;

    op->as.put.duplicates = 0;
    if (!iswi_sqlite_can_put(store, items, op->as.put.count, &op->error))
        return false;
    return op->error.status != ISW_OK ||
           iswi_sqlite_put_all(store, items, op->as.put.count, &op->as.put.duplicates);
}
