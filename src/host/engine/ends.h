/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_ENDS_H
#define ISWI_HOST_ENGINE_ENDS_H

/*
 * How processes have ended, and why: counted by worker, and the last one told by seat. Inside the
 * engine; written by ends.c alone, on the supervisor's thread.
 */
#include "host/engine/look.h"

#include <pthread.h>

typedef struct iswi_pool iswi_pool;

/* Part of a pool. */
typedef struct iswi_ends {
    pthread_mutex_t lock; /* guards what follows, and `last` of the pool's seats */
    uint64_t counts[ISWI_ENDS];
    int64_t cpu_ns, throttled_ns; /* of those which have ended */
} iswi_ends;

void iswi_ends_init(iswi_pool *pool);
void iswi_ends_fini(iswi_pool *pool);

/* It has ended, with that status of waitpid: find out why, unless that is known. With its lock. */
void iswi_end_judge(iswi_process *process, int status);

/* It is buried, and its fault is known: count that. Once for each start. */
void iswi_end_note(iswi_process *process);

#endif
