/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TIMER_REPORT_H
#define ISWI_HOST_TIMER_REPORT_H

/* Timers as those outside see them: the host writes it by these tables, the command reads it by the
 * same. Times are texts as RFC 3339 has them, in the timer's zone; NULL: none. */
#include <isoworker/bind.h>

enum { ISWI_TIMER_NEXT_TIMES = 5 };

typedef struct iswi_timer_told {
    const char *function, *worker, *schedule, *zone;
    const char *state; /* waiting, running, paused, elsewhere (another host runs it), held up (its
                          state cannot be read), not served; or no host (plan.h) */
    bool paused;
    bool asked; /* a run that somebody wanted has not ended */
    const char *last, *started, *ended; /* of the last run: when it was due, begun and over */
    const char *outcome;                /* success, failed, lost, refused */
    const char *error;                  /* why */
    int64_t attempt;
    int64_t runs, failures, missed; /* since there is a state of it */
    const char **next;              /* times to come, of which a paused one keeps none */
    size_t next_count;
    const char *again; /* when the last run is tried again, which has no outcome yet; or */
    const char *due;   /* a time that has passed and is still to be run; NULL: none */
} iswi_timer_told;

typedef struct iswi_timers_told {
    iswi_timer_told *timers;
    size_t timer_count;
} iswi_timers_told;

extern const isw_field iswi_timers_told_fields[];

#endif
