/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TIMER_COMING_H
#define ISWI_HOST_TIMER_COMING_H

#include "base/arena.h"
#include "host/timer/report.h"
#include "host/timer/schedule.h"

/* Fill `next` with `at_s`, which is one of its times (0 or ISWI_CRON_NEVER: there is none), and those
 * behind it; in the arena. */
void iswi_timer_coming(const iswi_schedule *schedule, int64_t at_s, iswi_arena *arena,
                       iswi_timer_told *out);

#endif
