/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HOSTS_SUBJECT_H
#define ISWI_BENCH_HOSTS_SUBJECT_H

/* What a foreign host calls: a program of ours with the bench's worker, or a bare one. It is started,
 * measured and stopped before the next one starts. One thread. */
#include "bench/hosts/foreign.h"

typedef enum iswi_bench_subject_kind {
    ISWI_BENCH_BARE_HTTP,
    ISWI_BENCH_BARE_CUSTOM,
    ISWI_BENCH_BARE_GRPC,
    ISWI_BENCH_BARE_LOOP,
    ISWI_BENCH_RUN,
    ISWI_BENCH_CUSTOM,
    ISWI_BENCH_AZURE,
    ISWI_BENCH_LAMBDA
} iswi_bench_subject_kind;

typedef struct iswi_bench_subject_program {
    iswi_bench_subject_kind kind;
    bool inside;   /* of ours: its functions are in the host's own process */
    unsigned port; /* of the foreign host; 0: it has none, and this is set to its own */
    char folder[40]; /* "" before it is made */
    pid_t pid;       /* 0: it does not run */
    int said; /* what it writes; -1 before it is started */
} iswi_bench_subject_program;

/* Why it cannot be measured by this build, in words; NULL if it can. */
const char *iswi_bench_subject_missing(iswi_bench_subject_kind kind);

/* Start it for what the options say. False when that cannot be; stop it in either case. */
bool iswi_bench_subject_start(iswi_bench_subject_program *subject,
                              const iswi_bench_foreign_options *options);

/* What it wrote goes to standard error if `loud`. */
void iswi_bench_subject_stop(iswi_bench_subject_program *subject, bool loud);

#endif
