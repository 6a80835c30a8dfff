/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_RING_END_H
#define ISWI_LINK_RING_END_H

/*
 * One end of a pair of rings: what it writes, what it reads, and how it ends. Who reads, and when,
 * is not known here: threads (ring_threads.c) or a source of a reactor (ring_source.c). Inside the
 * ring lane.
 */
#include "link/link.h"
#include "link/ring_writer.h"
#include "link/sp.h"

#include <pthread.h>

typedef struct iswi_ring_end {
    iswi_link_events events;
    void (*gone)(struct iswi_ring_end *end);
    iswi_link *inner; /* the socket, whose end is the end; set once, before anything is read */
    iswi_ring_memory memory;
    iswi_ring *in, *out;

    pthread_mutex_t lock; /* guards what follows: the writing side */
    iswi_ring_writer writer;
    bool upgraded, closed;
    atomic_bool waits; /* something found no room; without the lock a hint */
    bool apart; /* it was agreed that long bytes may lie apart */

    pthread_mutex_t reading; /* guards the reader and the in ring */
    iswi_sp_reader reader;
    iswi_borrower borrower;
    bool broken;
    bool told; /* on_closed was raised */

    atomic_bool marks;    /* it was agreed that the worker marks what it begins */
    atomic_bool over;     /* the socket has ended: nothing comes but what the ring holds */
    atomic_llong busy_ns; /* when something last came; only who reads */
    int64_t trimmed_ns;   /* when memory was last given back; likewise */
} iswi_ring_end;

/* Takes options->memory over. `gone` is called once it is released by iswi_ring_end_fini and by all
 * that lies in its memory: nothing of it is used then. */
void iswi_ring_end_init(iswi_ring_end *end, const iswi_ring_options *options,
                        const iswi_link_events *events, void (*gone)(iswi_ring_end *end));
void iswi_ring_end_fini(iswi_ring_end *end);

/* From now on frames go into the ring; and these extras were agreed upon, before anything was lent. */
void iswi_ring_end_upgrade(iswi_ring_end *end);
void iswi_ring_end_agree(iswi_ring_end *end, unsigned extras);

/* Send a frame, on the socket before the upgrade. `apart` is the piece that may lie apart; `count`:
 * none. With `quiet` the reader is not woken for it, unless it is to make room: iswi_ring_end_wake
 * follows. Any thread. */
isw_status iswi_ring_end_send(iswi_ring_end *end, const isw_bytes *pieces, unsigned count,
                              unsigned apart, bool quiet);

/* Wake the reader for what was sent so, if it sleeps. Any thread. */
void iswi_ring_end_wake(iswi_ring_end *end);

/* Write what found no room earlier. Costs nothing where nothing did. */
void iswi_ring_end_flush(iswi_ring_end *end);

/* Read once, as much as there is, and hand it up; returns how many bytes. */
size_t iswi_ring_end_take(iswi_ring_end *end);

/* Whether there is something to take; and whether its end was told. */
bool iswi_ring_end_has_input(iswi_ring_end *end);
bool iswi_ring_end_is_told(iswi_ring_end *end);

/* Something came: note when, and give memory back that is not used. Only who reads. */
void iswi_ring_end_note_work(iswi_ring_end *end);

/* Tell of the end, once; nothing is delivered after it. */
void iswi_ring_end_tell_closed(iswi_ring_end *end);

#endif
