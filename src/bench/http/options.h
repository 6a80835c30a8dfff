/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HTTP_OPTIONS_H
#define ISWI_BENCH_HTTP_OPTIONS_H

/* What `isoworker bench http` was told to measure, and how long. */
#include "bench/http/result.h"

enum { ISWI_BENCH_KILLS_TIMES = 6 }; /* a row with kills takes as long as so many others */

typedef struct iswi_bench_http_options {
    bool json, full;
    long seconds;
    char *command; /* of our worker; NULL: the bench's. It is freed by whoever parsed. */
    unsigned rounds;
    int64_t slice_ns; /* of one row of one stack in one round */
    bool stacks[ISWI_BENCH_STACKS_MOST], rows[ISWI_BENCH_ROWS_MOST]; /* that are measured */
} iswi_bench_http_options;

/* Read the words of the command into zeroed `options`, with what follows from them and from what
 * is installed. False when the command is done, after what is to be said; then with its status. */
bool iswi_bench_http_parse(int argc, char **argv, iswi_bench_http_options *options, int *code);

#endif
