/* SPDX-License-Identifier: Apache-2.0 */
/* What invocations take beside time: memory of the worker, system calls and switches of context. */
#include "bench/full.h"

#include <math.h>

static double count_of(const iswi_bench_line *line, iswi_bench_count what)
{
    uint64_t count = line->row->counts[what];

    return count == ISWI_BENCH_NOT_COUNTED ? NAN : (double)count;
}

static double invocations(const iswi_bench_line *line)
{
    return (double)line->row->done;
}

/* -- Memory ------------------------------------------------------------------------------------ */

static double resident(const iswi_bench_line *line)
{
    return count_of(line, ISWI_BENCH_RESIDENT_KIB);
}

static double shared(const iswi_bench_line *line)
{
    return count_of(line, ISWI_BENCH_SHARED_KIB);
}

static const iswi_bench_point echoes[] = {
    { "nng", "nng", 0 },
    { "grpc", "grpc", 0 },
    { "message+chain", "message+chain", 0 },
    { "ring+chain", "ring+chain", 0 },
};

static const iswi_bench_column memory_columns[] = {
    { "invocations", "INVOCATIONS", 0, invocations },
    { "payload_bytes", "BYTES", 0, iswi_bench_payload },
    { "in_flight", "IN FLIGHT", 0, iswi_bench_in_flight },
    { "resident_kib", "RESIDENT KiB", 0, resident },
    { "shared_kib", "SHARED KiB", 0, shared },
    { 0 },
};

const iswi_bench_experiment iswi_bench_memory = {
    .name = "memory",
    .title = "of the echo or worker: VmRSS, and of that RssShmem, which the host holds, too",
    .points = echoes,
    .point_count = sizeof echoes / sizeof echoes[0],
    .modes = ISWI_BENCH_ONLY(ISWI_BENCH_AGED),
    .rounds = 1,
    .rounds_least = 1,
    .columns = memory_columns,
};

/* -- System calls ------------------------------------------------------------------------------ */

static double host_calls(const iswi_bench_line *line)
{
    return count_of(line, ISWI_BENCH_HOST_CALLS) / invocations(line);
}

static double worker_calls(const iswi_bench_line *line)
{
    return count_of(line, ISWI_BENCH_WORKER_CALLS) / invocations(line);
}

static double host_switches(const iswi_bench_line *line)
{
    return count_of(line, ISWI_BENCH_HOST_SWITCHES) / invocations(line);
}

static double worker_switches(const iswi_bench_line *line)
{
    return count_of(line, ISWI_BENCH_WORKER_SWITCHES) / invocations(line);
}

static const iswi_bench_point counted[] = {
    { "message+chain,counted=1", "message+chain", 0 },
    { "ring+chain,counted=1", "ring+chain", 0 },
};

static const iswi_bench_column syscalls_columns[] = {
    { "invocations", "INVOCATIONS", 0, invocations },
    { "payload_bytes", "BYTES", 0, iswi_bench_payload },
    { "in_flight", "IN FLIGHT", 0, iswi_bench_in_flight },
    { "host_calls", "HOST", 4, host_calls },
    { "worker_calls", "WORKER", 4, worker_calls },
    { "host_switches", "HOST SW", 4, host_switches },
    { "worker_switches", "WORKER SW", 4, worker_switches },
    { 0 },
};

const iswi_bench_experiment iswi_bench_syscalls = {
    .name = "syscalls",
    .title = "for each invocation, all threads: system calls, counted by the kernel\n"
             "  (perf_event_open of raw_syscalls:sys_enter; - where that is not allowed), and SW,\n"
             "  voluntary switches of context (/proc/PID/task/*/status)",
    .points = counted,
    .point_count = sizeof counted / sizeof counted[0],
    .modes = ISWI_BENCH_ONLY(ISWI_BENCH_BACK_TO_BACK) | ISWI_BENCH_ONLY(ISWI_BENCH_PIPELINED),
    .rounds = 3,
    .rounds_least = 1,
    .slice_ms = 500,
    .columns = syscalls_columns,
};
