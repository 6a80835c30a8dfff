/* SPDX-License-Identifier: Apache-2.0 */
/* What is claimed here: the server is told that it still is, three times in the time of its lease.
 * One of which that was not said in time is another's by now, perhaps. */
#include "broker/nats/internal.h"

#include "base/alloc.h"
#include "base/clock.h"

enum { LEASE_MS = 30000, PARTS = 3 };

static int64_t lease_ns(const iswi_nats_queue *queue)
{
    return (queue->keeps.lease_ms ? queue->keeps.lease_ms : LEASE_MS) * INT64_C(1000000);
}

static iswi_nats_slot *find_free(iswi_nats *nats)
{
    if (nats->claims < nats->slot_count)
        for (size_t i = 0; i < nats->slot_count; i++)
            if (nats->slots[i].token == 0)
                return &nats->slots[i];
    if (!iswi_grow(&nats->slots, &nats->slot_capacity, nats->slot_count, sizeof *nats->slots))
        return NULL;
    nats->slots[nats->slot_count] = (iswi_nats_slot){ 0 };
    return &nats->slots[nats->slot_count++];
}

bool iswi_nats_slot_take(iswi_nats *nats, iswi_nats_queue *queue, const iswi_nats_arrived *of,
                         const iswi_nats_meta *meta, iswi_delivery *delivery)
{
    iswi_nats_handle *handle = iswi_arena_alloc(&delivery->arena, sizeof *handle);
    iswi_nats_slot *slot = handle ? find_free(nats) : NULL;
    char *reply = slot ? iswi_strdup(nats->lib.natsMsg_GetReply(of->msg)) : NULL;

    if (!reply)
        return false;
    *slot = (iswi_nats_slot){ .token = ++nats->tokens, .queue = queue, .reply = reply,
                              .number = of->number, .copies = meta->copies,
                              .renewed_ns = iswi_now_ns() };
    iswi_nats_root_of(meta, of->number, slot->root);
    *handle = (iswi_nats_handle){ (size_t)(slot - nats->slots), slot->token };
    delivery->handle = handle;
    nats->claims++;
    return true;
}

iswi_nats_slot *iswi_nats_slot_of(iswi_nats *nats, const iswi_delivery *delivery)
{
    const iswi_nats_handle *handle = delivery->handle;
    iswi_nats_slot *slot = handle && handle->slot < nats->slot_count ? &nats->slots[handle->slot]
                                                                     : NULL;

    if (!slot || slot->token != handle->token)
        return NULL;
    if (iswi_now_ns() - slot->renewed_ns < lease_ns(slot->queue))
        return slot;
    iswi_nats_slot_free(nats, slot);
    return NULL;
}

void iswi_nats_slot_free(iswi_nats *nats, iswi_nats_slot *slot)
{
    iswi_free(slot->reply);
    *slot = (iswi_nats_slot){ 0 };
    nats->claims--;
}

bool iswi_nats_slot_settle(iswi_nats_slot *slot, const iswi_settlement *by)
{
    if (!slot->by && by->verdict != ISWI_VERDICT_EXTEND)
        slot->by = by;
    return !slot->by || slot->by == by;
}

void iswi_nats_slots_forget(iswi_nats *nats)
{
    for (size_t i = 0; i < nats->slot_count; i++)
        nats->slots[i].by = NULL;
}

iswi_nats_slot *iswi_nats_slot_with(iswi_nats *nats, const iswi_nats_queue *queue,
                                    const char *root)
{
    for (size_t i = 0; i < nats->slot_count; i++)
        if (nats->slots[i].token && nats->slots[i].queue == queue &&
            strcmp(nats->slots[i].root, root) == 0)
            return &nats->slots[i];
    return NULL;
}

bool iswi_nats_renew(iswi_nats *nats, int64_t *due_ms)
{
    const int64_t now_ns = iswi_now_ns();
    int64_t next_ns = INT64_MAX;

    for (size_t i = 0; i < nats->slot_count && !nats->is_lost; i++) {
        iswi_nats_slot *slot = &nats->slots[i];
        int64_t at_ns;

        if (!slot->token)
            continue;
        at_ns = slot->renewed_ns + lease_ns(slot->queue) / PARTS;
        if (at_ns <= now_ns && iswi_nats_say(nats, slot->reply, NULL, "+WPI")) {
            slot->renewed_ns = now_ns;
            at_ns = now_ns + lease_ns(slot->queue) / PARTS;
        }
        next_ns = at_ns < next_ns ? at_ns : next_ns;
    }
    if (next_ns != INT64_MAX && nats->now_ms + (next_ns - now_ns) / 1000000 + 1 < *due_ms)
        *due_ms = nats->now_ms + (next_ns - now_ns) / 1000000 + 1;
    return !nats->is_lost;
}

/* What is left is to be delivered again at once, unless those that have it may outlive us. */
void iswi_nats_slots_end(iswi_nats *nats)
{
    for (size_t i = 0; i < nats->slot_count; i++) {
        if (!nats->slots[i].token)
            continue;
        if (nats->conn && !nats->is_lost && !nats->options->lock)
            iswi_nats_say(nats, nats->slots[i].reply, NULL, "-NAK");
        iswi_nats_slot_free(nats, &nats->slots[i]);
    }
    iswi_free(nats->slots);
}
