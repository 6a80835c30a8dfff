/* SPDX-License-Identifier: Apache-2.0 */
/* A list of batches; frames join the last one until it is large. */
#include "link/outbox.h"

#include "base/alloc.h"
#include "link/link.h"

enum { SPARES = sizeof((iswi_outbox *)0)->spare / sizeof((iswi_outbox *)0)->spare[0] };

static void destroy_batch(iswi_outbox_batch *batch)
{
    iswi_buffer_fini(&batch->bytes);
    iswi_free(batch);
}

void iswi_outbox_fini(iswi_outbox *outbox)
{
    while (outbox->first) {
        iswi_outbox_batch *next = outbox->first->next;

        destroy_batch(outbox->first);
        outbox->first = next;
    }
    for (unsigned i = 0; i < SPARES; i++)
        if (outbox->spare[i])
            destroy_batch(outbox->spare[i]);
    memset(outbox, 0, sizeof *outbox);
}

static iswi_outbox_batch *take_spare(iswi_outbox *outbox)
{
    iswi_outbox_batch *batch = NULL;

    for (unsigned i = 0; i < SPARES && !batch; i++) {
        batch = outbox->spare[i];
        outbox->spare[i] = NULL;
    }
    return batch;
}

static iswi_outbox_batch *add_batch(iswi_outbox *outbox)
{
    iswi_outbox_batch *batch = take_spare(outbox);

    if (!batch)
        batch = iswi_calloc(1, sizeof *batch);
    if (!batch)
        return NULL;
    batch->next = NULL;
    batch->frames = 0;
    if (outbox->last)
        outbox->last->next = batch;
    else
        outbox->first = batch;
    outbox->last = batch;
    return batch;
}

isw_status iswi_outbox_add(iswi_outbox *outbox, const isw_bytes *pieces, unsigned count)
{
    iswi_outbox_batch *batch = outbox->last;
    size_t size = 0;

    for (unsigned i = 0; i < count; i++)
        size += pieces[i].size;
    if (outbox->bytes + size > ISWI_LINK_BACKLOG_BYTES)
        return ISW_E_BUSY;
    /* One that is empty, since an append to it failed, takes a frame of any size: nothing may be
     * queued behind it. */
    if (!batch || batch->frames == ISWI_LINK_BATCH_FRAMES ||
        (batch->bytes.size && batch->bytes.size + size > ISWI_LINK_BATCH_BYTES))
        batch = add_batch(outbox);
    if (!batch)
        return ISW_E_NO_MEMORY;
    if (!iswi_buffer_reserve(&batch->bytes, size)) {
        batch->bytes.failed = false; /* what was there before is whole */
        return ISW_E_NO_MEMORY;
    }
    for (unsigned i = 0; i < count; i++)
        iswi_buffer_append(&batch->bytes, pieces[i].data, pieces[i].size);
    batch->frames++;
    outbox->bytes += size;
    return ISW_OK;
}

iswi_outbox_batch *iswi_outbox_take(iswi_outbox *outbox)
{
    iswi_outbox_batch *batch = outbox->first;

    if (!batch || batch->bytes.size == 0)
        return NULL;
    outbox->first = batch->next;
    if (!outbox->first)
        outbox->last = NULL;
    outbox->bytes -= batch->bytes.size;
    return batch;
}

void iswi_outbox_give_back(iswi_outbox *outbox, iswi_outbox_batch *batch)
{
    unsigned place = 0;

    while (place < SPARES && outbox->spare[place])
        place++;
    if (place == SPARES || batch->bytes.capacity > ISWI_LINK_BATCH_BYTES) {
        destroy_batch(batch);
        return;
    }
    iswi_buffer_reset(&batch->bytes);
    outbox->spare[place] = batch;
}
