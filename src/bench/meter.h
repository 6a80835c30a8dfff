/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_METER_H
#define ISWI_BENCH_METER_H

/*
 * What invocations cost beside time: system calls and voluntary switches of context of this process
 * and of a worker, and the memory of either. The kernel counts the calls with its tracepoint
 * raw_syscalls:sys_enter, one counter a thread, which stops nobody as ptrace would. Where that is
 * not allowed the calls stay ISWI_BENCH_NOT_COUNTED.
 */
#include "bench/samples.h"

enum { ISWI_BENCH_METER_THREADS = 64 };

typedef struct iswi_bench_side {
    pid_t pid;
    int counters[ISWI_BENCH_METER_THREADS];
    unsigned count;
    bool counted; /* all threads are */
    uint64_t switches;
} iswi_bench_side;

typedef struct iswi_bench_meter {
    iswi_bench_side host, worker;
} iswi_bench_meter;

/* Begin with the threads that are there now. */
void iswi_bench_meter_start(iswi_bench_meter *meter, pid_t worker);

/* End it and fill in the counts of calls and switches. */
void iswi_bench_meter_stop(iswi_bench_meter *meter, uint64_t counts[ISWI_BENCH_COUNTS]);

/* Fill in the counts of memory. */
void iswi_bench_read_memory(pid_t pid, uint64_t counts[ISWI_BENCH_COUNTS]);

#endif
