/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_CASE_H
#define ISWI_BENCH_CASE_H

/* One case as `isoworker bench` sees it: a process that measures and writes samples. */
#include "bench/plan.h"
#include "bench/report.h"

/* Why `name` cannot be measured by this build, in words; NULL if it can. */
const char *iswi_bench_case_missing(const char *name);

/* Measure `name`, which outlives the report, as planned, and add what came. False when it failed,
 * or when this process was asked to end. */
bool iswi_bench_measure_case(const char *name, const iswi_bench_plan *plan,
                             iswi_bench_report *report);

/* Where we are, on standard error: a line that changes on a terminal; "" takes it away. Elsewhere a
 * line for each `step` that differs from the one before. */
void iswi_bench_show_progress(const char *step, const char *name);

#endif
