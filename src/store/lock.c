/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks of stripes, and what becomes of a stripe whose lock's owner died. Its slots are what counts:
 * each that is whole keeps its entry, and all rows are made anew from them.
 */
#include "store/table.h"

#include <errno.h>
#include <string.h>

void iswi_table_init(const iswi_table_shape *shape, void *memory)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    for (uint32_t i = 0; i < shape->stripes; i++) {
        iswi_rows rows = iswi_table_rows(shape, memory, i);

        pthread_mutex_init(&rows.stripe->lock, &attributes);
        rows.stripe->blocks_left = shape->blocks;
    }
    pthread_mutexattr_destroy(&attributes);
}

/* -- Repair ------------------------------------------------------------------------------------ */

/* Claim the blocks of a value for its slot. False: they are not what they should be. */
static bool claim_blocks(iswi_rows *rows, uint32_t number)
{
    const iswi_slot *slot = &rows->slots[number];
    uint32_t at = slot->block;

    if (slot->size <= ISW_STORE_SMALL)
        return at == 0;
    for (size_t left = slot->size;; left -= ISWI_BLOCK_BYTES) {
        if (!at || at > rows->stripe->blocks || rows->blocks[at].slot)
            return false;
        rows->blocks[at].slot = number;
        at = rows->blocks[at].next;
        if (left <= ISWI_BLOCK_BYTES)
            return at == 0;
    }
}

static void drop(iswi_rows *rows, uint32_t number)
{
    for (uint32_t i = 1; i <= rows->stripe->blocks; i++)
        if (rows->blocks[i].slot == number)
            rows->blocks[i].slot = 0;
    rows->slots[number] = (iswi_slot){ .next = rows->stripe->free_slots };
    rows->stripe->free_slots = number;
}

static void free_unclaimed(const iswi_table_shape *shape, iswi_rows *rows)
{
    iswi_stripe *stripe = rows->stripe;

    stripe->blocks_left = shape->blocks - stripe->blocks;
    for (uint32_t i = 1; i <= stripe->blocks; i++) {
        if (rows->blocks[i].slot)
            continue;
        rows->blocks[i].next = stripe->free_blocks;
        stripe->free_blocks = i;
        stripe->blocks_left++;
    }
}

static void repair(const iswi_table_shape *shape, iswi_rows *rows)
{
    iswi_stripe *stripe = rows->stripe;

    iswi_table_unsettle(rows);
    stripe->slots = stripe->slots < shape->entries ? stripe->slots : shape->entries;
    stripe->blocks = stripe->blocks < shape->blocks ? stripe->blocks : shape->blocks;
    stripe->oldest = stripe->youngest = stripe->free_slots = stripe->free_blocks = 0;
    for (uint32_t i = 0; i < shape->buckets; i++)
        __atomic_store_n(&rows->buckets[i], 0, __ATOMIC_RELAXED);
    for (uint32_t i = 1; i <= stripe->blocks; i++)
        rows->blocks[i].slot = 0;
    for (uint32_t i = 1; i <= stripe->slots; i++) {
        const iswi_slot *slot = &rows->slots[i];

        if (i != stripe->changing && (slot->name[0] || slot->name[1]) && claim_blocks(rows, i))
            iswi_table_link(shape, rows, i);
        else
            drop(rows, i);
    }
    free_unclaimed(shape, rows);
    stripe->changing = 0;
    iswi_table_settle(rows);
}

/* -- Locks ------------------------------------------------------------------------------------- */

bool iswi_table_lock(const iswi_table_shape *shape, void *memory, const uint64_t name[2],
                     iswi_rows *out)
{
    iswi_rows rows = iswi_table_rows(shape, memory, iswi_table_stripe(shape, name));
    int failed = pthread_mutex_lock(&rows.stripe->lock);

    if (failed == EOWNERDEAD) {
        repair(shape, &rows);
        failed = pthread_mutex_consistent(&rows.stripe->lock);
    }
    *out = rows;
    return failed == 0;
}

void iswi_table_unlock(iswi_rows *rows)
{
    iswi_table_change(rows, 0);
    pthread_mutex_unlock(&rows->stripe->lock);
}
