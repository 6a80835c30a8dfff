/* SPDX-License-Identifier: Apache-2.0 */
/* What is here of an earlier connection, once there is another: a server that was killed may have given
 * its number to another message since, which would then be settled in its place. */
#include "broker/nats/internal.h"

/* Whether the message of that number is this one still. */
static bool is_still(iswi_nats *nats, const iswi_nats_queue *queue, uint64_t number,
                     const char *root)
{
    char there[ISWI_NATS_ROOT_BYTES] = "";
    iswi_nats_stored of;
    iswi_nats_meta meta;
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    if (iswi_nats_get(nats, queue, number, NULL, &arena, &of) &&
        iswi_nats_read_meta(nats, of.header, &arena, &meta))
        iswi_nats_root_of(&meta, of.number, there);
    iswi_arena_fini(&arena);
    return strcmp(there, root) == 0;
}

bool iswi_nats_slot_verify(iswi_nats *nats, iswi_nats_slot *slot)
{
    const bool still = is_still(nats, slot->queue, slot->number, slot->root);

    slot->is_old = false;
    if (!still && !nats->is_lost)
        iswi_nats_slot_free(nats, slot);
    return !nats->is_lost;
}

static bool is_one_still(iswi_nats *nats, const iswi_nats_queue *queue,
                         const iswi_nats_arrived *of)
{
    char root[ISWI_NATS_ROOT_BYTES];
    iswi_nats_meta meta;
    iswi_arena arena;
    bool still;

    iswi_arena_init(&arena, 512);
    still = iswi_nats_read_meta(nats, iswi_nats_header_of(nats, of->msg), &arena, &meta);
    if (still) {
        iswi_nats_root_of(&meta, of->number, root);
        still = is_still(nats, queue, of->number, root);
    }
    iswi_arena_fini(&arena);
    return still;
}

/* The others are delivered again, if they are there. */
static void verify_arrivals(iswi_nats *nats, const iswi_nats_queue *queue, iswi_nats_arrivals *all)
{
    size_t kept = all->first;

    for (size_t i = all->first; i < all->count; i++) {
        const iswi_nats_arrived of = all->items[i];

        if (nats->is_lost || is_one_still(nats, queue, &of) || nats->is_lost)
            all->items[kept++] = of;
        else
            nats->lib.natsMsg_Destroy(of.msg);
    }
    all->count = kept;
    if (all->first == all->count)
        all->first = all->count = 0;
}

bool iswi_nats_verify_held(iswi_nats *nats)
{
    for (size_t i = 0; i < nats->slot_count; i++)
        nats->slots[i].is_old = true; /* until it is settled: it runs, and no copy of it beside it */
    for (size_t i = 0; i < nats->queue_count && !nats->is_lost; i++) {
        verify_arrivals(nats, nats->queues[i], &nats->queues[i]->ready);
        verify_arrivals(nats, nats->queues[i], &nats->queues[i]->late);
    }
    return !nats->is_lost;
}
