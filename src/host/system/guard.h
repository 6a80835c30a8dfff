/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_GUARD_H
#define ISWI_HOST_SYSTEM_GUARD_H

/*
 * The guard: a tiny process that outlives the host by a moment. It knows the process group of every
 * worker, and when the host ends, in whatever way, it kills those that are left. So no worker
 * outlives its host, not a stopped one, one in another language, nor a child of one; with a cgroup
 * not even a child that has left the process group. It removes the folder of the host's sockets, and
 * holds a lock until then, so that what the host had is not another's while a worker still runs.
 * Should it end before the host, another one takes its place (guard_watch.c).
 */
#include <isoworker/status.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct iswi_guard {
    const char *folder; /* to remove; the caller's, set before the start; NULL: none */
    const char *cgroup; /* in which all workers are; likewise */
    int pipe;           /* its end on the host's side; closing it sets the guard off */
    int socket;         /* over which it is given the lock */
    atomic_int lock;    /* a descriptor of the host's that has one; 0: there is none. Any thread */
    int held;           /* the one that it was given */
    pid_t pid;          /* 0: there is none */
    int pid_fd;         /* readable when it has ended; -1: none */
    int64_t begun_ns, retry_ns; /* guard_watch.c */
} iswi_guard;

enum { ISWI_GUARD_MAX = 1024 }; /* process groups at a time */

/* Start the guard, which knows of nobody. Forks, and the child makes only calls that are safe after
 * that, in a program with threads, too. Any thread. Errors: ISW_E_IO. */
isw_status iswi_guard_start(iswi_guard *guard, isw_error *error);

/* Tell it that `group` runs, or runs no more. One that does not listen is ended. */
void iswi_guard_add(iswi_guard *guard, pid_t group);
void iswi_guard_remove(iswi_guard *guard, pid_t group);

/* Give it what `lock` is, if that is another one than it has. */
void iswi_guard_hold(iswi_guard *guard);

/* It has ended: wait for it, and say how, "was ended by signal 9 (Killed)". */
void iswi_guard_reap(iswi_guard *guard, char *how, size_t size);

/* End it; what it still knows is killed. */
void iswi_guard_stop(iswi_guard *guard);

#endif
