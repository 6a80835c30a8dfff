/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_RING_WRITER_H
#define ISWI_LINK_RING_WRITER_H

/* The writing side of a ring lane: frames into the ring, large ones into the arena and only their
 * place into the ring, and what finds no room into an outbox. Does not block. The owner's lock
 * guards it. */
#include "link/loans.h"
#include "link/outbox.h"
#include "link/ring.h"

typedef struct iswi_ring_writer {
    iswi_ring *ring;
    iswi_lender lender;
    iswi_outbox outbox;
    iswi_outbox_batch *sending; /* the rest of a batch for which there was no room */
    size_t sent;
    bool broken; /* the reader's position cannot be */
    bool quiet;  /* the reader is woken later, by whoever has set this */
} iswi_ring_writer;

void iswi_ring_writer_fini(iswi_ring_writer *writer);

/* Send one frame that lies in pieces. Errors: those of the outbox. */
isw_status iswi_ring_writer_send(iswi_ring_writer *writer, const isw_bytes *pieces,
                                 unsigned count);

/* The same, with one of the pieces apart from the rest in the arena, if there is room for it. */
isw_status iswi_ring_writer_send_apart(iswi_ring_writer *writer, const isw_bytes *pieces,
                                       unsigned count, unsigned apart);

/* Whether something waits for room. */
static inline bool iswi_ring_writer_waits(const iswi_ring_writer *writer)
{
    return writer->sending || writer->outbox.bytes;
}

/* Write what there is room for. Afterwards nothing waits, or the reader knows that we do. */
void iswi_ring_writer_flush(iswi_ring_writer *writer);

#endif
