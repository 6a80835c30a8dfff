/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_TREE_H
#define ISWI_BENCH_TREE_H

/* What the kernel counts for processes: time of the processors, switches of context, threads. Part
 * of all programs of the bench that measure. Any thread. */
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ISWI_BENCH_TREE_MOST = 128 };

/* Processes that are measured together. Zeroed it is empty. */
typedef struct iswi_bench_tree {
    pid_t pids[ISWI_BENCH_TREE_MOST];
    unsigned count;
} iswi_bench_tree;

/* Add `root` and all that descend from it now, as far as there is room. 0 is nobody. */
void iswi_bench_tree_add(iswi_bench_tree *tree, pid_t root);

/* The first one that runs another program than the root that was added first; 0: there is none. */
pid_t iswi_bench_tree_other(const iswi_bench_tree *tree);

/* Time that all threads of them have had a processor, those that have ended included. A process
 * that is gone counts 0. */
int64_t iswi_bench_tree_cpu_ns(const iswi_bench_tree *tree);

/* Voluntary switches of context, of the threads that are there now. */
uint64_t iswi_bench_tree_switches(const iswi_bench_tree *tree);
uint64_t iswi_bench_switches(pid_t pid);

unsigned iswi_bench_tree_threads(const iswi_bench_tree *tree);

/* Call `call` with each thread of `pid`. */
void iswi_bench_for_each_thread(pid_t pid, void (*call)(void *user, pid_t thread), void *user);

/* The number behind `field` in a status file of /proc; `fallback` when there is none. */
uint64_t iswi_bench_status_field(const char *path, const char *field, uint64_t fallback);

#ifdef __cplusplus
}
#endif

#endif
