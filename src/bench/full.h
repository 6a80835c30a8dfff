/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_FULL_H
#define ISWI_BENCH_FULL_H

/* What `isoworker bench` measures beside the main table: a little, and with --full more. */
#include "bench/table.h"

/* spawn.c, footprint.c, wrk.c, growth.c */
extern const iswi_bench_experiment iswi_bench_spawning, iswi_bench_memory, iswi_bench_http,
    iswi_bench_functions, iswi_bench_workers, iswi_bench_packing, iswi_bench_flight,
    iswi_bench_middleware, iswi_bench_syscalls;

/* Measure all experiments at `scale` times their length and show each when it is done. False when
 * one failed or this process was asked to end. */
bool iswi_bench_run_full(double scale, bool json, FILE *out);

/* The same with those that are always measured; the others have what they say, too. */
bool iswi_bench_run_usual(double scale, bool json, FILE *out);

#endif
