/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_QUEUE_H
#define ISWI_HOST_ENGINE_QUEUE_H

/*
 * Calls of one pool that found no place at a process of it; lines.h has their order. Whoever frees
 * a place, or makes a process ready, serves the queue; nobody polls. Inside the engine; written by
 * queue.c alone. Any thread, with no lock held, but where it says otherwise.
 *
 * Its lock is taken before a process's, never with one held. Nothing is answered with it.
 */
#include "host/engine/lines.h"
#include "host/engine/look.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct iswi_pool iswi_pool;

/* What became of calls there, since the host began. */
typedef struct iswi_queue_counts {
    uint64_t waited;    /* left it for a process */
    uint64_t waited_us; /* that these took to */
    uint64_t refused;   /* found it full */
    uint64_t expired;   /* waited too long */
    uint64_t waits[ISWI_WAITS]; /* `waited`, by how long: look.h */
} iswi_queue_counts;

/* Part of a pool. */
typedef struct iswi_queue {
    atomic_uint waiting; /* set with the lock, read without: nothing else is looked at while it
                            is 0 */
    atomic_llong due_ns; /* when one has waited long enough, no later; INT64_MAX: none */
    atomic_uint limit;    /* how many may wait; 0: none */
    atomic_llong wait_ms; /* and for how long */

    pthread_mutex_t lock; /* guards what follows */
    iswi_lines lines;
    iswi_call *left; /* out of their lines, since their callers have gone; not answered yet */
    iswi_queue_counts counts;
    int64_t said_ns; /* when the log last told that it is full, or that calls wait too long */
} iswi_queue;

/* Before the host runs. */
void iswi_queue_init(iswi_queue *queue, unsigned limit, int64_t wait_ms);
void iswi_queue_fini(iswi_queue *queue);

/* Have a call wait, or answer it where it may not. Owns `call`. One that was `admitted` before, and
 * lost its process, goes before all others, and whatever the limit is. */
void iswi_queue_add(iswi_host *host, iswi_call *call, bool admitted);

/* Give processes what they have room for; iswi_pool_serve looks first whether anything waits. */
void iswi_queue_serve(iswi_pool *pool);

/* Answer what has waited long enough, or what nobody will serve. Sets *next_ns to when it wants to
 * be called again, if that is sooner. The supervisor's thread. */
void iswi_queue_tend(iswi_pool *pool, int64_t now_ns, int64_t *next_ns);

/* Answer all that waits: the host stops. The supervisor's thread. */
void iswi_queue_lose(iswi_pool *pool);

/* The caller of the one with that id is gone: it is answered soon, on the supervisor's thread.
 * False: it does not wait here. */
bool iswi_queue_leave(iswi_pool *pool, uint64_t id);

/* One that waits here and is of that invocation; 0: there is none. */
uint64_t iswi_queue_find(iswi_pool *pool, const char *invocation_id);

/* A piece of the body of the one with that id: its end is kept, if nothing else came. Errors:
 * ISW_E_BUSY for all but the end, ISW_E_NOT_FOUND when it does not wait here. */
isw_status iswi_queue_take_chunk(iswi_pool *pool, uint64_t id, const iswi_chunk *chunk);

#endif
