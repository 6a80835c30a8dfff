/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_STAFF_H
#define ISWI_HOST_ENGINE_STAFF_H

/*
 * Who is to be there. A pool has a seat for each process that may be wanted: what people know by
 * its label, whoever has it. It has more places for processes than seats, so that a successor can
 * start while the one before it finishes. Whoever has a seat and does not retire is staff, of
 * which there are to be as many as are wanted. Inside the engine; written by staff.c alone. The
 * supervisor's thread.
 */
#include "host/engine/look.h"
#include "wire/limits.h"

#include <isoworker/status.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct iswi_host iswi_host;
typedef struct iswi_pool iswi_pool;
typedef struct iswi_process iswi_process;

typedef struct iswi_seat {
    char label[ISWI_NAME_MAX + 8]; /* "orders" or "orders[2]" */
    iswi_process *holder;          /* NULL: it is free */
    unsigned starts;               /* of processes that had it */
    atomic_ullong ended, failed;   /* calls of those that have it no more */
    iswi_end_look last;            /* ends.c */
} iswi_seat;

/* Make its seats and processes, of which the first `wanted` are to start. Before the host runs.
 * Errors: ISW_E_NO_MEMORY. */
isw_status iswi_staff_init(iswi_host *host, iswi_pool *pool, unsigned wanted, unsigned most,
                           isw_error *error);

/* So many may be wanted from now on, up to ISWI_WORKER_PROCESSES_MAX of one that is apart. There is
 * memory for all of them from the beginning, which is not looked at before. A seat keeps its label:
 * that of a worker which began with one process goes without a number. */
void iswi_staff_widen(iswi_host *host, iswi_pool *pool, unsigned most);

/* Fill seats that are wanted, and see those off that are not. Sets *next_ns to when it wants to be
 * called again, if that is sooner. */
void iswi_staff_tend(iswi_pool *pool, int64_t now_ns, int64_t *next_ns);

/* A place for one more: NULL when there is none, so that whoever retires for longer than
 * shutdown_grace is made to leave. And have that process start, for that seat, whose holder stays
 * who it is. */
iswi_process *iswi_staff_place(iswi_pool *pool, int64_t now_ns, int64_t *next_ns);
void iswi_staff_appoint(iswi_process *process, iswi_seat *seat);
iswi_seat *iswi_staff_free_seat(iswi_pool *pool); /* NULL: there is none */

/* Of one that is ready and retires: have it end, if all is answered. False: it is not, yet. */
bool iswi_process_see_off(iswi_process *process, int64_t now_ns, int64_t *next_ns);

/* It has ended and is not started again: its place is spare. */
void iswi_process_vacate(iswi_process *process);

#endif
