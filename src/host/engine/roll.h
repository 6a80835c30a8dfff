/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_ROLL_H
#define ISWI_HOST_ENGINE_ROLL_H

/*
 * Processes that give way to others of the same worker, one after the other: a successor is started
 * and becomes ready before the one that it succeeds gets no more calls. A pool has an edition, and
 * it goes up when all of its processes are to be replaced. Inside the engine; written by roll.c alone.
 * The supervisor's thread but where it says otherwise.
 */
#include "host/engine/steer.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct iswi_pool iswi_pool;
typedef struct iswi_process iswi_process;

/* Part of a pool. */
typedef struct iswi_roll {
    atomic_uint asked;    /* how often somebody wanted one */
    unsigned seen;        /* of these */
    unsigned edition;     /* of its processes; those that start are of it */
    int64_t again_ns;     /* when one may be replaced again after a successor that failed */
    pthread_mutex_t lock; /* guards what follows, which the supervisor alone writes */
    iswi_roll_look now;
    iswi_roll_step *steps; /* as many as there are seats */
    unsigned steps_max;
} iswi_roll;

/* Before the host runs. Errors: ISW_E_NO_MEMORY. */
isw_status iswi_roll_init(iswi_pool *pool, unsigned seats, isw_error *error);
void iswi_roll_fini(iswi_pool *pool);

/* Of a worker that is here again: there was none. */
void iswi_roll_forget(iswi_pool *pool);

/* Go on with it. Sets *next_ns to when it wants to be called again, if that is sooner. */
void iswi_roll_tend(iswi_pool *pool, int64_t now_ns, int64_t *next_ns);

/* A successor is ready but for this: whether it can run all that the one before it can. False: it
 * has been killed. */
bool iswi_roll_accepts(iswi_process *process);

/* Its program has other functions than that of the others, which are to be replaced, too. */
void iswi_roll_follow(iswi_process *process);

/* A successor has ended and was never ready: the one before it stays, and it is said why. */
void iswi_roll_refused(iswi_process *process);

/* Have one process replaced for its own sake; `why` is static text. With its lock; any thread. */
void iswi_process_replace(iswi_process *process, const char *why);

#endif
