/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on entries: each is one lock of one stripe. Invariant: an entry that is over is
 * not there, whoever looks. */
#include "store/memory.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "store/hash.h"
#include "store/holder.h"
#include "store/table.h"

#include <stdatomic.h>
#include <string.h>

/* One store as this process sees it. */
typedef struct space {
    iswi_memory *memory;
    iswi_region region;
    iswi_table_shape shape;
    atomic_ullong self; /* this process as a holder */
} space;

static isw_status open_space(void *place, const char *name, const isw_store_options *options,
                             void **out, isw_error *error)
{
    space *own = iswi_calloc(1, sizeof *own);
    isw_status status =
        own ? iswi_table_shape_of(options, &own->shape, error)
            : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a store");

    if (status == ISW_OK) {
        own->memory = place;
        status = iswi_memory_open(place, name, &own->shape, &own->region, error);
    }
    if (status == ISW_OK)
        *out = own;
    else
        iswi_free(own);
    return status;
}

static void close_space(void *user)
{
    space *own = user;

    iswi_memory_close(own->memory, &own->region);
    iswi_free(own);
}

static int64_t now_us(void *user)
{
    (void)user;
    return iswi_now_ns() / 1000;
}

/* -- One entry, with its lock ------------------------------------------------------------------ */

typedef struct access {
    iswi_rows rows;
    uint64_t name[2];
    iswi_slot *slot; /* NULL: there is none */
    int64_t now_us;
} access;

static uint64_t self_of(space *own)
{
    uint64_t self = iswi_holder_self(atomic_load_explicit(&own->self, memory_order_relaxed));

    atomic_store_explicit(&own->self, self, memory_order_relaxed);
    return self;
}

static bool is_over(space *own, const iswi_slot *slot, int64_t now)
{
    return slot->until_us <= now ||
           (slot->holder && slot->holder != self_of(own) && !iswi_holder_lives(slot->holder));
}

/* Its name is known. */
static isw_status begin_named(space *own, access *out, isw_error *error)
{
    out->now_us = now_us(NULL);
    if (!iswi_table_lock(&own->shape, own->region.table, out->name, &out->rows))
        return isw_error_set(error, ISW_E_INTERNAL, "the lock of a store is lost");
    out->slot = iswi_table_find(&own->shape, &out->rows, out->name);
    if (out->slot && is_over(own, out->slot, out->now_us)) {
        iswi_table_remove(&own->shape, &out->rows, out->slot);
        out->slot = NULL;
    }
    return ISW_OK;
}

static isw_status begin(space *own, isw_store_key key, access *out, isw_error *error)
{
    iswi_store_hash(own->region.secret, key, out->name);
    return begin_named(own, out, error);
}

static int64_t until(const access *at, int64_t ttl_ms)
{
    return ttl_ms > (INT64_MAX - at->now_us) / 1000 ? INT64_MAX : at->now_us + ttl_ms * 1000;
}

/* An entry of `size` bytes instead of what there is; NULL: no room. */
static iswi_slot *make(space *own, access *at, size_t size)
{
    if (at->slot && at->slot->size == size) {
        iswi_table_touch(&at->rows, at->slot);
        return at->slot;
    }
    if (!at->slot)
        return at->slot = iswi_table_make(&own->shape, &at->rows, at->name, size, at->now_us);
    iswi_table_unsettle(&at->rows);
    iswi_table_remove(&own->shape, &at->rows, at->slot);
    at->slot = iswi_table_make(&own->shape, &at->rows, at->name, size, at->now_us);
    iswi_table_settle(&at->rows);
    return at->slot;
}

static isw_status refuse_full(isw_error *error)
{
    return isw_error_set(error, ISW_E_BUSY, "a store is full of what runs just now");
}

/* -- The driver -------------------------------------------------------------------------------- */

static isw_status get(void *user, isw_store_key key, void *value, size_t room, size_t *size,
                      isw_error *error)
{
    space *own = user;
    isw_status status;
    access at;

    iswi_store_hash(own->region.secret, key, at.name);
    if (iswi_table_lacks(&own->shape, own->region.table, at.name))
        return ISW_E_NOT_FOUND;
    status = begin_named(own, &at, error);
    if (status != ISW_OK)
        return status;
    if (at.slot) {
        *size = at.slot->size;
        if (*size <= room)
            iswi_table_read(&at.rows, at.slot, value);
    }
    iswi_table_unlock(&at.rows);
    return at.slot ? ISW_OK : ISW_E_NOT_FOUND;
}

static bool is_as_told(const access *at, const isw_bytes *was)
{
    return was ? at->slot && iswi_table_says(&at->rows, at->slot, *was) : !at->slot;
}

static isw_status put(space *own, access *at, const isw_store_change *change, uint64_t holder,
                      isw_error *error)
{
    if (!change->value) {
        if (at->slot)
            iswi_table_remove(&own->shape, &at->rows, at->slot);
        return ISW_OK;
    }
    if (!make(own, at, change->value->size))
        return refuse_full(error);
    iswi_table_write(&at->rows, at->slot, *change->value);
    at->slot->until_us = until(at, change->ttl_ms);
    at->slot->holder = holder;
    return ISW_OK;
}

static isw_status replace(void *user, isw_store_key key, const isw_store_change *change,
                          bool always, isw_error *error)
{
    space *own = user;
    size_t most = (size_t)own->shape.blocks * ISWI_BLOCK_BYTES;
    uint64_t holder = change->held ? self_of(own) : 0;
    isw_status status;
    access at;

    if (change->value && change->value->size > (most > ISW_STORE_SMALL ? most : ISW_STORE_SMALL))
        return isw_error_set(error, ISW_E_TOO_LARGE, "a store takes no value of %zu bytes",
                             change->value->size);
    status = begin(own, key, &at, error);
    if (status != ISW_OK)
        return status;
    if (always || is_as_told(&at, change->was))
        status = put(own, &at, change, holder, error);
    else
        status = isw_error_set(error, ISW_E_CONFLICT, "the entry says something else");
    iswi_table_unlock(&at.rows);
    return status;
}

/* What the counter says, raised to the floor. False: it is none. */
static bool read_counter(const access *at, const isw_store_step *step, int64_t *value)
{
    int64_t now = 0;

    if (at->slot && at->slot->size != sizeof now)
        return false;
    if (at->slot)
        memcpy(&now, at->slot->small, sizeof now);
    *value = now < step->floor ? step->floor : now;
    return true;
}

static isw_status move_counter(space *own, access *at, const isw_store_step *step, int64_t *value,
                               isw_error *error)
{
    bool made = !at->slot;
    int64_t sum;

    if (!read_counter(at, step, value))
        return isw_error_set(error, ISW_E_INVALID, "the entry is no counter");
    if (__builtin_add_overflow(*value, step->by, &sum) || sum > step->ceiling) {
        if (at->slot) /* whoever asks in vain is not quiet */
            iswi_table_touch(&at->rows, at->slot);
        return ISW_E_BUSY;
    }
    if (!make(own, at, sizeof sum))
        return refuse_full(error);
    memcpy(at->slot->small, &sum, sizeof sum); /* a word, which is whole at any time */
    if (made || step->renews)
        at->slot->until_us = until(at, step->ttl_ms);
    *value = sum;
    return ISW_OK;
}

static isw_status add(void *user, isw_store_key key, const isw_store_step *step, int64_t *value,
                      isw_error *error)
{
    space *own = user;
    access at;
    isw_status status = begin(own, key, &at, error);

    if (status != ISW_OK)
        return status;
    status = move_counter(own, &at, step, value, error);
    iswi_table_unlock(&at.rows);
    return status;
}

const iswi_store_driver iswi_store_memory = {
    .open = open_space,
    .close = close_space,
    .now_us = now_us,
    .get = get,
    .replace = replace,
    .add = add,
};
