/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_TRIALS_H
#define ISWI_BENCH_TRIALS_H

/* What is tried with a host of each model: harm is done to it, and what was seen is told in words. */
#include <stdbool.h>
#include <stddef.h>

enum { ISWI_BENCH_WORDS_BYTES = 512 };

typedef struct iswi_bench_trial {
    const char *key;  /* in JSON */
    const char *head; /* in the table */
    /* Write what was seen. False: it could not be tried. */
    bool (*run)(bool inside, char words[ISWI_BENCH_WORDS_BYTES]);
} iswi_bench_trial;

extern const iswi_bench_trial iswi_bench_trials[];
extern const size_t iswi_bench_trial_count;

#endif
