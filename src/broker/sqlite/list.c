/* SPDX-License-Identifier: Apache-2.0 */
/* Messages by what they are: to show them, to take them out, and to bring dead ones back. */
#include "base/alloc.h"
#include "broker/sqlite/internal.h"

enum { LIVING = 1 << ISWI_MESSAGE_READY | 1 << ISWI_MESSAGE_DELAYED | 1 << ISWI_MESSAGE_CLAIMED };

/* Those states as bits; of none all. */
static unsigned states_of(const iswi_message_filter *filter)
{
    unsigned states = 0;

    for (int i = 0; i < ISWI_MESSAGE_STATES; i++)
        states |= filter->states[i] ? 1U << i : 0;
    return states ? states : LIVING | 1U << ISWI_MESSAGE_DEAD;
}

/* As they are in the file: those behind others are ready, for who looks from outside. */
static int64_t living(unsigned states)
{
    const unsigned behind = states & 1U << ISWI_MESSAGE_READY ? 1U << ISWI_SQLITE_BEHIND : 0;

    return (states & LIVING) | behind;
}

static bool ask(iswi_sqlite *store, iswi_sql which, const iswi_sqlite_queue *queue,
                const iswi_message_filter *filter, int64_t states, size_t max)
{
    const int64_t last = iswi_sqlite_last_rowid(queue);
    const bool lives = which == ISWI_SQL_LIST;

    return iswi_sql_bind(store, which, lives ? "iiissiii" : "iiissii",
                         filter->after >= UINT64_C(1) << 40
                             ? last
                             : iswi_sqlite_rowid(queue, (int64_t)filter->after),
                         last, states, filter->id, filter->key, filter->before_ms, (int64_t)max,
                         iswi_sqlite_rowid(queue, queue->now.claimed));
}

/* -- List -------------------------------------------------------------------------------------- */

static void free_all(iswi_broker_op *op)
{
    for (size_t i = 0; i < op->as.list.count; i++)
        iswi_delivery_free(op->as.list.items[i]);
    op->as.list.count = 0;
}

/* By number, from two tables at once. */
static bool merge(iswi_sqlite *store, iswi_sqlite_queue *queue, iswi_broker_op *op)
{
    int alive = iswi_sql_step(store, ISWI_SQL_LIST);
    int dead = iswi_sql_step(store, ISWI_SQL_LIST_DEAD);

    while (alive >= 0 && dead >= 0 && (alive || dead) && op->as.list.count < op->as.list.max) {
        const bool lives = !dead || (alive && iswi_sql_int(store, ISWI_SQL_LIST, 0) <
                                                  iswi_sql_int(store, ISWI_SQL_LIST_DEAD, 0));
        iswi_delivery *item = lives
                                  ? iswi_sqlite_read_message(store, ISWI_SQL_LIST, queue)
                                  : iswi_sqlite_read_dead(store, ISWI_SQL_LIST_DEAD, queue);

        if (!item)
            return false;
        op->as.list.items[op->as.list.count++] = item;
        if (lives)
            alive = iswi_sql_step(store, ISWI_SQL_LIST);
        else
            dead = iswi_sql_step(store, ISWI_SQL_LIST_DEAD);
    }
    return alive >= 0 && dead >= 0;
}

bool iswi_sqlite_list(iswi_sqlite *store, iswi_broker_op *op)
{
    iswi_sqlite_queue *queue = iswi_sqlite_find(store, op->queue, &op->error);
    const iswi_message_filter *filter = &op->as.list.filter;
    const unsigned states = states_of(filter);
    bool well;

    op->as.list.count = 0;
    if (!queue)
        return true;
    if (!ask(store, ISWI_SQL_LIST, queue, filter, living(states), op->as.list.max) ||
        !ask(store, ISWI_SQL_LIST_DEAD, queue, filter, states >> ISWI_MESSAGE_DEAD & 1,
             op->as.list.max))
        return false;
    well = merge(store, queue, op);
    iswi_sql_reset(store, ISWI_SQL_LIST);
    iswi_sql_reset(store, ISWI_SQL_LIST_DEAD);
    if (!well)
        free_all(op);
    return well;
}

/* -- Purge and replay -------------------------------------------------------------------------- */

typedef struct found {
    int64_t rowid, size;
    int state;
    char *key;
} found;

/* The columns of each: schema.c. */
static found found_in(iswi_sqlite *store, iswi_sql which)
{
    const bool lives = which == ISWI_SQL_LIST;
    const isw_str key = iswi_sql_text(store, which, lives ? 11 : 9);

    return (found){
        .rowid = iswi_sql_int(store, which, 0),
        .state = lives ? (int)iswi_sql_int(store, which, 2) : ISWI_MESSAGE_STATES,
        .size = iswi_sql_int(store, which, lives ? 9 : 7),
        .key = iswi_strndup(key.data ? key.data : "", key.size),
    };
}

static bool gather(iswi_sqlite *store, iswi_sql which, const iswi_sqlite_queue *queue,
                   const iswi_broker_op *op, int64_t states, found *items, size_t *count)
{
    int got;

    if (!ask(store, which, queue, &op->as.sweep.filter, states, op->as.sweep.max - *count))
        return false;
    while ((got = iswi_sql_step(store, which)) > 0) {
        items[*count] = found_in(store, which);
        if (!items[(*count)++].key) {
            iswi_sql_reset(store, which);
            return iswi_sql_no_memory(store);
        }
    }
    return got == 0;
}

static void free_found(found *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        iswi_free(items[i].key);
    iswi_free(items);
}

static bool drop_dead(iswi_sqlite *store, iswi_sqlite_queue *queue, const found *item)
{
    queue->now.counts[ISWI_MESSAGE_DEAD]--;
    return iswi_sql_do(store, ISWI_SQL_DROP_DEAD, "i", item->rowid) &&
           iswi_sqlite_drop_content(store, item->rowid, item->size);
}

/* Its state may be another one since it was found: one before it gave it its key. */
static bool drop_living(iswi_sqlite *store, const found *item)
{
    int64_t state;

    return iswi_sql_number(store, ISWI_SQL_STATE, &state, item->state, "i", item->rowid) &&
           iswi_sqlite_remove(store, item->rowid, (int)state, item->size, isw_str_of(item->key));
}

bool iswi_sqlite_purge(iswi_sqlite *store, iswi_broker_op *op)
{
    iswi_sqlite_queue *queue = iswi_sqlite_find(store, op->queue, &op->error);
    const unsigned states = states_of(&op->as.sweep.filter);
    const int64_t alive = living(states & ~(1U << ISWI_MESSAGE_CLAIMED));
    found *items;
    bool well;

    op->as.sweep.count = 0;
    if (!queue)
        return true;
    if (!(items = iswi_calloc(op->as.sweep.max, sizeof *items)))
        return iswi_sql_no_memory(store);
    well = gather(store, ISWI_SQL_LIST, queue, op, alive, items, &op->as.sweep.count) &&
           gather(store, ISWI_SQL_LIST_DEAD, queue, op, states >> ISWI_MESSAGE_DEAD & 1, items,
                  &op->as.sweep.count);
    for (size_t i = 0; i < op->as.sweep.count && well; i++)
        well = items[i].state == ISWI_MESSAGE_STATES ? drop_dead(store, queue, &items[i])
                                                     : drop_living(store, &items[i]);
    free_found(items, op->as.sweep.count);
    return well;
}

/* It does not expire any more: somebody wants it done. */
static bool replay_one(iswi_sqlite *store, iswi_sqlite_queue *queue, const found *item)
{
    const isw_str key = isw_str_of(item->key);
    int64_t busy = 0;

    if (key.size && !iswi_sql_number(store, ISWI_SQL_KEY_IS_BUSY, &busy, 0, "is", queue->id, key))
        return false;
    queue->now.counts[ISWI_MESSAGE_DEAD]--;
    queue->now.counts[ISWI_MESSAGE_READY]++;
    queue->now.bytes += item->size;
    return iswi_sql_do(store, ISWI_SQL_REPLAY, "iii", item->rowid,
                       (int64_t)(busy ? ISWI_SQLITE_BEHIND : ISWI_MESSAGE_READY), store->now_ms) &&
           iswi_sql_do(store, ISWI_SQL_DROP_DEAD, "i", item->rowid);
}

bool iswi_sqlite_replay(iswi_sqlite *store, iswi_broker_op *op)
{
    iswi_sqlite_queue *queue = iswi_sqlite_find(store, op->queue, &op->error);
    const unsigned states = states_of(&op->as.sweep.filter);
    found *items;
    bool well;

    op->as.sweep.count = 0;
    if (!queue)
        return true;
    if (!(items = iswi_calloc(op->as.sweep.max, sizeof *items)))
        return iswi_sql_no_memory(store);
    well = gather(store, ISWI_SQL_LIST_DEAD, queue, op, states >> ISWI_MESSAGE_DEAD & 1, items,
                  &op->as.sweep.count);
    for (size_t i = 0; i < op->as.sweep.count && well; i++)
        well = replay_one(store, queue, &items[i]);
    free_found(items, op->as.sweep.count);
    return well;
}
