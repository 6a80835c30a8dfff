/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TIMER_RUNS_H
#define ISWI_HOST_TIMER_RUNS_H

/* Runs of a timer, for what tells it the time. The timers' thread; nothing is under way in its
 * store, but for what says otherwise. */
#include "host/timer/timed.h"

/* Something is due: write down which of it is run, or that none is, and begin it. */
void iswi_timed_run_due(iswi_timed *timer, int64_t at_s);

/* Write down that this one is run, and begin it; `past_due` and `out_of_turn` are for the run. */
void iswi_timed_claim(iswi_timed *timer, int64_t scheduled_s, bool past_due, bool out_of_turn);

/* Its record says that a run was begun, which has no end: begin it again, or give it up. */
void iswi_timed_take_over(iswi_timed *timer);

/* It is this host's, for a while; to be written. */
void iswi_timed_lease(iswi_timed *timer);

/* A run has ended: write down what that means, or begin it again. */
void iswi_timed_finish(iswi_timed *timer);

/* As much of it as there is room for. At any time. */
void iswi_timed_note_error(iswi_timed *timer, isw_str message);

#endif
