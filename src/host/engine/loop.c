/* SPDX-License-Identifier: Apache-2.0 */
/* What wakes the supervisor: a bell, and descriptors that are watched. */
#include "host/engine/engine.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

isw_status iswi_loop_open(iswi_loop *loop, isw_error *error)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = ISWI_KEY_WAKE };

    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll < 0 || loop->wake < 0 ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event) != 0)
        return isw_error_set(error, ISW_E_IO, "no descriptors: %s", strerror(errno));
    return ISW_OK;
}

void iswi_loop_close(iswi_loop *loop)
{
    if (loop->epoll >= 0)
        close(loop->epoll);
    if (loop->wake >= 0)
        close(loop->wake);
}

/* -- Waking ------------------------------------------------------------------------------------ */

void iswi_host_wake(iswi_host *host)
{
    uint64_t one = 1;

    if (write(host->loop.wake, &one, sizeof one) < 0)
        return; /* it is full, so the supervisor is woken already */
}

void iswi_host_wake_by(iswi_host *host, int64_t at_ns)
{
    if (at_ns < atomic_load_explicit(&host->loop.wake_at_ns, memory_order_relaxed))
        iswi_host_wake(host);
}

/* What an event is about: pool, process (of its template: what of that) and kind in one number. */
static uint64_t event_key(const iswi_pool *pool, unsigned index, unsigned what)
{
    return (uint64_t)pool->number << 32 | (uint64_t)index << 2 | what;
}

static bool watch(iswi_host *host, int fd, uint64_t key)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = key };

    return epoll_ctl(host->loop.epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool iswi_host_watch(iswi_host *host, iswi_process *process, int fd, unsigned what)
{
    return watch(host, fd, event_key(process->pool, process->index, what));
}

bool iswi_host_watch_template(iswi_host *host, const iswi_pool *pool, int fd, unsigned what)
{
    return watch(host, fd, event_key(pool, what, ISWI_EVENT_OF_TEMPLATE));
}

void iswi_host_unwatch(iswi_host *host, int fd)
{
    epoll_ctl(host->loop.epoll, EPOLL_CTL_DEL, fd, NULL);
}

void iswi_host_close_watched(iswi_host *host, int *fd)
{
    if (*fd < 0)
        return;
    iswi_host_unwatch(host, *fd);
    close(*fd);
    *fd = -1;
}

/* -- Wishes ------------------------------------------------------------------------------------ */

void iswi_host_stop(iswi_host *host)
{
    atomic_fetch_add(&host->stops, 1);
    iswi_host_wake(host);
}

void iswi_host_reload(iswi_host *host)
{
    atomic_fetch_add(&host->reload.asked, 1);
    iswi_host_wake(host);
}
