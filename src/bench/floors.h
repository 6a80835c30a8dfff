/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_FLOORS_H
#define ISWI_BENCH_FLOORS_H

/* The floors of the bench: an echo between two processes by bare means, with neither frames nor
 * functions. Each has a side that measures, and one that sends back until it is killed, which runs
 * as echo.c. False means that it could not be done. */
#include "bench/plan.h"

/* nng pair0 over ipc with nng_sendmsg and nng_recvmsg, as most programs use it. */
bool iswi_bench_measure_nng(const iswi_bench_plan *plan);
bool iswi_bench_echo_nng(const char *url);

/* A Unix stream socket with blocking reads and writes. */
bool iswi_bench_measure_unix(const iswi_bench_plan *plan);
bool iswi_bench_echo_unix(int fd);

/* Two rings in shared memory; a reader spins for a little while, then sleeps on a futex. */
bool iswi_bench_measure_ring(const iswi_bench_plan *plan);
bool iswi_bench_echo_ring(int fd);

#endif
