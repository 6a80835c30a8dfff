/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: an epoll whose events lead straight to their watches. */
#include "base/clock.h"
#include "reactor/internal.h"

static bool control(iswi_reactor *reactor, int operation, iswi_watch *watch, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = watch };

    return epoll_ctl(reactor->epoll, operation, watch->fd, &event) == 0;
}

bool iswi_watch_begin(iswi_reactor *reactor, iswi_watch *watch, uint32_t events)
{
    return control(reactor, EPOLL_CTL_ADD, watch, events);
}

bool iswi_watch_change(iswi_reactor *reactor, iswi_watch *watch, uint32_t events)
{
    return control(reactor, EPOLL_CTL_MOD, watch, events);
}

void iswi_watch_end(iswi_reactor *reactor, iswi_watch *watch)
{
    control(reactor, EPOLL_CTL_DEL, watch, 0);
    for (int i = reactor->event_at; i < reactor->event_count; i++)
        if (reactor->events[i].data.ptr == watch)
            reactor->events[i].data.ptr = NULL;
}

int iswi_watches_turn(iswi_reactor *reactor, int timeout_ms)
{
    int count = epoll_wait(reactor->epoll, reactor->events, ISWI_REACTOR_EVENTS, timeout_ms);

    atomic_store_explicit(&reactor->sleeps, false, memory_order_relaxed);
    reactor->now_ns = iswi_now_ns();
    reactor->event_count = count > 0 ? count : 0;
    for (reactor->event_at = 0; reactor->event_at < reactor->event_count;) {
        struct epoll_event *event = &reactor->events[reactor->event_at++];
        iswi_watch *watch = event->data.ptr;

        if (watch)
            watch->ready(watch, event->events);
    }
    return reactor->event_count;
}
