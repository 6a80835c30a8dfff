/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_SUPERVISOR_H
#define ISWI_HOST_ENGINE_SUPERVISOR_H

/* The one loop that tends everything, and what it tends beside processes. Inside the engine. On the
 * supervisor's thread but where it says otherwise. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct iswi_host iswi_host;
typedef struct iswi_process iswi_process;

/* Part of a host; written by supervisor.c alone. */
typedef struct iswi_loop {
    int epoll, wake;
    atomic_llong wake_at_ns; /* when it looks again at the latest */
    atomic_ullong turns;     /* so that others see it turn */
    bool shown;              /* that all is settled, of the functions that are known now */
} iswi_loop;

/* Wake it no later than that. Any thread. */
void iswi_host_wake_by(iswi_host *host, int64_t at_ns);

/* Keys of the supervisor's own events; those of processes are smaller. */
#define ISWI_KEY_WAKE UINT64_MAX
#define ISWI_KEY_CHANGES (UINT64_MAX - 1)
#define ISWI_KEY_GUARD (UINT64_MAX - 2)

/* Whether the descriptor of `what` is the process's pid (0), output (1) or errors (2). */
bool iswi_host_watch(iswi_host *host, iswi_process *process, int fd, unsigned what);
void iswi_host_unwatch(iswi_host *host, int fd);

/* guard_watch.c: from now on the guard is replaced when it ends. */
void iswi_guard_watch(iswi_host *host);
void iswi_guard_ended(iswi_host *host); /* its pid_fd became readable */
void iswi_guard_tend(iswi_host *host, int64_t now_ns, int64_t *next_ns);

/* shutdown.c */
/* Tell each function that runs that the host stops; once, however often this is called. */
void iswi_shutdown_cancel(iswi_host *host);

/* Answer what is left, and say what it was. */
void iswi_shutdown_lose(iswi_host *host);

#endif
