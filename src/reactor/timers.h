/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_REACTOR_TIMERS_H
#define ISWI_REACTOR_TIMERS_H

/* Timers in the order of their times: a pairing heap (Fredman, Sedgewick, Sleator and Tarjan,
 * Algorithmica 1, 1986) whose nodes lie in the timers, so that setting one cannot fail. */
#include <stdbool.h>
#include <stdint.h>

typedef struct iswi_timer {
    void (*due)(struct iswi_timer *timer); /* the owner's */
    int64_t at_ns;                         /* when it is due */
    /* The heap's: */
    int64_t key_ns; /* what it is sorted by: not after at_ns */
    struct iswi_timer *child, *next, *before; /* before: the left sibling, or the parent */
    bool is_set;
} iswi_timer;

typedef struct iswi_timers {
    iswi_timer *first;
} iswi_timers;

/* Set or move. O(1), but O(log n) where it moves to an earlier time. */
void iswi_timers_set(iswi_timers *timers, iswi_timer *timer, int64_t at_ns);

void iswi_timers_cancel(iswi_timers *timers, iswi_timer *timer);

/* Take out one that is due; NULL: none is. */
iswi_timer *iswi_timers_take(iswi_timers *timers, int64_t now_ns);

/* When to look again, never later than the first is due; INT64_MAX: never. */
int64_t iswi_timers_next(const iswi_timers *timers);

#endif
