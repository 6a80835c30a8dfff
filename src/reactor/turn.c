/* SPDX-License-Identifier: Apache-2.0 */
/* The turn of a reactor. Invariant: before it sleeps all sources are armed and it has looked again
 * at what others may have left meanwhile. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "reactor/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* For each look at the descriptors: looks at the sources, and turns in which there was something. */
enum { LOOKS_PER_POLL = 256, TURNS_PER_POLL = 32 };

bool iswi_reactor_is_own(const iswi_reactor *reactor)
{
    return iswi_reactor_has_me(reactor);
}

int64_t iswi_reactor_now_ns(const iswi_reactor *reactor)
{
    return reactor->now_ns;
}

void iswi_reactor_yield(iswi_reactor *reactor)
{
    reactor->yields = true;
}

void iswi_reactor_set_timer(iswi_reactor *reactor, iswi_timer *timer, int64_t at_ns)
{
    iswi_timers_set(&reactor->timers, timer, at_ns);
}

void iswi_reactor_cancel_timer(iswi_reactor *reactor, iswi_timer *timer)
{
    iswi_timers_cancel(&reactor->timers, timer);
}

/* -- A turn ------------------------------------------------------------------------------------ */

static bool run_timers(iswi_reactor *reactor)
{
    iswi_timer *timer;
    bool ran = false;

    if (iswi_timers_next(&reactor->timers) > reactor->now_ns)
        return false;
    while ((timer = iswi_timers_take(&reactor->timers, reactor->now_ns)) != NULL) {
        timer->due(timer);
        ran = true;
    }
    return ran;
}

/* Rounded up: a timer is never early. */
static int until_next_timer_ms(const iswi_reactor *reactor)
{
    int64_t next_ns = iswi_timers_next(&reactor->timers);
    int64_t left_ms;

    if (next_ns == INT64_MAX)
        return -1;
    left_ms = (next_ns - iswi_now_ns() + 999999) / 1000000;
    return left_ms < 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms;
}

/* Something came while it stays awake for its sources. */
static bool something_came(void *user)
{
    iswi_reactor *reactor = user;

    return iswi_sources_ready(reactor) || iswi_tasks_wait(&reactor->tasks) ||
           (++reactor->looks % LOOKS_PER_POLL == 0 && iswi_watches_turn(reactor, 0) > 0);
}

/* Wait for what comes next. */
static void rest(iswi_reactor *reactor)
{
    if (reactor->warm &&
        iswi_spin_until_ready(&reactor->spin, something_came, reactor, &reactor->stopping))
        return;
    if (!iswi_sources_arm(reactor))
        return;
    atomic_store(&reactor->sleeps, true);
    if (iswi_tasks_wait(&reactor->tasks) || atomic_load(&reactor->stopping)) {
        atomic_store_explicit(&reactor->sleeps, false, memory_order_relaxed);
        return;
    }
    iswi_watches_turn(reactor, until_next_timer_ms(reactor));
}

/* Those who yield while it looks, yield to the next look. */
static void look(iswi_reactor *reactor)
{
    reactor->yields = false;
    iswi_watches_turn(reactor, 0);
}

static void *run(void *user)
{
    iswi_reactor *reactor = user;

    unsigned turns = 0; /* without a look at the descriptors */

    iswi_thread_name(reactor->name);
    while (!atomic_load_explicit(&reactor->stopping, memory_order_relaxed)) {
        bool busy = iswi_sources_turn(reactor);

        if (iswi_tasks_wait(&reactor->tasks)) {
            iswi_tasks_run(&reactor->tasks);
            busy = true;
        }
        busy = run_timers(reactor) || busy;
        if (!busy)
            rest(reactor);
        else if (++turns % TURNS_PER_POLL == 0 || reactor->yields)
            look(reactor);
    }
    while (iswi_tasks_wait(&reactor->tasks))
        iswi_tasks_run(&reactor->tasks);
    return NULL;
}

/* -- Begin and end ----------------------------------------------------------------------------- */

static void on_bell(iswi_watch *watch, uint32_t events)
{
    (void)watch;
    (void)events; /* what it was rung for is looked at in each turn */
}

static bool open_descriptors(iswi_reactor *reactor)
{
    reactor->epoll = epoll_create1(EPOLL_CLOEXEC);
    reactor->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    reactor->bell_watch = (iswi_watch){ reactor->bell, on_bell };
    return reactor->epoll >= 0 && reactor->bell >= 0 &&
           iswi_watch_begin(reactor, &reactor->bell_watch, EPOLLIN | EPOLLET);
}

static void destroy(iswi_reactor *reactor)
{
    if (reactor->epoll >= 0)
        close(reactor->epoll);
    if (reactor->bell >= 0)
        close(reactor->bell);
    iswi_free(reactor);
}

isw_status iswi_reactor_start(const iswi_reactor_options *options, iswi_reactor **out,
                              isw_error *error)
{
    iswi_reactor *reactor = iswi_calloc(1, sizeof *reactor);
    int failure;

    if (!reactor)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a reactor");
    reactor->name = options->name ? options->name : "isw:reactor";
    reactor->now_ns = iswi_now_ns();
    iswi_tasks_init(&reactor->tasks);
    iswi_spin_init(&reactor->spin, options->spin_us);
    failure = open_descriptors(reactor) ? 0 : errno;
    if (!failure)
        failure = pthread_create(&reactor->thread, NULL, run, reactor);
    if (failure) {
        destroy(reactor);
        return isw_error_set(error, ISW_E_IO, "cannot start a reactor: %s", strerror(failure));
    }
    *out = reactor;
    return ISW_OK;
}

void iswi_reactor_stop(iswi_reactor *reactor)
{
    uint64_t one = 1;

    if (!reactor)
        return;
    atomic_store(&reactor->stopping, true);
    (void)!write(reactor->bell, &one, sizeof one);
    pthread_join(reactor->thread, NULL);
    destroy(reactor);
}
