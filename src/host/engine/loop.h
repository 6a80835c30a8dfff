/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_LOOP_H
#define ISWI_HOST_ENGINE_LOOP_H

/* What the supervisor waits for. Inside the engine. Its own thread but where it says otherwise. */
#include <isoworker/status.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct iswi_host iswi_host;
typedef struct iswi_pool iswi_pool;
typedef struct iswi_process iswi_process;

/* Part of a host. */
typedef struct iswi_loop {
    int epoll, wake;
    atomic_llong wake_at_ns; /* when it looks again at the latest */
    atomic_ullong turns;     /* so that others see it turn */
    bool news;               /* this turn has some */
    bool changed;            /* functions have, and triggers are to hear of it */
    bool shown;              /* that all is settled, of the functions that are known now */
} iswi_loop;

/* Errors: ISW_E_IO. Both of a loop whose descriptors are -1. */
isw_status iswi_loop_open(iswi_loop *loop, isw_error *error);
void iswi_loop_close(iswi_loop *loop);

/* Wake it no later than that. Any thread. */
void iswi_host_wake_by(iswi_host *host, int64_t at_ns);

/* Keys of the supervisor's own events; those of processes are smaller. */
#define ISWI_KEY_WAKE UINT64_MAX
#define ISWI_KEY_CHANGES (UINT64_MAX - 1)
#define ISWI_KEY_GUARD (UINT64_MAX - 2)

/* Whether the descriptor of `what` is the process's pid (0), output (1) or errors (2). */
bool iswi_host_watch(iswi_host *host, iswi_process *process, int fd, unsigned what);

/* The same of a pool's template; template.h says what `what` is. */
bool iswi_host_watch_template(iswi_host *host, const iswi_pool *pool, int fd, unsigned what);
enum { ISWI_EVENT_OF_TEMPLATE = 3 }; /* of the last two bits of a key */

void iswi_host_unwatch(iswi_host *host, int fd);
void iswi_host_close_watched(iswi_host *host, int *fd); /* close it, too; *fd is -1 then, or was */

#endif
