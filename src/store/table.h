/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_STORE_TABLE_H
#define ISWI_STORE_TABLE_H

/*
 * A bounded table of entries in memory that processes share. It is made of stripes, each with a
 * lock, slots for entries, and blocks for what of their values is large. A lock whose owner died is
 * taken over, and its stripe put together again from the slots that are whole. The processes trust
 * each other otherwise: they run the same program as the same user.
 */
#include <isoworker/sys/store.h>
#include <pthread.h>
#include <stdatomic.h>

enum { ISWI_BLOCK_BYTES = 256 };

typedef struct iswi_table_shape {
    uint32_t stripes, entries, buckets, blocks; /* the last three of each stripe */
    size_t stripe_bytes, bytes;
} iswi_table_shape;

/* One entry. Those in use are in a bucket's row, and in the row of all, the one that was written
 * longest ago first. Numbers of slots and blocks count from 1; 0: none. */
typedef struct iswi_slot {
    uint64_t name[2]; /* the key's hash; both 0: not in use */
    int64_t until_us;
    uint64_t holder; /* 0: it is not held */
    uint32_t next;   /* in its bucket, or of those that are free */
    uint32_t older, younger;
    uint32_t block; /* the first, if `size` is more than ISW_STORE_SMALL */
    uint32_t size, unused;
    unsigned char small[ISW_STORE_SMALL];
} iswi_slot;

typedef struct iswi_block {
    uint32_t next, slot;
    unsigned char data[ISWI_BLOCK_BYTES];
} iswi_block;

typedef struct iswi_stripe {
    pthread_mutex_t lock;
    uint32_t changing;            /* this slot is not whole */
    uint32_t slots, free_slots;   /* that were ever used; the first of those that are free again */
    uint32_t blocks, free_blocks; /* likewise */
    uint32_t blocks_left;
    uint32_t oldest, youngest;
    uint32_t unsettled; /* odd: an entry that is there may be in no row just now */
} iswi_stripe;

/* Where a stripe lies for this process. */
typedef struct iswi_rows {
    iswi_stripe *stripe;
    uint32_t *buckets;
    iswi_slot *slots;   /* [number] */
    iswi_block *blocks; /* likewise */
} iswi_rows;

/* Errors: ISW_E_INVALID for options that make no sense. */
isw_status iswi_table_shape_of(const isw_store_options *options, iswi_table_shape *out,
                               isw_error *error);

/* Begin a table in `memory`, which is zero, of shape->bytes. */
void iswi_table_init(const iswi_table_shape *shape, void *memory);

/* table.c: where stripe `number` lies, from 0. */
iswi_rows iswi_table_rows(const iswi_table_shape *shape, void *memory, uint32_t number);

/* Which one an entry is in. */
static inline uint32_t iswi_table_stripe(const iswi_table_shape *shape, const uint64_t name[2])
{
    return (uint32_t)(name[0] >> 32) % shape->stripes;
}

/* lock.c: the stripe of an entry, locked and whole. False: it cannot be had. */
bool iswi_table_lock(const iswi_table_shape *shape, void *memory, const uint64_t name[2],
                     iswi_rows *out);
void iswi_table_unlock(iswi_rows *rows);

/* Before the slot is not whole, and (0) after it is again. Whoever dies stops at any instruction. */
static inline void iswi_table_change(iswi_rows *rows, uint32_t number)
{
    atomic_signal_fence(memory_order_seq_cst);
    rows->stripe->changing = number;
    atomic_signal_fence(memory_order_seq_cst);
}

/* Around what takes an entry out of its row that is still there. With the lock; one that dies
 * between leaves it to the repair, which settles all. */
void iswi_table_unsettle(iswi_rows *rows);
void iswi_table_settle(iswi_rows *rows);

/* Whether there is certainly no such entry, without the lock: most who look find none. */
bool iswi_table_lacks(const iswi_table_shape *shape, void *memory, const uint64_t name[2]);

/* -- With the lock ----------------------------------------------------------------------------- */

iswi_slot *iswi_table_find(const iswi_table_shape *shape, iswi_rows *rows, const uint64_t name[2]);

/* Make an entry of `size` bytes, not to be there yet; what is in it is the caller's to say before
 * it unlocks. NULL: all that could give way is held. */
iswi_slot *iswi_table_make(const iswi_table_shape *shape, iswi_rows *rows, const uint64_t name[2],
                           size_t size, int64_t now_us);
void iswi_table_remove(const iswi_table_shape *shape, iswi_rows *rows, iswi_slot *slot);

/* It was written just now. */
void iswi_table_touch(iswi_rows *rows, iswi_slot *slot);

/* Of as many bytes as the slot has. */
void iswi_table_write(iswi_rows *rows, iswi_slot *slot, isw_bytes value);
void iswi_table_read(const iswi_rows *rows, const iswi_slot *slot, void *out);
bool iswi_table_says(const iswi_rows *rows, const iswi_slot *slot, isw_bytes value);

/* For lock.c: into the rows of those in use, as the one written last. */
void iswi_table_link(const iswi_table_shape *shape, iswi_rows *rows, uint32_t number);

#endif
