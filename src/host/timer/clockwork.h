/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TIMER_CLOCKWORK_H
#define ISWI_HOST_TIMER_CLOCKWORK_H

/*
 * The timers of a host: an instance of the trigger. They live on one of its reactors, whose thread
 * alone touches them, and sleep by one timerfd of the wall clock, which also wakes them when that
 * clock is set. Nothing is polled: with nothing due nothing wakes.
 */
#include "host/timer/timed.h"

#include <semaphore.h>
#include <stdatomic.h>

typedef struct iswi_clockwork {
    iswi_host *host;
    iswi_reactor *reactor;
    iswi_timer_env env;
    iswi_timed *first; /* each that was ever served */
    atomic_bool serves; /* any */
    iswi_watch watch;  /* of the timerfd; fd -1: nothing was ever served */
    int64_t armed_us;  /* when it rings; INT64_MAX: it does not */
    atomic_size_t admitted;
    atomic_bool stops;
    sem_t idle;          /* posted when it stops, and nothing is under way */
    iswi_task look;      /* at all of them, */
    atomic_bool looking; /* which was posted and does not run yet */
} iswi_clockwork;

/* The reactor's thread; false: no descriptor, which is said. */
bool iswi_clockwork_sleep(iswi_clockwork *all);

/* What is due is begun, soon. Any thread. */
void iswi_clockwork_wake(iswi_clockwork *all);

/* The same now, and as if the clock was set. The reactor's thread. */
void iswi_clockwork_look(iswi_clockwork *all, bool clock_was_set);

/* Whether nothing is under way. The reactor's thread. */
bool iswi_clockwork_is_idle(const iswi_clockwork *all);

/* run.c: iswi_timer_env.begin. */
void iswi_timer_call_begin(void *user, const iswi_timer_run *run);

/* run.c: what a function is told of its run, where that lies; it stays as long as `out`. */
typedef struct iswi_timer_described {
    char scheduled[ISWI_STAMP_BYTES], last[ISWI_STAMP_BYTES], next[ISWI_STAMP_BYTES];
    isw_named_value members[5];
} iswi_timer_described;

isw_map iswi_timer_describe(const iswi_schedule *schedule, const iswi_timer_run *run,
                            iswi_timer_described *out);

/* tell.c: iswi_trigger.tell, rows and command. */
void iswi_clockwork_tell(void *self, const iswi_entry *entry, iswi_arena *arena,
                      iswi_entry_told *out);
void iswi_clockwork_rows(void *self, iswi_trigger_row_fn row, void *user);
void iswi_clockwork_attend(void *self, iswi_trigger_attend_fn add, void *user);
isw_status iswi_clockwork_command(void *self, iswi_trigger_command *command, iswi_buffer *out,
                               isw_error *error);

#endif
