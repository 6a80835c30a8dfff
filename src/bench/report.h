/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_REPORT_H
#define ISWI_BENCH_REPORT_H

/* The rows of a bench: samples of all rounds together, what they come to, and how it is shown. */
#include "bench/samples.h"

#include <stddef.h>
#include <stdio.h>

enum { ISWI_BENCH_ROUNDS_MAX = 16 };

typedef struct iswi_bench_row {
    const char *name; /* of its case */
    iswi_bench_mode mode;
    uint32_t payload, in_flight;
    uint32_t *times_ns;
    size_t count, capacity;
    double rates[ISWI_BENCH_ROUNDS_MAX]; /* per second, of each round */
    unsigned rounds;
    uint64_t done, counts[ISWI_BENCH_COUNTS]; /* of all rounds */
    double p50_us, p99_us, per_s; /* the last: the median of the rounds */
    double cpu_us; /* of the processors for each round trip; NAN when it was not counted */
} iswi_bench_row;

/* Zeroed it is empty. */
typedef struct iswi_bench_report {
    iswi_bench_row *rows;
    size_t count, capacity;
} iswi_bench_report;

/* Add what one round measured of the case `name`, which outlives the report. False when memory is
 * out. */
bool iswi_bench_report_add(iswi_bench_report *report, const char *name,
                           const iswi_bench_samples *samples);

/* Compute what the rows come to; before they are shown. */
void iswi_bench_report_settle(iswi_bench_report *report);

void iswi_bench_report_json(const iswi_bench_report *report, FILE *out); /* an object a line */
void iswi_bench_report_table(const iswi_bench_report *report, FILE *out);

void iswi_bench_report_fini(iswi_bench_report *report);

#endif
