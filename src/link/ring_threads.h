/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_RING_THREADS_H
#define ISWI_LINK_RING_THREADS_H

/*
 * The threads that read a ring. One leads: it takes in what is there, hands it up, and then does
 * the work that came with it (on_turn), so that no thread is woken between a frame and its
 * function. The other sleeps on the same bell. When something comes while the leader works, it is
 * the one that is woken, and looks in once a millisecond while there is traffic; if the leader is
 * held up by its work (is_stuck), it reads in its stead. Whoever is woken when nobody leads, leads.
 *
 * A side without on_turn has one thread. Inside the ring lane.
 */
#include "link/ring_end.h"
#include "reactor/spin.h"

typedef struct iswi_ring_threads {
    iswi_ring_end *end;
    pthread_t threads[2];
    unsigned count;
    int64_t left; /* bytes to read after the socket's end */
    iswi_spin spin;        /* both only who leads */
    atomic_bool led;       /* one of them reads, works, or is awake for more */
    atomic_bool working;   /* ... and is in on_turn */
    atomic_bool patrolled; /* the other one looks in now and then: no bell need be rung for it */
    atomic_bool alone;     /* there is no other one to be had */
    atomic_bool again;     /* the other one has left work for the leader */
    atomic_bool stopping;
    _Atomic uint32_t tick; /* futex of the one that patrols; always 0 */
} iswi_ring_threads;

/* Start them. False: there is no thread to be had. */
bool iswi_ring_threads_start(iswi_ring_threads *threads, iswi_ring_end *end, int64_t spin_us);

/* End them; none that were started is allowed. What is not read stays so. */
void iswi_ring_threads_stop(iswi_ring_threads *threads);

/* The socket has ended: they read what the ring still holds, and tell of the end. */
void iswi_ring_threads_end(iswi_ring_threads *threads);

/* From on_turn: it takes long, or more waits behind it than can begin: look in at once, or from now
 * on. */
void iswi_ring_threads_held_up(iswi_ring_threads *threads);
void iswi_ring_threads_patrol(iswi_ring_threads *threads);

#endif
