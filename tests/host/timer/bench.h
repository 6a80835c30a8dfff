/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_HOST_TIMER_BENCH_H
#define ISW_TESTS_HOST_TIMER_BENCH_H

/* What timers stand on in their tests: a clock that the test sets, a store in memory which may be
 * made to fail, and calls that the test answers. Several of these on one store are several
 * hosts. */
#include "support/main.h"

#include "host/timer/timed.h"

enum { BENCH_RUNS = 256 };

typedef struct bench {
    iswi_timer_env env;
    iswi_timer_store store; /* goes to `memory`, unless it fails */
    iswi_timer_store *memory;
    isw_error fault; /* of the store; ISW_OK: none */
    iswi_timer_properties properties;
    iswi_entry entry;
    iswi_timed *timer;
    iswi_task *first, **last; /* that were posted */
    iswi_timer_run runs[BENCH_RUNS]; /* that were begun */
    unsigned count, ended;
    char trace[512]; /* "r": read, "w": written, "W": with a run, "b": begun */
    char said[2048];
} bench;

/* The wall clock stands at this instant, "2026-03-01T10:00:00Z", until it is moved. */
void bench_clock(const char *stamp);
void bench_pass(int64_t seconds);

/* A host with one timer, of this schedule in UTC; `memory`: the store of others, or NULL. Its
 * properties may be changed before bench_serve. */
void bench_begin(bench *b, const char *schedule, iswi_timer_store *memory);
void bench_serve(bench *b);

/* It is killed: what it runs has no end. */
void bench_kill(bench *b);

/* The end of a test: what runs succeeds, and the store is closed. */
void bench_end(bench *b);

/* Time passes to there, in no more steps than the timer asks for; what it begins may answer. */
void bench_until(bench *b, const char *stamp, bool answers);

/* Do what was posted. */
void bench_settle(bench *b);

/* The oldest run that has no end, ends so. */
void bench_answer(bench *b, const iswi_timer_end *end);
void bench_succeed(bench *b);

/* The run with that index was due then. */
void assert_scheduled(const bench *b, unsigned index, const char *stamp);

#endif
