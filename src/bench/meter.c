/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the kernel. Invariant: what could not be counted is never 0, but
 * ISWI_BENCH_NOT_COUNTED. */
#include "bench/meter.h"

#include "bench/tree.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* -- Memory ------------------------------------------------------------------------------------ */

void iswi_bench_read_memory(pid_t pid, uint64_t counts[ISWI_BENCH_COUNTS])
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    counts[ISWI_BENCH_RESIDENT_KIB] =
        iswi_bench_status_field(path, "VmRSS", ISWI_BENCH_NOT_COUNTED);
    counts[ISWI_BENCH_SHARED_KIB] =
        iswi_bench_status_field(path, "RssShmem", ISWI_BENCH_NOT_COUNTED);
}

/* -- System calls ------------------------------------------------------------------------------ */

/* The number of the tracepoint; 0 where it is not to be seen. */
static uint64_t tracepoint(void)
{
    static const char *const paths[] = {
        "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id",
        "/sys/kernel/debug/tracing/events/raw_syscalls/sys_enter/id",
    };
    unsigned long long id = 0;

    for (size_t i = 0; i < sizeof paths / sizeof paths[0] && !id; i++) {
        FILE *file = fopen(paths[i], "re");

        if (file && fscanf(file, "%llu", &id) != 1)
            id = 0;
        if (file)
            fclose(file);
    }
    return id;
}

static void add_counter(void *user, pid_t thread)
{
    iswi_bench_side *side = user;
    struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof attr,
                                    .config = tracepoint() };
    int fd = -1;

    if (side->counted && attr.config && side->count < ISWI_BENCH_METER_THREADS)
        fd = (int)syscall(SYS_perf_event_open, &attr, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
    side->counted = fd >= 0;
    if (fd >= 0)
        side->counters[side->count++] = fd;
}

static void start(iswi_bench_side *side, pid_t pid)
{
    side->pid = pid;
    side->count = 0;
    side->counted = true;
    side->switches = iswi_bench_switches(pid);
    iswi_bench_for_each_thread(pid, add_counter, side);
    side->counted = side->counted && side->count;
}

static uint64_t read_counters(iswi_bench_side *side)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < side->count; i++) {
        uint64_t value = 0;

        side->counted = read(side->counters[i], &value, sizeof value) == sizeof value &&
                        side->counted;
        sum += value;
    }
    for (unsigned i = 0; i < side->count; i++)
        close(side->counters[i]);
    return side->counted ? sum : ISWI_BENCH_NOT_COUNTED;
}

void iswi_bench_meter_start(iswi_bench_meter *meter, pid_t worker)
{
    start(&meter->worker, worker);
    start(&meter->host, getpid());
}

void iswi_bench_meter_stop(iswi_bench_meter *meter, uint64_t counts[ISWI_BENCH_COUNTS])
{
    counts[ISWI_BENCH_HOST_CALLS] = read_counters(&meter->host);
    counts[ISWI_BENCH_WORKER_CALLS] = read_counters(&meter->worker);
    counts[ISWI_BENCH_HOST_SWITCHES] = iswi_bench_switches(getpid()) - meter->host.switches;
    counts[ISWI_BENCH_WORKER_SWITCHES] = iswi_bench_switches(meter->worker.pid) -
                                         meter->worker.switches;
}
