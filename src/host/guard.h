/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_GUARD_H
#define ISWI_HOST_GUARD_H

/*
 * The guard: a tiny process that outlives the host by a moment. It knows the process group of every
 * worker, and when the host ends, in whatever way, it kills those that are left. So no worker
 * outlives its host, not a stopped one, one in another language, nor a child of one.
 */
#include <isoworker/status.h>
#include <sys/types.h>

typedef struct iswi_guard {
    int pipe; /* its end on the host's side; closing it sets the guard off */
    pid_t pid;
} iswi_guard;

enum { ISWI_GUARD_MAX = 1024 }; /* process groups at a time */

/* Start the guard. Forks: before the first thread is made and before nng is used.
 * Errors: ISW_E_IO. */
isw_status iswi_guard_start(iswi_guard *guard, isw_error *error);

/* Tell it that `group` runs, or runs no more. */
void iswi_guard_add(iswi_guard *guard, pid_t group);
void iswi_guard_remove(iswi_guard *guard, pid_t group);

/* End it; what it still knows is killed. */
void iswi_guard_stop(iswi_guard *guard);

#endif
