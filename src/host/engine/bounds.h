/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_BOUNDS_H
#define ISWI_HOST_ENGINE_BOUNDS_H

/*
 * What a process may grow to (memory_limit) and when it has done enough (recycle_after). Inside the
 * engine; written by bounds.c alone. The supervisor's thread.
 */
#include <stdbool.h>
#include <stdint.h>

typedef struct iswi_process iswi_process;

/* Part of a process: what it has of its worker's settings, with jitter, and what was seen last. */
typedef struct iswi_bounds {
    int64_t invocations, age_ns, memory; /* 0: not for that */
    int64_t hard;    /* memory_limit as it began: one that has changed since is its successor's */
    int64_t soft;    /* bytes at which another is to take over, since memory_limit is near; 0: none */
    int64_t look_ns; /* when to look at it again */
    int64_t cpu_ns;  /* that it had used then; of one that has ended: all (lock) */
    int64_t throttled_ns; /* of one that has ended: for how long it had to wait (lock) */
    uint64_t peak;   /* of its memory, as was seen (lock) */
    bool begun;      /* it was looked at since it is ready */
} iswi_bounds;

/* It is about to be started. With its lock. */
void iswi_bounds_begin(iswi_process *process);

/* Look at it, if it is time: it is killed above its limit, and replaced when it has done enough.
 * Sets *next_ns to when it wants to be called again, if that is sooner. */
void iswi_bounds_tend(iswi_process *process, int64_t now_ns, int64_t *next_ns);

/* It has ended, and was not waited for yet: the last look. */
void iswi_bounds_end(iswi_process *process);

#endif
