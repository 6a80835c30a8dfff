/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_CALLS_H
#define ISWI_BENCH_CALLS_H

/* Our own lanes in the bench: calls from answer callbacks, as a trigger makes them, to real
 * workers under the host engine of this process. */
#include "bench/plan.h"

/* `setup` is what setup.h says. False when there is no such case or it failed; standard
 * error then says why. */
bool iswi_bench_measure_calls(const char *setup, const iswi_bench_plan *plan);

#endif
