/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_REACTOR_REACTOR_H
#define ISWI_REACTOR_REACTOR_H

/*
 * A reactor: one thread that waits for descriptors, times, tasks and sources at once, and calls
 * whom they belong to, one at a time. So what belongs to one reactor needs no lock. What it calls
 * must be quick and must not block.
 *
 * Threads: what is not said to be for any thread is for the reactor's own. All structs belong to
 * the caller, are zero at first but for what he sets, and stay where they are while they are known
 * to the reactor.
 */
#include "reactor/timers.h"

#include <isoworker/status.h>

typedef struct iswi_reactor iswi_reactor;

typedef struct iswi_reactor_options {
    const char *name; /* of its thread, at most 15 bytes ["isw:reactor"] */
    int64_t spin_us;  /* how long it stays awake for its sources; -1: as it pays off */
} iswi_reactor_options;

/* Start its thread. Errors: ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_reactor_start(const iswi_reactor_options *options, iswi_reactor **out,
                              isw_error *error);

/* Run the tasks that were posted, end the thread, and free. Nothing is called any more; watches,
 * timers and sources that are left are forgotten. From another thread; NULL is allowed. */
void iswi_reactor_stop(iswi_reactor *reactor);

/* Whether the calling thread is it. Any thread. */
bool iswi_reactor_is_own(const iswi_reactor *reactor);

/* -- Descriptors ------------------------------------------------------------------------------- */

typedef struct iswi_watch {
    int fd; /* the caller's */
    void (*ready)(struct iswi_watch *watch, uint32_t events); /* as epoll has them */
} iswi_watch;

/* Call `ready` when one of `events` (EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLET...) is there. False
 * with errno. */
bool iswi_watch_begin(iswi_reactor *reactor, iswi_watch *watch, uint32_t events);
bool iswi_watch_change(iswi_reactor *reactor, iswi_watch *watch, uint32_t events);

/* `ready` is not called again, also not for what was seen already. Before the descriptor is
 * closed. */
void iswi_watch_end(iswi_reactor *reactor, iswi_watch *watch);

/* -- Times ------------------------------------------------------------------------------------- */

/* Call timer->due at `at_ns` (monotonic) or soon after, once; a timer that was set is moved. Moving
 * it later, again and again, costs nothing. */
void iswi_reactor_set_timer(iswi_reactor *reactor, iswi_timer *timer, int64_t at_ns);
void iswi_reactor_cancel_timer(iswi_reactor *reactor, iswi_timer *timer);

/* What the clock said when this turn began. */
int64_t iswi_reactor_now_ns(const iswi_reactor *reactor);

/* -- Tasks ------------------------------------------------------------------------------------- */

typedef struct iswi_task {
    void (*run)(struct iswi_task *task); /* may free it, or post it again */
    struct iswi_task *next;              /* the reactor's */
} iswi_task;

/* Have it run on the reactor's thread, in the order of posting. A task is posted again only once it
 * runs. Any thread. */
void iswi_reactor_post(iswi_reactor *reactor, iswi_task *task);

/* The same from the reactor's own thread: before it sleeps. */
void iswi_reactor_defer(iswi_reactor *reactor, iswi_task *task);

/* What was deferred is a part of something long: look at the descriptors before the next part. From
 * the reactor's own thread. */
void iswi_reactor_yield(iswi_reactor *reactor);

/* Have `run` called on the reactor's thread, and wait until it has returned. Any thread. */
void iswi_reactor_call(iswi_reactor *reactor, void (*run)(void *user), void *user);

/* -- Sources ----------------------------------------------------------------------------------- */

/*
 * Something that is looked at without a system call while the thread is awake, and rings a
 * descriptor while it sleeps. A source is warm while the thread looks; before it sleeps it arms all
 * that are warm, and they are cold until their bell rings or somebody expects something of them.
 */
typedef struct iswi_source {
    bool (*ready)(const struct iswi_source *source); /* whether there is something to take */
    void (*turn)(struct iswi_source *source);        /* take it; also whenever its bell rang */
    void (*arm)(struct iswi_source *source, bool armed); /* whether the bell is to be rung */
    int bell; /* an eventfd of the caller's, which is never read */
    /* The reactor's: */
    iswi_reactor *reactor;
    iswi_watch watch;
    struct iswi_source *next, **link; /* among those that are warm; NULL: it is cold */
} iswi_source;

/* False with errno. It is warm at first. */
bool iswi_source_begin(iswi_reactor *reactor, iswi_source *source);
void iswi_source_end(iswi_source *source);

/* Something will come soon: no bell need be rung while the thread is awake. From another thread it
 * does nothing. Any thread. */
void iswi_source_expect(iswi_source *source);

/* Whether it has more to call in this turn: descriptors or tasks that were there at once with the one
 * that it calls now. Only then it is true; any thread, of which it is its own. */
bool iswi_reactor_goes_on(const iswi_reactor *reactor);

#endif
