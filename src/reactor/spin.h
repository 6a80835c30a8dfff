/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_REACTOR_SPIN_H
#define ISWI_REACTOR_SPIN_H

/* Staying awake for more: how long whoever found nothing looks again before he sleeps. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct iswi_spin {
    bool adaptive;
    int64_t budget_ns;
    unsigned fruitless; /* looks since the budget fell to nothing */
} iswi_spin;

/* `spin_us` microseconds each time; below 0 as it pays off: the budget grows while spinning finds
 * something, shrinks to nothing when it does not, or when others want the core, and is tried again
 * now and then. Where the process has one core only there is none: spinning would take it from the
 * one that is waited for. */
void iswi_spin_init(iswi_spin *spin, int64_t spin_us);

typedef bool (*iswi_spin_ready_fn)(void *user);

/* True when `ready` says so; false when the budget is used up or *stop is set. */
bool iswi_spin_until_ready(iswi_spin *spin, iswi_spin_ready_fn ready, void *user,
                           const atomic_bool *stop);

#endif
