/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_PLAN_H
#define ISWI_BENCH_PLAN_H

/* What a measuring process is asked for, and how it is carried out. Part of all programs of the
 * bench that measure. One thread at a time. */
#include "bench/samples.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a measuring process is asked for: its modes with every payload, each for `slice_ms`. */
typedef struct iswi_bench_plan {
    int64_t slice_ms;
    uint32_t payloads[ISWI_BENCH_PAYLOADS];
    unsigned payload_count;
    unsigned modes; /* a set */
} iswi_bench_plan;

/* A plan as the arguments of a process. */
enum { ISWI_BENCH_PLAN_WORDS = 3 };
typedef struct iswi_bench_words {
    char slice[24], payloads[ISWI_BENCH_PAYLOADS * 11], modes[12];
} iswi_bench_words;

void iswi_bench_plan_to_words(const iswi_bench_plan *plan, iswi_bench_words *words);
bool iswi_bench_plan_from_words(char *const words[ISWI_BENCH_PLAN_WORDS], iswi_bench_plan *plan);

/* "100,65536" into the plan; false for what is no list of sizes, or too much. */
bool iswi_bench_parse_payloads(const char *text, iswi_bench_plan *plan);

/* The seconds of --seconds. False: it is no number from 1 to 3600. */
bool iswi_bench_parse_seconds(const char *text, long *seconds);

/* Runs one measurement into `samples`: for `ns`, or until samples->most round trips; one at the
 * least. False when it failed. */
typedef bool (*iswi_bench_run_fn)(void *user, iswi_bench_samples *samples, int64_t ns);

/* What a plan is carried out on. */
typedef struct iswi_bench_subject {
    iswi_bench_run_fn run;
    uint32_t (*window)(void *user, uint32_t payload); /* how many may be in flight */
    void *user;
    int64_t started_ns; /* when the echo's process was */
    pid_t echo;         /* it; 0 in the same process */
} iswi_bench_subject;

/* Carry out the plan: for each payload and mode warm up, measure, and write to standard output. */
bool iswi_bench_carry_out(const iswi_bench_plan *plan, const iswi_bench_subject *subject);

#ifdef __cplusplus
}
#endif

#endif
