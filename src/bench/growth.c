/* SPDX-License-Identifier: Apache-2.0 */
/* What more of something costs: functions, workers, calls in flight, middleware. */
#include "bench/full.h"
#include "bench/setup.h"

#include <math.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static iswi_bench_setup setup_of(const iswi_bench_line *line)
{
    iswi_bench_setup setup;

    iswi_bench_parse_setup(line->point->setup, &setup);
    return setup;
}

static double functions(const iswi_bench_line *line)
{
    return setup_of(line).functions;
}

static double workers(const iswi_bench_line *line)
{
    return setup_of(line).workers;
}

/* Where functions and workers grow. */
static const iswi_bench_column columns[] = {
    { "functions", "FUNCTIONS", 0, functions },
    { "workers", "WORKERS", 0, workers },
    { "payload_bytes", "BYTES", 0, iswi_bench_payload },
    { "in_flight", "IN FLIGHT", 0, iswi_bench_in_flight },
    { "p50_us", "P50 us", 2, iswi_bench_p50 },
    { "p99_us", "P99 us", 2, iswi_bench_p99 },
    { "per_s", "PER SECOND", 0, iswi_bench_per_s },
    { "cpu_us", "CPU us", 2, iswi_bench_cpu },
    { "ratio_p50_to_one", "P50/first", 2, iswi_bench_ratio_p50 },
    { "ratio_per_s_to_one", "RATE/first", 2, iswi_bench_ratio_per_s },
    { 0 },
};

/* -- Functions and workers --------------------------------------------------------------------- */

static const iswi_bench_point function_points[] = {
    { "ring+chain", "ring+chain", 1 },
    { "ring+chain,functions=100", "ring+chain", 100 },
    { "ring+chain,functions=10000", "ring+chain", 10000 },
    { "ring+chain,functions=10000,workers=16", "ring+chain", 10000 },
};

const iswi_bench_experiment iswi_bench_functions = {
    .name = "functions",
    .title = "registered in each worker and called in turn",
    .points = function_points,
    .point_count = COUNT(function_points),
    .modes = ISWI_BENCH_ONLY(ISWI_BENCH_BACK_TO_BACK),
    .rounds = 5,
    .rounds_least = 1,
    .slice_ms = 300,
    .columns = columns,
};

static const iswi_bench_point worker_points[] = {
    { "ring+chain", "ring+chain", 1 },
    { "ring+chain,workers=2", "ring+chain", 2 },
    { "ring+chain,workers=4", "ring+chain", 4 },
    { "ring+chain,workers=8", "ring+chain", 8 },
};

const iswi_bench_experiment iswi_bench_workers = {
    .name = "workers",
    .title = "processes of one worker that share the calls",
    .points = worker_points,
    .point_count = COUNT(worker_points),
    .modes = ISWI_BENCH_ONLY(ISWI_BENCH_BACK_TO_BACK) | ISWI_BENCH_ONLY(ISWI_BENCH_PIPELINED),
    .rounds = 5,
    .rounds_least = 1,
    .slice_ms = 300,
    .columns = columns,
};

static const iswi_bench_point packing_points[] = {
    { "ring+chain", "ring+chain", 1 },
    { "ring+chain,workers=8", "ring+chain", 8 },
};

static const iswi_bench_column packing_columns[] = {
    { "workers", "WORKERS", 0, workers },
    { "in_flight", "IN FLIGHT", 0, iswi_bench_in_flight },
    { "p50_us", "P50 us", 2, iswi_bench_p50 },
    { "per_s", "PER SECOND", 0, iswi_bench_per_s },
    { "cpu_us", "CPU us", 2, iswi_bench_cpu },
    { "ratio_per_s_to_one", "RATE/first", 2, iswi_bench_ratio_per_s },
    { 0 },
};

const iswi_bench_experiment iswi_bench_packing = {
    .name = "packing",
    .title = "as many calls in flight over processes of one worker: as fast as over one, if they\n"
             "  are packed onto those that are awake",
    .points = packing_points,
    .point_count = COUNT(packing_points),
    .modes = ISWI_BENCH_ONLY(ISWI_BENCH_PIPELINED),
    .rounds = 5,
    .rounds_least = 1,
    .slice_ms = 300,
    .columns = packing_columns,
};

/* -- Calls in flight --------------------------------------------------------------------------- */

static const iswi_bench_point flight_points[] = {
    { "ring+chain,in_flight=1", "ring+chain", 1 },
    { "ring+chain,in_flight=8", "ring+chain", 8 },
    { "ring+chain,in_flight=64", "ring+chain", 64 },
    { "ring+chain,in_flight=512", "ring+chain", 512 },
    { "ring+chain,in_flight=4096", "ring+chain", 4096 },
    { "ring+chain,in_flight=10000", "ring+chain", 10000 },
};

static const iswi_bench_column flight_columns[] = {
    { "in_flight", "IN FLIGHT", 0, iswi_bench_in_flight },
    { "payload_bytes", "BYTES", 0, iswi_bench_payload },
    { "p50_us", "P50 us", 2, iswi_bench_p50 },
    { "p99_us", "P99 us", 2, iswi_bench_p99 },
    { "per_s", "PER SECOND", 0, iswi_bench_per_s },
    { "ratio_p50_to_one", "P50/first", 2, iswi_bench_ratio_p50 },
    { "ratio_per_s_to_one", "RATE/first", 2, iswi_bench_ratio_per_s },
    { 0 },
};

const iswi_bench_experiment iswi_bench_flight = {
    .name = "in-flight",
    .title = "one more call for each answer",
    .points = flight_points,
    .point_count = COUNT(flight_points),
    .modes = ISWI_BENCH_ONLY(ISWI_BENCH_PIPELINED),
    .rounds = 5,
    .rounds_least = 1,
    .slice_ms = 300,
    .columns = flight_columns,
};

/* -- Middleware -------------------------------------------------------------------------------- */

#define MIDDLEWARE(lane, count)                                               \
    {                                                                         \
        lane ",middleware=" #count, lane, count                               \
    }
static const iswi_bench_point middleware_points[] = {
    MIDDLEWARE("in-process", 0), MIDDLEWARE("in-process", 1), MIDDLEWARE("in-process", 2),
    MIDDLEWARE("in-process", 4), MIDDLEWARE("in-process", 8), MIDDLEWARE("in-process", 16),
    MIDDLEWARE("ring", 0),       MIDDLEWARE("ring", 1),       MIDDLEWARE("ring", 2),
    MIDDLEWARE("ring", 4),       MIDDLEWARE("ring", 8),       MIDDLEWARE("ring", 16),
};

/* A time that a tenth of the calls stay below. Nothing in process waits, so a longer one is what
 * else the machine did, which for some points is more than all their middleware. */
static double undisturbed_ns(const iswi_bench_row *row)
{
    return row->times_ns[row->count / 10];
}

/* The slope of the line through all points of the same label, by least squares. */
static double slope_ns(const iswi_bench_line *line)
{
    const iswi_bench_experiment *e = line->experiment;
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;

    if (!setup_of(line).in_process)
        return NAN; /* it drowns in what two processes do to each other's time */
    for (unsigned i = 0; i < e->point_count; i++) {
        const iswi_bench_point *point = &e->points[i];
        const iswi_bench_row *row = iswi_bench_row_of(line->report, point, line->row->mode);

        if (!row || !row->count || strcmp(point->label, line->point->label) != 0)
            continue;
        n += 1;
        x += point->number;
        y += undisturbed_ns(row);
        xx += (double)point->number * point->number;
        xy += point->number * undisturbed_ns(row);
    }
    return n > 1 ? (n * xy - x * y) / (n * xx - x * x) : NAN;
}

static const iswi_bench_column middleware_columns[] = {
    { "middleware", "MIDDLEWARE", 0, iswi_bench_number },
    { "payload_bytes", "BYTES", 0, iswi_bench_payload },
    { "in_flight", "IN FLIGHT", 0, iswi_bench_in_flight },
    { "p50_us", "P50 us", 3, iswi_bench_p50 },
    { "p99_us", "P99 us", 3, iswi_bench_p99 },
    { "per_s", "PER SECOND", 0, iswi_bench_per_s },
    { "ns_per_middleware", "ns FOR EACH", 1, slope_ns },
    { 0 },
};

const iswi_bench_experiment iswi_bench_middleware = {
    .name = "middleware",
    .title = "that does nothing but call the next; ns for each: the slope over the calls of a\n"
             "  point that were not disturbed (its tenth percentile), by least squares",
    .points = middleware_points,
    .point_count = COUNT(middleware_points),
    .modes = ISWI_BENCH_ONLY(ISWI_BENCH_BACK_TO_BACK),
    .rounds = 15, /* many: a process is as fast as the place where it happens to lie */
    .rounds_least = 1,
    .slice_ms = 100,
    .columns = middleware_columns,
};
