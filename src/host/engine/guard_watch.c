/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who guards the guard: the supervisor. The kernel ends it like any other process when memory is
 * out. Invariant: while a worker has a process there is a guard that knows of it, or the log has said
 * that there is none and another one is tried for. A host whose workers all run inside it has none.
 */
#include "base/clock.h"
#include "host/engine/engine.h"

#include <sys/epoll.h>

#define LEAST_LIFE_NS INT64_C(1000000000) /* one that ends sooner is not replaced at once */

static bool watch(iswi_host *host)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = ISWI_KEY_GUARD };

    host->guard.begun_ns = iswi_now_ns();
    return epoll_ctl(host->loop.epoll, EPOLL_CTL_ADD, host->guard.pid_fd, &event) == 0;
}

void iswi_guard_watch(iswi_host *host)
{
    if (host->guard.pid && !watch(host))
        iswi_say(host, ISW_LOG_WARNING,
                 "the guard, which ends workers when this host ends, cannot be watched");
}

isw_status iswi_guard_need(iswi_host *host, isw_error *error)
{
    if (host->guard.pid || host->guard.retry_ns)
        return ISW_OK;
    if (iswi_guard_start(&host->guard, error) == ISW_OK)
        iswi_guard_watch(host);
    return error->status;
}

static void tell_all(iswi_host *host)
{
    for (size_t i = 0; i < host->pool_count; i++) {
        for (unsigned j = 0; j < host->pools[i].count; j++)
            if (host->pools[i].processes[j].running &&
                iswi_launcher_is_parent(&host->pools[i].launcher))
                iswi_guard_add(&host->guard, host->pools[i].processes[j].os.pid);
        if (host->pools[i].template.now.pid)
            iswi_guard_add(&host->guard, host->pools[i].template.now.pid);
    }
}

static void replace(iswi_host *host)
{
    isw_error error = { ISW_OK, "" };

    host->guard.retry_ns = 0;
    if (iswi_guard_start(&host->guard, &error) == ISW_OK && watch(host)) {
        tell_all(host);
        iswi_say(host, ISW_LOG_INFO, "another guard runs, as pid %ld",
                 (long)host->guard.pid);
        return;
    }
    iswi_guard_stop(&host->guard);
    host->guard.retry_ns = iswi_now_ns() + LEAST_LIFE_NS;
    iswi_say(host, ISW_LOG_ERROR,
             "no guard could be started, and workers would outlive a host that is killed: "
             "%s; tried again every second", error.status ? error.message : "no watch");
}

void iswi_guard_ended(iswi_host *host)
{
    int64_t again_ns = host->guard.begun_ns + LEAST_LIFE_NS;
    char how[96];

    iswi_guard_reap(&host->guard, how, sizeof how);
    iswi_say(host, ISW_LOG_WARNING,
             "the guard, which ends workers when this host ends, %s; another one takes its "
             "place", how);
    if (iswi_now_ns() < again_ns)
        host->guard.retry_ns = again_ns;
    else
        replace(host);
}

void iswi_guard_tend(iswi_host *host, int64_t now_ns, int64_t *next_ns)
{
    if (host->guard.retry_ns && now_ns >= host->guard.retry_ns)
        replace(host);
    iswi_guard_hold(&host->guard);
    if (host->guard.retry_ns && host->guard.retry_ns < *next_ns)
        *next_ns = host->guard.retry_ns;
}
