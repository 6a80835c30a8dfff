/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TIMER_DESCRIBE_H
#define ISWI_HOST_TIMER_DESCRIBE_H

#include "base/arena.h"
#include "host/timer/report.h"
#include "host/timer/timed.h"

/* What those outside see of it now; texts are its own, or in the arena. The timers' thread. */
void iswi_timed_describe(const iswi_timed *timer, iswi_arena *arena, iswi_timer_told *out);

#endif
