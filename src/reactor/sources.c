/* SPDX-License-Identifier: Apache-2.0 */
/* Sources. Invariant: one that is cold is armed, so that its bell rings; one that is warm is looked
 * at in each turn. */
#include "reactor/internal.h"

#include <stddef.h>

static void warm_up(iswi_source *source)
{
    iswi_reactor *reactor = source->reactor;

    if (source->link)
        return;
    source->next = reactor->warm;
    source->link = &reactor->warm;
    if (source->next)
        source->next->link = &source->next;
    reactor->warm = source;
}

static void cool_down(iswi_source *source)
{
    iswi_reactor *reactor = source->reactor;

    if (!source->link)
        return;
    if (reactor->following == source)
        reactor->following = source->next;
    *source->link = source->next;
    if (source->next)
        source->next->link = source->link;
    source->link = NULL;
}

/* Whoever rang the bell wants more than `ready` may know of: room to write, or the end. */
static void on_bell(iswi_watch *watch, uint32_t events)
{
    iswi_source *source =
        (iswi_source *)((char *)watch - offsetof(iswi_source, watch));

    (void)events;
    warm_up(source);
    source->turn(source);
}

bool iswi_source_begin(iswi_reactor *reactor, iswi_source *source)
{
    source->reactor = reactor;
    source->watch = (iswi_watch){ .fd = source->bell, .ready = on_bell };
    source->link = NULL;
    if (!iswi_watch_begin(reactor, &source->watch, EPOLLIN | EPOLLET))
        return false;
    warm_up(source);
    return true;
}

void iswi_source_end(iswi_source *source)
{
    cool_down(source);
    iswi_watch_end(source->reactor, &source->watch);
}

void iswi_source_expect(iswi_source *source)
{
    if (!iswi_reactor_has_me(source->reactor) || source->link)
        return;
    source->arm(source, false);
    warm_up(source);
}

bool iswi_reactor_goes_on(const iswi_reactor *reactor)
{
    return iswi_reactor_has_me(reactor) &&
           (reactor->event_at < reactor->event_count || reactor->tasks.go_on);
}

bool iswi_sources_turn(iswi_reactor *reactor)
{
    iswi_source *source = reactor->warm;
    bool took = false;

    for (; source; source = reactor->following) {
        reactor->following = source->next;
        if (source->ready(source)) {
            source->turn(source);
            took = true;
        }
    }
    return took;
}

bool iswi_sources_arm(iswi_reactor *reactor)
{
    while (reactor->warm) {
        iswi_source *source = reactor->warm;

        source->arm(source, true);
        if (source->ready(source)) {
            source->arm(source, false);
            return false;
        }
        cool_down(source);
    }
    return true;
}
