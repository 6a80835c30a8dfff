/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_SCALE_H
#define ISWI_HOST_ENGINE_SCALE_H

/*
 * How many processes a worker's calls need, where host.yaml lets that follow the load. More are
 * wanted as soon as calls wait or most of what there is is in use; fewer only after the most that
 * was needed within `keep` would have gone with fewer, one at a time. Inside the engine; written by
 * scale.c alone. The supervisor's thread but where it says otherwise.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct iswi_pool iswi_pool;
typedef struct iswi_process iswi_process;

enum { ISWI_SCALE_PARTS = 8 }; /* of `keep`, each with the most that was needed in it */

/* Part of a pool. */
typedef struct iswi_scale {
    atomic_bool on;
    unsigned least, most;
    unsigned needs[ISWI_SCALE_PARTS]; /* calls at once; the newest one first */
    int64_t part_ns;                  /* how long each is */
    int64_t turn_ns;                  /* when the newest is over */
    unsigned credit;                  /* that a process gave last */
    int64_t start_ns;                 /* that a process took last until it was ready */
    int64_t calm_ns;                  /* before which calls cannot ask for another look */
    atomic_bool rung;                 /* the supervisor is to look */
} iswi_scale;

/* Before the host runs. Returns how many are wanted at first: one tells of its functions. */
unsigned iswi_scale_init(iswi_pool *pool);

/* The settings have changed: what is wanted is between its new bounds. */
void iswi_scale_renew(iswi_pool *pool);

/* Set what is wanted. Sets *next_ns to when it wants to be called again, if that is sooner. */
void iswi_scale_tend(iswi_pool *pool, int64_t now_ns, int64_t *next_ns);

/* Which of the staff goes when fewer are wanted: who has had nothing to do for the longest time, or
 * has the least. NULL: there is none. */
iswi_process *iswi_scale_idlest(iswi_pool *pool);

#endif
