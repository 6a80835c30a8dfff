/* SPDX-License-Identifier: Apache-2.0 */
#include "reactor/timers.h"

#include <stddef.h>

/* The earlier of two heaps becomes the parent of the other. Both may be NULL. */
static iswi_timer *meld(iswi_timer *a, iswi_timer *b)
{
    iswi_timer *parent = a;
    iswi_timer *child = b;

    if (!a || !b)
        return a ? a : b;
    if (b->key_ns < a->key_ns) {
        parent = b;
        child = a;
    }
    child->before = parent;
    child->next = parent->child;
    if (child->next)
        child->next->before = child;
    parent->child = child;
    return parent;
}

/* One heap from a list of siblings: in pairs from the left, then all from the right. */
static iswi_timer *meld_all(iswi_timer *siblings)
{
    iswi_timer *pairs = NULL;
    iswi_timer *all = NULL;

    while (siblings) {
        iswi_timer *a = siblings;
        iswi_timer *b = a->next;

        siblings = b ? b->next : NULL;
        a->next = a->before = NULL;
        if (b)
            b->next = b->before = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        iswi_timer *pair = pairs;

        pairs = pair->next;
        pair->next = NULL;
        all = meld(all, pair);
    }
    return all;
}

static void insert(iswi_timers *timers, iswi_timer *timer)
{
    timer->key_ns = timer->at_ns;
    timer->child = timer->next = timer->before = NULL;
    timer->is_set = true;
    timers->first = meld(timers->first, timer);
}

void iswi_timers_cancel(iswi_timers *timers, iswi_timer *timer)
{
    iswi_timer *below;

    if (!timer->is_set)
        return;
    timer->is_set = false;
    below = meld_all(timer->child);
    timer->child = NULL;
    if (timers->first == timer) {
        timers->first = below;
        return;
    }
    if (timer->before->child == timer)
        timer->before->child = timer->next;
    else
        timer->before->next = timer->next;
    if (timer->next)
        timer->next->before = timer->before;
    timer->next = timer->before = NULL;
    timers->first = meld(timers->first, below);
}

void iswi_timers_set(iswi_timers *timers, iswi_timer *timer, int64_t at_ns)
{
    timer->at_ns = at_ns;
    if (timer->is_set && timer->key_ns <= at_ns)
        return; /* it moves when its old time has come */
    iswi_timers_cancel(timers, timer);
    insert(timers, timer);
}

iswi_timer *iswi_timers_take(iswi_timers *timers, int64_t now_ns)
{
    iswi_timer *timer;

    while ((timer = timers->first) != NULL && timer->key_ns <= now_ns) {
        iswi_timers_cancel(timers, timer);
        if (timer->at_ns <= now_ns)
            return timer;
        insert(timers, timer);
    }
    return NULL;
}

int64_t iswi_timers_next(const iswi_timers *timers)
{
    return timers->first ? timers->first->key_ns : INT64_MAX;
}
