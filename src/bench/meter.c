/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of the kernel and lines of /proc. Invariant: what could not be counted is never 0, but
 * ISWI_BENCH_NOT_COUNTED. */
#include "bench/meter.h"

#include <dirent.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* -- /proc ------------------------------------------------------------------------------------- */

/* The number behind `field` in a status file. */
static bool read_field(const char *path, const char *field, uint64_t *value)
{
    FILE *file = fopen(path, "re");
    size_t size = strlen(field);
    bool found = false;
    char line[256];

    while (file && !found && fgets(line, sizeof line, file)) {
        found = strncmp(line, field, size) == 0 && line[size] == ':';
        if (found)
            *value = strtoull(line + size + 1, NULL, 10);
    }
    if (file)
        fclose(file);
    return found;
}

typedef void (*thread_fn)(void *user, pid_t thread);

static void for_each_thread(pid_t pid, thread_fn call, void *user)
{
    char path[64];
    struct dirent *entry;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
    folder = opendir(path);
    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            call(user, (pid_t)strtol(entry->d_name, NULL, 10));
    if (folder)
        closedir(folder);
}

typedef struct switches {
    pid_t pid;
    uint64_t sum;
} switches;

static void add_switches(void *user, pid_t thread)
{
    switches *s = user;
    uint64_t value = 0;
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/task/%ld/status", (long)s->pid, (long)thread);
    if (read_field(path, "voluntary_ctxt_switches", &value))
        s->sum += value;
}

static uint64_t count_switches(pid_t pid)
{
    switches s = { .pid = pid };

    for_each_thread(pid, add_switches, &s);
    return s.sum;
}

void iswi_bench_read_memory(pid_t pid, uint64_t counts[ISWI_BENCH_COUNTS])
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    read_field(path, "VmRSS", &counts[ISWI_BENCH_RESIDENT_KIB]);
    read_field(path, "RssShmem", &counts[ISWI_BENCH_SHARED_KIB]);
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
    side->switches = count_switches(pid);
    for_each_thread(pid, add_counter, side);
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
    counts[ISWI_BENCH_HOST_SWITCHES] = count_switches(getpid()) - meter->host.switches;
    counts[ISWI_BENCH_WORKER_SWITCHES] = count_switches(meter->worker.pid) -
                                         meter->worker.switches;
}
