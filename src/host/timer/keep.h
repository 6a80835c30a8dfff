/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TIMER_KEEP_H
#define ISWI_HOST_TIMER_KEEP_H

/* A timer and its record in the store, which is asked one thing at a time. The timers' thread. */
#include "host/timer/timed.h"

/* Ask for it; timer->loaded follows. */
void iswi_timed_load(iswi_timed *timer);

/* Write it; `then` (may be NULL) follows if it lies there, and nothing of what it would have begun
 * if not. */
void iswi_timed_save(iswi_timed *timer, void (*then)(iswi_timed *timer));

bool iswi_timed_allows_others(const iswi_timed *timer); /* runs beside its own */

void iswi_timed_say(const iswi_timed *timer, isw_log_level level, const char *format, ...)
    ISW_PRINTF(3, 4);

#endif
