/* SPDX-License-Identifier: Apache-2.0 */
/* Slots, their rows, and blocks. Invariant: while a slot is not whole, `changing` names it. */
#include "store/table.h"

#include <string.h>

enum {
    ENTRIES_MAX = 1 << 24,
    STRIPES = 16,         /* of a table of many small entries */
    STRIPES_FROM = 4096,  /* entries */
    CANDIDATES = 8,       /* of which the one that ends first gives way */
    LINE = 64
};

/* -- Shape ------------------------------------------------------------------------------------- */

static size_t rounded(size_t bytes)
{
    return (bytes + LINE - 1) / LINE * LINE;
}

isw_status iswi_table_shape_of(const isw_store_options *options, iswi_table_shape *out,
                               isw_error *error)
{
    iswi_table_shape shape = { .stripes = 1, .buckets = 1 };

    if (options->size != sizeof *options || options->entries < 1 ||
        options->entries > ENTRIES_MAX || options->bytes < 0 ||
        options->bytes / ISWI_BLOCK_BYTES >= UINT32_MAX / 2)
        return isw_error_set(error, ISW_E_INVALID, "a store has 1 to %d entries, and bytes for "
                                                   "them", ENTRIES_MAX);
    if (!options->bytes && options->entries >= STRIPES_FROM)
        shape.stripes = STRIPES;
    shape.entries = (uint32_t)((options->entries + shape.stripes - 1) / shape.stripes);
    shape.blocks = (uint32_t)(options->bytes / ISWI_BLOCK_BYTES);
    while (shape.buckets < shape.entries)
        shape.buckets *= 2;
    shape.stripe_bytes = rounded(sizeof(iswi_stripe)) + rounded(shape.buckets * sizeof(uint32_t)) +
                         rounded(shape.entries * sizeof(iswi_slot)) +
                         rounded(shape.blocks * sizeof(iswi_block));
    shape.bytes = shape.stripe_bytes * shape.stripes;
    *out = shape;
    return ISW_OK;
}

iswi_rows iswi_table_rows(const iswi_table_shape *shape, void *memory, uint32_t number)
{
    unsigned char *at = (unsigned char *)memory + number * shape->stripe_bytes;
    iswi_rows rows = { .stripe = (iswi_stripe *)at };

    at += rounded(sizeof(iswi_stripe));
    rows.buckets = (uint32_t *)at;
    at += rounded(shape->buckets * sizeof(uint32_t));
    rows.slots = (iswi_slot *)at - 1;
    at += rounded(shape->entries * sizeof(iswi_slot));
    rows.blocks = (iswi_block *)at - 1;
    return rows;
}

static iswi_slot *slot_at(const iswi_table_shape *shape, const iswi_rows *rows, uint32_t number)
{
    return number && number <= shape->entries ? &rows->slots[number] : NULL;
}

static uint32_t number_of(const iswi_rows *rows, const iswi_slot *slot)
{
    return (uint32_t)(slot - rows->slots);
}

static uint32_t *bucket_of(const iswi_table_shape *shape, const iswi_rows *rows,
                           const uint64_t name[2])
{
    return &rows->buckets[name[0] & (shape->buckets - 1)];
}

/* -- Rows -------------------------------------------------------------------------------------- */

/* Buckets are read without the lock, too. */
static void set_row(uint32_t *first, uint32_t number)
{
    __atomic_store_n(first, number, __ATOMIC_RELEASE);
}

void iswi_table_unsettle(iswi_rows *rows)
{
    __atomic_store_n(&rows->stripe->unsettled, rows->stripe->unsettled | 1, __ATOMIC_SEQ_CST);
}

void iswi_table_settle(iswi_rows *rows)
{
    __atomic_store_n(&rows->stripe->unsettled, (rows->stripe->unsettled | 1) + 1,
                     __ATOMIC_SEQ_CST);
}

bool iswi_table_lacks(const iswi_table_shape *shape, void *memory, const uint64_t name[2])
{
    iswi_rows rows = iswi_table_rows(shape, memory, iswi_table_stripe(shape, name));
    uint32_t before = __atomic_load_n(&rows.stripe->unsettled, __ATOMIC_SEQ_CST);
    uint32_t first = __atomic_load_n(bucket_of(shape, &rows, name), __ATOMIC_SEQ_CST);

    return !first && !(before & 1) &&
           __atomic_load_n(&rows.stripe->unsettled, __ATOMIC_SEQ_CST) == before;
}

iswi_slot *iswi_table_find(const iswi_table_shape *shape, iswi_rows *rows, const uint64_t name[2])
{
    iswi_slot *slot = slot_at(shape, rows, *bucket_of(shape, rows, name));

    for (uint32_t steps = 0; slot && steps < shape->entries; steps++) {
        if (slot->name[0] == name[0] && slot->name[1] == name[1])
            return slot;
        slot = slot_at(shape, rows, slot->next);
    }
    return NULL;
}

static void enter_order(iswi_rows *rows, uint32_t number)
{
    iswi_stripe *stripe = rows->stripe;

    rows->slots[number].older = stripe->youngest;
    rows->slots[number].younger = 0;
    *(stripe->youngest ? &rows->slots[stripe->youngest].younger : &stripe->oldest) = number;
    stripe->youngest = number;
}

static void leave_order(iswi_rows *rows, const iswi_slot *slot)
{
    iswi_stripe *stripe = rows->stripe;

    *(slot->older ? &rows->slots[slot->older].younger : &stripe->oldest) = slot->younger;
    *(slot->younger ? &rows->slots[slot->younger].older : &stripe->youngest) = slot->older;
}

void iswi_table_link(const iswi_table_shape *shape, iswi_rows *rows, uint32_t number)
{
    uint32_t *bucket = bucket_of(shape, rows, rows->slots[number].name);

    rows->slots[number].next = *bucket;
    set_row(bucket, number);
    enter_order(rows, number);
}

void iswi_table_touch(iswi_rows *rows, iswi_slot *slot)
{
    uint32_t number = number_of(rows, slot);

    if (rows->stripe->youngest == number)
        return;
    leave_order(rows, slot);
    enter_order(rows, number);
}

static void free_blocks_of(iswi_rows *rows, iswi_slot *slot)
{
    while (slot->block) {
        uint32_t number = slot->block;

        slot->block = rows->blocks[number].next;
        rows->blocks[number].slot = 0;
        rows->blocks[number].next = rows->stripe->free_blocks;
        rows->stripe->free_blocks = number;
        rows->stripe->blocks_left++;
    }
}

void iswi_table_remove(const iswi_table_shape *shape, iswi_rows *rows, iswi_slot *slot)
{
    uint32_t number = number_of(rows, slot);
    uint32_t *at = bucket_of(shape, rows, slot->name);

    iswi_table_change(rows, number);
    for (uint32_t steps = 0; *at && *at != number && steps < shape->entries; steps++)
        at = &rows->slots[*at].next;
    if (*at == number)
        set_row(at, slot->next);
    leave_order(rows, slot);
    free_blocks_of(rows, slot);
    slot->name[0] = slot->name[1] = 0;
    slot->next = rows->stripe->free_slots;
    rows->stripe->free_slots = number;
    iswi_table_change(rows, 0);
}

/* -- Room -------------------------------------------------------------------------------------- */

/* Of those that were written longest ago and are not held the one that ends first; NULL: all are
 * held. */
static iswi_slot *find_dispensable(const iswi_table_shape *shape, iswi_rows *rows, int64_t now_us)
{
    iswi_slot *at = slot_at(shape, rows, rows->stripe->oldest);
    iswi_slot *best = NULL;

    for (uint32_t seen = 0, steps = 0; at && seen < CANDIDATES && steps < shape->entries; steps++) {
        if (!at->holder || at->until_us <= now_us) {
            seen++;
            if (!best || at->until_us < best->until_us)
                best = at;
        }
        at = slot_at(shape, rows, at->younger);
    }
    return best;
}

static bool make_room(const iswi_table_shape *shape, iswi_rows *rows, uint32_t blocks,
                      int64_t now_us)
{
    iswi_stripe *stripe = rows->stripe;

    while ((!stripe->free_slots && stripe->slots >= shape->entries) ||
           stripe->blocks_left < blocks) {
        iswi_slot *gone = find_dispensable(shape, rows, now_us);

        if (!gone)
            return false;
        iswi_table_remove(shape, rows, gone);
    }
    return true;
}

static uint32_t take_slot(iswi_rows *rows)
{
    uint32_t number = rows->stripe->free_slots;

    if (!number)
        return ++rows->stripe->slots;
    rows->stripe->free_slots = rows->slots[number].next;
    return number;
}

static uint32_t take_block(iswi_rows *rows, uint32_t slot)
{
    iswi_stripe *stripe = rows->stripe;
    uint32_t number = stripe->free_blocks;

    if (number)
        stripe->free_blocks = rows->blocks[number].next;
    else
        number = ++stripe->blocks;
    stripe->blocks_left--;
    rows->blocks[number].slot = slot;
    rows->blocks[number].next = 0;
    return number;
}

iswi_slot *iswi_table_make(const iswi_table_shape *shape, iswi_rows *rows, const uint64_t name[2],
                           size_t size, int64_t now_us)
{
    uint32_t blocks = size <= ISW_STORE_SMALL
                          ? 0
                          : (uint32_t)((size + ISWI_BLOCK_BYTES - 1) / ISWI_BLOCK_BYTES);
    iswi_slot *slot;
    uint32_t number;
    uint32_t *end;

    if (!make_room(shape, rows, blocks, now_us))
        return NULL;
    number = take_slot(rows);
    slot = &rows->slots[number];
    iswi_table_change(rows, number);
    *slot = (iswi_slot){ .name = { name[0], name[1] }, .size = (uint32_t)size };
    end = &slot->block;
    for (uint32_t i = 0; i < blocks; i++) {
        *end = take_block(rows, number);
        end = &rows->blocks[*end].next;
    }
    iswi_table_link(shape, rows, number);
    return slot; /* whole when it is unlocked */
}

/* -- Values ------------------------------------------------------------------------------------ */

/* The piece of a value that begins at `at`, and its size; *block goes on. */
static unsigned char *piece_of(const iswi_rows *rows, const iswi_slot *slot, uint32_t *block,
                               size_t at, size_t *size)
{
    unsigned char *piece = (unsigned char *)slot->small;

    *size = slot->size - at;
    if (slot->size <= ISW_STORE_SMALL)
        return piece;
    piece = rows->blocks[*block].data;
    *block = rows->blocks[*block].next;
    if (*size > ISWI_BLOCK_BYTES)
        *size = ISWI_BLOCK_BYTES;
    return piece;
}

void iswi_table_write(iswi_rows *rows, iswi_slot *slot, isw_bytes value)
{
    uint32_t block = slot->block;
    size_t size;

    iswi_table_change(rows, number_of(rows, slot));
    for (size_t at = 0; at < value.size; at += size) {
        unsigned char *piece = piece_of(rows, slot, &block, at, &size);

        memcpy(piece, (const unsigned char *)value.data + at, size);
    }
}

void iswi_table_read(const iswi_rows *rows, const iswi_slot *slot, void *out)
{
    uint32_t block = slot->block;
    size_t size;

    for (size_t at = 0; at < slot->size; at += size) {
        const unsigned char *piece = piece_of(rows, slot, &block, at, &size);

        memcpy((unsigned char *)out + at, piece, size);
    }
}

bool iswi_table_says(const iswi_rows *rows, const iswi_slot *slot, isw_bytes value)
{
    uint32_t block = slot->block;
    bool same = slot->size == value.size;
    size_t size;

    for (size_t at = 0; same && at < value.size; at += size) {
        const unsigned char *piece = piece_of(rows, slot, &block, at, &size);

        same = memcmp(piece, (const unsigned char *)value.data + at, size) == 0;
    }
    return same;
}
