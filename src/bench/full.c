/* SPDX-License-Identifier: Apache-2.0 */
/* The experiments one after the other. As in the main table, the points of one are interleaved in
 * rounds, so that what disturbs the machine disturbs all of them. */
#include "bench/full.h"

#include "bench/case.h"
#include "bench/clock.h"
#include "bench/plan.h"

enum { SLICE_LEAST_MS = 10, PAYLOAD = 100 };

static const iswi_bench_experiment *const experiments[] = {
    &iswi_bench_spawning,  &iswi_bench_memory, &iswi_bench_http,       &iswi_bench_functions,
    &iswi_bench_workers,   &iswi_bench_flight, &iswi_bench_middleware, &iswi_bench_syscalls,
};
enum { EXPERIMENTS = sizeof experiments / sizeof experiments[0], POINTS_MAX = 16 };

/* False when a point failed; it is not tried again. */
static bool measure_points(const iswi_bench_experiment *e, double scale, iswi_bench_report *report)
{
    iswi_bench_plan plan = { .slice_ms = (int64_t)((double)e->slice_ms * scale),
                             .payloads = { PAYLOAD }, .payload_count = 1, .modes = e->modes };
    unsigned rounds = (unsigned)(e->rounds * (scale < 1 ? scale : 1) + 0.5);
    bool failed[POINTS_MAX] = { false };
    bool all = true;

    if (plan.slice_ms < SLICE_LEAST_MS)
        plan.slice_ms = SLICE_LEAST_MS;
    if (rounds < e->rounds_least)
        rounds = e->rounds_least;
    for (unsigned round = 0; round < rounds; round++)
        for (unsigned i = 0; i < e->point_count && i < POINTS_MAX; i++) {
            const char *setup = e->points[i].setup;

            if (failed[i] || iswi_bench_case_missing(setup))
                continue;
            iswi_bench_show_progress(e->name, setup);
            failed[i] = !iswi_bench_measure_case(setup, &plan, report);
            if (iswi_bench_is_over(INT64_MAX))
                return false;
            if (failed[i])
                fprintf(stderr, "%s: %s: not measured\n", e->name, setup);
            all = all && !failed[i];
        }
    return all;
}

static void show_missing(const iswi_bench_experiment *e, const char *missing, FILE *out)
{
    if (missing)
        fprintf(out, "\n%s: %s\n", e->name, missing);
    for (unsigned i = 0; i < e->point_count; i++)
        if (iswi_bench_case_missing(e->points[i].setup))
            fprintf(out, "  %s: %s\n", e->points[i].label,
                    iswi_bench_case_missing(e->points[i].setup));
}

static bool run(const iswi_bench_experiment *e, double scale, bool json, FILE *out)
{
    iswi_bench_report report = { 0 };
    const char *missing = NULL;
    bool failed = false;

    if (e->measure)
        missing = e->measure(e, scale, &report, &failed);
    else
        failed = !measure_points(e, scale, &report);
    iswi_bench_show_progress("", "");
    iswi_bench_report_settle(&report);
    iswi_bench_show_table(e, &report, json, out);
    if (!json)
        show_missing(e, missing, out);
    iswi_bench_report_fini(&report);
    fflush(out);
    return !failed;
}

bool iswi_bench_run_usual(double scale, bool json, FILE *out)
{
    return run(&iswi_bench_packing, scale, json, out) && !iswi_bench_is_over(INT64_MAX);
}

bool iswi_bench_run_full(double scale, bool json, FILE *out)
{
    bool all = true;

    for (unsigned i = 0; i < EXPERIMENTS && !iswi_bench_is_over(INT64_MAX); i++)
        all = run(experiments[i], scale, json, out) && all;
    return all && !iswi_bench_is_over(INT64_MAX);
}
