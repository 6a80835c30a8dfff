/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_OUTBOX_H
#define ISWI_LINK_OUTBOX_H

/* Frames that wait to be sent, gathered into messages: the coalescing of a socket. The owner's
 * lock guards it. */
#include "base/buffer.h"

#include <isoworker/status.h>

typedef struct iswi_outbox_batch {
    struct iswi_outbox_batch *next;
    iswi_buffer bytes;
    unsigned frames;
} iswi_outbox_batch;

typedef struct iswi_outbox {
    iswi_outbox_batch *first, *last;
    iswi_outbox_batch *spare[2]; /* emptied batches, kept warm: one is filled while one is sent */
    size_t bytes;             /* in all that waits */
} iswi_outbox;

void iswi_outbox_fini(iswi_outbox *outbox);

/* Add a frame that lies in pieces. Errors: ISW_E_BUSY, ISW_E_NO_MEMORY; nothing is added then. */
isw_status iswi_outbox_add(iswi_outbox *outbox, const isw_bytes *pieces, unsigned count);

/* The oldest message, or NULL. Give it back when its bytes were used. */
iswi_outbox_batch *iswi_outbox_take(iswi_outbox *outbox);
void iswi_outbox_give_back(iswi_outbox *outbox, iswi_outbox_batch *batch);

#endif
