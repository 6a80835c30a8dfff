/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_TIMER_PLAN_H
#define ISWI_CLI_TIMER_PLAN_H

#include "base/arena.h"
#include "host/timer/report.h"

/* The timers of the workers that a folder's host.yaml names, as their programs tell of them when they
 * are asked, and when they would be due: for a host that does not run. All of it in the arena. What is
 * wrong is said. Returns an exit status: EX_NOINPUT, EX_CONFIG; with the second *out has the others. */
int iswi_timer_plans(const char *folder, iswi_arena *arena, iswi_timers_told *out);

#endif
