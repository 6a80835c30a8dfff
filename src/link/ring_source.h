/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_RING_SOURCE_H
#define ISWI_LINK_RING_SOURCE_H

/* A ring that a reactor reads, with no thread of its own: the host's, of a worker that rings a
 * descriptor. On the reactor's thread but where it says otherwise. Inside the ring lane. */
#include "link/ring_end.h"
#include "reactor/reactor.h"

typedef struct iswi_ring_source {
    iswi_source source;
    iswi_ring_end *end;
    bool reads; /* it is a source of its reactor */
    atomic_bool armed; /* the reactor sleeps, or means to */
    bool heard;        /* something came */
} iswi_ring_source;

/* Begin to read; `bell` is the descriptor. What comes is the begin of the session on the ring, if
 * that was not agreed before. False with errno. */
bool iswi_ring_source_begin(iswi_ring_source *source, iswi_ring_end *end, iswi_reactor *reactor,
                            int bell);

/* Read no more. One that did not begin is allowed. */
void iswi_ring_source_stop(iswi_ring_source *source);

/* The socket has ended: take what the ring still holds, tell of the end, and stop. */
void iswi_ring_source_end(iswi_ring_source *source);

/* A frame is to be sent, to which an answer may come soon. Any thread. */
static inline void iswi_ring_source_expect(iswi_ring_source *source)
{
    if (atomic_load_explicit(&source->armed, memory_order_acquire))
        iswi_source_expect(&source->source);
}

#endif
