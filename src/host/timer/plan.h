/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TIMER_PLAN_H
#define ISWI_HOST_TIMER_PLAN_H

/* When a timer would be due whose host does not run. Pure. */
#include "base/arena.h"
#include "host/timer/report.h"
#include "wire/frame.h"

/* What a function with these properties would do from `now_s` on: schedule, zone, state and next of
 * *out are filled, in the arena. Errors: ISW_E_CONFIG, as a host says it; ISW_E_NO_MEMORY. */
isw_status iswi_timer_plan(const isw_pairs *given, int64_t now_s, iswi_arena *arena,
                           iswi_timer_told *out, isw_error *error);

#endif
