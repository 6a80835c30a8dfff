/* SPDX-License-Identifier: Apache-2.0 */
/* From the start of a process to its first answer. The host, or whoever asks, is there already: its
 * own start is not in the time. */
#include "bench/full.h"

static const iswi_bench_point points[] = {
    { "nng", "nng", 0 },
    { "grpc", "grpc", 0 },
    { "message+chain", "message+chain", 0 },
    { "ring+chain", "ring+chain", 0 },
    { "ring+chain,warm=1", "ring+chain+warm", 0 },
};

static double spawns(const iswi_bench_line *line)
{
    return (double)line->row->count;
}

static const iswi_bench_column columns[] = {
    { "spawns", "SPAWNS", 0, spawns },
    { "payload_bytes", "BYTES", 0, iswi_bench_payload },
    { "p50_us", "P50 us", 0, iswi_bench_p50 },
    { "p99_us", "P99 us", 0, iswi_bench_p99 },
    { "ratio_p50_to_nng", "P50/nng", 2, iswi_bench_ratio_p50 },
    { 0 },
};

const iswi_bench_experiment iswi_bench_spawning = {
    .name = "spawn",
    .title = "from the start of the process to its first answer",
    .points = points,
    .point_count = sizeof points / sizeof points[0],
    .modes = ISWI_BENCH_ONLY(ISWI_BENCH_FIRST),
    .rounds = 20,
    .rounds_least = 3,
    .columns = columns,
};
