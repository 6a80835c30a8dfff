/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TIMER_TIMED_H
#define ISWI_HOST_TIMER_TIMED_H

/*
 * One timer: a function, its schedule, and what has become of its runs. It is told the time, and
 * says when it wants to be told again; it sleeps, calls and remembers by what stands around it
 * (iswi_timer_env), so that it can be tried without a host, at any time of any clock.
 *
 * A run is written down before it is begun and after it has ended. What was begun and has no end
 * there, since the host was killed, is begun again: with the same scheduled_for, and the next
 * attempt. So is one whose worker ended under it; where another call did that, with the same attempt, up
 * to ISWI_BYSTANDER_MAX times in a row. After `attempts` it is given up.
 *
 * Threads: one, but for what says otherwise.
 */
#include "host/engine/trigger.h"
#include "host/timer/schedule.h"
#include "host/timer/state.h"
#include "reactor/reactor.h"

#include <stdatomic.h>

typedef enum iswi_missed {
    ISWI_MISSED_ONCE, /* one run for all that were missed, which is that of the last one */
    ISWI_MISSED_ALL,  /* a run for each, in order: of the last ISWI_MISSED_MOST */
    ISWI_MISSED_SKIP  /* none */
} iswi_missed;

typedef enum iswi_overlap {
    ISWI_OVERLAP_SKIP, /* what becomes due while a run goes on is left out */
    ISWI_OVERLAP_WAIT, /* it is run behind that, as what was missed is */
    ISWI_OVERLAP_ALLOW /* it is run beside that */
} iswi_overlap;

typedef enum iswi_timer_retry {
    ISWI_TIMER_RETRY_NONE, /* a run that failed is over */
    ISWI_TIMER_RETRY_EXPONENTIAL,
    ISWI_TIMER_RETRY_FIXED
} iswi_timer_retry;

typedef struct iswi_timer_properties {
    const char *schedule, *zone;
    int64_t run_missed, overlap; /* iswi_missed, iswi_overlap */
    bool run_on_startup;
    int64_t attempts;
    int64_t retry, retry_delay_ms, retry_delay_max_ms; /* iswi_timer_retry */
} iswi_timer_properties;

enum {
    ISWI_MISSED_MOST = 100,
    ISWI_TIMER_LATE_S = 60, /* what is later was missed */
    ISWI_TIMER_AGAIN_S = 5 /* until what nobody took, or a store that failed, is tried again */
};

typedef struct iswi_timed iswi_timed;

/* A run, from before it is begun to behind its end. */
typedef struct iswi_timer_run {
    iswi_timed *timer;
    unsigned number; /* of this timer in this host, from 1 */
    int64_t scheduled_s, last_s, next_s; /* last_s 0: there was none before */
    unsigned attempt, attempts;
    bool past_due;
    bool asked; /* by an operator, or at the start: out of turn */
    char error[ISW_ERROR_MESSAGE_BYTES / 4]; /* of the attempt before; "": there was none */
} iswi_timer_run;

/* How it ended. */
typedef struct iswi_timer_end {
    bool refused; /* nobody took it: it counts as not begun */
    bool lost;    /* its worker ended under it, */
    bool bystander; /* for what another call did there */
    bool failed;
    int64_t later_s; /* it asks to be run again after that; 0: it does not */
    isw_str message; /* why; borrowed */
} iswi_timer_end;

typedef struct iswi_timer_env {
    void *user;
    iswi_timer_store *store;
    char owner[33];   /* this host among those of one store */
    int64_t lease_ms; /* of shared stores: who has not renewed it for so long is dead */
    atomic_bool held; /* nothing is begun now */
    /* Begin it; the run is copied. iswi_timed_ended follows, perhaps within this call. */
    void (*begin)(void *user, const iswi_timer_run *run);
    /* Have the task run on the timers' thread. Any thread. */
    void (*post)(void *user, iswi_task *task);
    /* Something is due at another time than before. */
    void (*rearm)(void *user);
    void (*say)(void *user, const iswi_timed *timer, isw_log_level level, const char *text);
} iswi_timer_env;

typedef enum iswi_timed_phase {
    ISWI_TIMER_NEW,
    ISWI_TIMER_LOADING,
    ISWI_TIMER_WAITING,
    ISWI_TIMER_SAVING, /* `then` comes behind it */
    ISWI_TIMER_RUNNING
} iswi_timed_phase;

struct iswi_timed {
    const iswi_entry *entry;
    iswi_timer_env *env;
    const iswi_timer_properties *properties;
    iswi_schedule schedule;
    char name[ISWI_TIMER_NAME_BYTES]; /* of its record */
    bool serves;                      /* its function is served now */
    iswi_timed_phase phase;
    iswi_timer_record record; /* as it is to lie in the store, */
    iswi_timer_record before; /* and as it was before a run was to be begun */
    uint64_t version;
    bool dirty;   /* it does not lie there yet */
    bool foreign; /* another host runs it */
    bool asked, started_up;
    unsigned asked_number; /* the run that came of it; 0: it has ended */
    bool past_due, out_of_turn; /* the run that is begun */
    int64_t previous_s;         /* of the run before that */
    int64_t not_before_s;       /* somebody was not to be had */
    unsigned bystander;         /* how often in a row the run was one */
    unsigned numbers, running;  /* runs that were begun here, and have no end */
    char owner[33], error[256]; /* texts of the record */
    /* What the store is asked now: */
    bool storing;
    void (*then)(iswi_timed *timer);
    /* It was read (NULL: there is none); whatever was under way is over. */
    void (*loaded)(iswi_timed *timer, const iswi_timer_record *found);
    void (*settled)(iswi_timed *timer);
    iswi_task task;
    isw_error stored;
    bool complained; /* that the store does not do it */
    char *text;
    uint64_t stored_version;
    bool merging; /* another one wrote it while a run went on */
    bool has_end; /* a run ended meanwhile */
    iswi_timer_end end;
    struct iswi_timed *next; /* the owner's */
};

/* NULL: no memory. Owns what is in `schedule`. */
iswi_timed *iswi_timed_create(iswi_timer_env *env, const iswi_entry *entry,
                              iswi_schedule *schedule);
void iswi_timed_destroy(iswi_timed *timer); /* nothing is stored, nothing runs */

/* It is served from now on, or no more. */
void iswi_timed_serve(iswi_timed *timer, bool on);

/* The time has come, or something has changed. */
void iswi_timed_tick(iswi_timed *timer);

/* The clock was set: what is to come is seen anew. What ran up to three hours ahead does not run
 * once more; a clock that was wrong by more does not hold it up. */
void iswi_timed_clock_set(iswi_timed *timer);

/* When it wants to be told, in microseconds since 1970-01-01 UTC; INT64_MAX: never. */
int64_t iswi_timed_due_us(const iswi_timed *timer);

void iswi_timed_ended(iswi_timed *timer, const iswi_timer_run *run, const iswi_timer_end *end);

/* Run it out of turn. ISW_E_CONFLICT: it runs; ISW_E_UNAVAILABLE: nothing is begun now. */
isw_status iswi_timed_ask(iswi_timed *timer, isw_error *error);
bool iswi_timed_is_asked(const iswi_timed *timer); /* its end is to come */

/* Begin nothing, or again, from the next time on; outlasts the host where the store does. Whether
 * it is so, and written; else once more, later. */
bool iswi_timed_pause(iswi_timed *timer, bool on);

/* Whether a run is on its way; and whether that or something of the store is. */
bool iswi_timed_runs(const iswi_timed *timer);
bool iswi_timed_is_busy(const iswi_timed *timer);

#endif
