/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HTTP_RESULT_H
#define ISWI_BENCH_HTTP_RESULT_H

/* What `isoworker bench http` measures of each stack, and how it is shown: a row is a table of its
 * own, with a line for each stack. */
#include "bench/http/client.h"
#include "bench/http/stack.h"

#include <stdio.h>

typedef enum iswi_bench_metric {
    ISWI_BENCH_P50_US,
    ISWI_BENCH_P99_US,
    ISWI_BENCH_PER_S,
    ISWI_BENCH_CPU_US,   /* of all processes of the stack, for each request */
    ISWI_BENCH_SWITCHES, /* of context that they asked for, for each request */
    ISWI_BENCH_THREADS,
    ISWI_BENCH_FIRST_MS,
    ISWI_BENCH_METRICS
} iswi_bench_metric;

typedef struct iswi_bench_row_kind {
    const char *name;
    const char *title;
    unsigned connections;
    uint32_t payload; /* of a POST; 0: GET */
    int64_t gap_ns;
    bool kills;   /* a process of the worker each second; only where there is a front */
    bool is_full; /* with --full alone */
    unsigned metrics; /* a set */
    iswi_bench_metric main; /* what its ratio is of; a smaller one is better but for PER_S */
} iswi_bench_row_kind;

extern const iswi_bench_row_kind iswi_bench_http_rows[];
extern const unsigned iswi_bench_http_row_count;

enum { ISWI_BENCH_CELL_ROUNDS = 32 };

/* One row of one stack, over all rounds. */
typedef struct iswi_bench_cell {
    double values[ISWI_BENCH_METRICS][ISWI_BENCH_CELL_ROUNDS];
    unsigned rounds;
    iswi_bench_tally tally;
    unsigned killed; /* processes of the worker */
    bool failed; /* it was not measured, or not to the end */
} iswi_bench_cell;

enum { ISWI_BENCH_STACKS_MOST = 8, ISWI_BENCH_ROWS_MOST = 12 };

/* Zeroed nothing is measured. */
typedef struct iswi_bench_results {
    iswi_bench_cell cells[ISWI_BENCH_ROWS_MOST][ISWI_BENCH_STACKS_MOST];
} iswi_bench_results;

/* Before they are shown: order the rounds of each value. */
void iswi_bench_results_settle(iswi_bench_results *results);

/* A table for each row, and one of them all. */
void iswi_bench_results_table(const iswi_bench_results *results, FILE *out);

void iswi_bench_results_json(const iswi_bench_results *results, FILE *out); /* an object a line */

#endif
