/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_CLOCK_H
#define ISWI_BENCH_CLOCK_H

/* The time of a measurement, and when it is over. Part of all programs of the bench. */
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

int64_t iswi_bench_now_ns(void);
void iswi_bench_sleep_ns(int64_t ns);

/* True when `until_ns` has passed or a signal asked this process to end. */
bool iswi_bench_is_over(int64_t until_ns);

/* From now on SIGINT and SIGTERM make iswi_bench_is_over true, so that folders are removed. */
void iswi_bench_catch_signals(void);

#ifdef __cplusplus
}
#endif

#endif
