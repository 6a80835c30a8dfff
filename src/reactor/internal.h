/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_REACTOR_INTERNAL_H
#define ISWI_REACTOR_INTERNAL_H

/* What a reactor is made of; each part is written by the file of its name. */
#include "reactor/reactor.h"
#include "reactor/spin.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>

enum { ISWI_REACTOR_EVENTS = 128 }; /* that it takes in one turn */

/* tasks.c */
typedef struct iswi_tasks {
    _Atomic(iswi_task *) posted; /* the last one first */
    iswi_task *first, **end;     /* in order; the reactor's own */
    bool go_on;                  /* one runs, and more are to run then */
} iswi_tasks;

void iswi_tasks_init(iswi_tasks *tasks);
bool iswi_tasks_wait(const iswi_tasks *tasks); /* whether some do */
void iswi_tasks_run(iswi_tasks *tasks); /* those that wait now */

struct iswi_reactor {
    int epoll;
    int bell; /* eventfd: tasks were posted while it slept */
    const char *name;
    pthread_t thread;
    atomic_bool stopping;
    atomic_bool sleeps; /* or is about to */
    int64_t now_ns;
    iswi_timers timers;
    iswi_tasks tasks;
    iswi_spin spin;
    iswi_source *warm;
    iswi_source *following; /* the one to look at next, in a round of those that are warm */
    unsigned looks;         /* at the sources, while it stays awake */
    bool yields;            /* whoever has a descriptor comes first */

    iswi_watch bell_watch;
    /* The events that are being gone through, for iswi_watch_end. */
    struct epoll_event events[ISWI_REACTOR_EVENTS];
    int event_at, event_count;
};

static inline bool iswi_reactor_has_me(const iswi_reactor *reactor)
{
    return pthread_equal(pthread_self(), reactor->thread);
}

/* watches.c: wait until something is ready, at most `timeout_ms` (-1: for ever), and call whom it
 * belongs to. How many there were. */
int iswi_watches_turn(iswi_reactor *reactor, int timeout_ms);

/* sources.c */
bool iswi_sources_turn(iswi_reactor *reactor);        /* whether one had something */
bool iswi_sources_arm(iswi_reactor *reactor); /* false: one has something, and is still warm */

/* Whether one that is warm has something. */
static inline bool iswi_sources_ready(const iswi_reactor *reactor)
{
    const iswi_source *source = reactor->warm;

    while (source && !source->ready(source))
        source = source->next;
    return source != NULL;
}

#endif
