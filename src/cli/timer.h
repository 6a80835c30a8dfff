/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_TIMER_H
#define ISWI_CLI_TIMER_H

#include "host/timer/report.h"

/* Say how the run of a timer went that somebody has waited for, so many seconds at most. Returns the
 * exit status: EX_SOFTWARE, it failed; EX_TEMPFAIL, it goes on. */
int iswi_timer_print_run(const iswi_timer_told *timer, long wait_s);

#endif
