/* SPDX-License-Identifier: Apache-2.0 */
/* How timers sleep: until the first of them is due by the wall clock, or somebody sets that. */
#include "base/clock.h"
#include "host/engine/log.h"
#include "host/engine/steer.h"
#include "host/timer/clockwork.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { US = 1000000 };

/* False with errno. ECANCELED: it rings as it is to, and the clock was set before. */
static bool arm(iswi_clockwork *all, int64_t due_us)
{
    struct itimerspec at = { .it_value = { 0, 0 } }; /* it does not ring */

    due_us = due_us < 1 ? 1 : due_us;
    if (due_us != INT64_MAX)
        at.it_value = (struct timespec){ .tv_sec = due_us / US, .tv_nsec = due_us % US * 1000 };
    all->armed_us = due_us;
    return timerfd_settime(all->watch.fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at,
                           NULL) == 0;
}

bool iswi_clockwork_is_idle(const iswi_clockwork *all)
{
    for (const iswi_timed *at = all->first; at; at = at->next)
        if (iswi_timed_is_busy(at))
            return false;
    return true;
}

static int64_t first_due_us(const iswi_clockwork *all)
{
    int64_t due_us = INT64_MAX;

    for (const iswi_timed *at = all->first; at; at = at->next) {
        int64_t own_us = iswi_timed_due_us(at);

        due_us = own_us < due_us ? own_us : due_us;
    }
    return due_us;
}

static void rearm(void *user)
{
    iswi_clockwork *all = user;
    int64_t due_us = first_due_us(all);
    bool stops = atomic_load(&all->stops);
    size_t busy = 0;

    for (const iswi_timed *at = all->first; at; at = at->next)
        busy += stops ? iswi_timed_is_busy(at) : iswi_timed_runs(at);
    atomic_store(&all->admitted, busy);
    if (stops && !busy) {
        sem_post(&all->idle);
        iswi_host_wake(all->host); /* which waits for that */
    }
    if (all->watch.fd < 0 || iswi_clock_is_fake() || due_us == all->armed_us ||
        arm(all, due_us))
        return;
    if (errno == ECANCELED)
        iswi_clockwork_look(all, true);
    else
        iswi_say(all->host, ISW_LOG_CRITICAL, "timers cannot sleep, and run no more: %s",
                 strerror(errno));
}

void iswi_clockwork_look(iswi_clockwork *all, bool clock_was_set)
{
    for (iswi_timed *at = all->first; at; at = at->next)
        if (clock_was_set)
            iswi_timed_clock_set(at);
        else
            iswi_timed_tick(at);
    rearm(all);
}

static void look(iswi_task *task)
{
    iswi_clockwork *all = (iswi_clockwork *)((char *)task - offsetof(iswi_clockwork, look));

    atomic_store(&all->looking, false);
    iswi_clockwork_look(all, false);
}

void iswi_clockwork_wake(iswi_clockwork *all)
{
    all->look.run = look;
    if (!atomic_exchange(&all->looking, true))
        iswi_reactor_post(all->reactor, &all->look);
}

static void on_ring(iswi_watch *watch, uint32_t events)
{
    iswi_clockwork *all = (iswi_clockwork *)((char *)watch - offsetof(iswi_clockwork, watch));
    uint64_t times;
    bool was_set = read(watch->fd, &times, sizeof times) < 0 && errno == ECANCELED;

    (void)events;
    all->armed_us = -1;
    if (was_set)
        iswi_say(all->host, ISW_LOG_INFO, "the clock was set: timers look at it anew");
    iswi_clockwork_look(all, was_set);
}

bool iswi_clockwork_sleep(iswi_clockwork *all)
{
    all->env.rearm = rearm;
    if (all->watch.fd >= 0)
        return true;
    all->watch.ready = on_ring;
    all->watch.fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (all->watch.fd >= 0 && iswi_watch_begin(all->reactor, &all->watch, EPOLLIN))
        return true;
    iswi_say(all->host, ISW_LOG_CRITICAL, "timers cannot sleep, and do not run: %s",
             strerror(errno));
    return false;
}
