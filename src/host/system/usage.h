/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_USAGE_H
#define ISWI_HOST_SYSTEM_USAGE_H

/* What another process has used. False, with nothing set, for one that has ended and was waited
 * for. Of one that was not waited for there is the processor's time, and no memory any more. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* All its threads, those that have ended too; not its children. One system call. */
bool iswi_usage_cpu_ns(pid_t pid, int64_t *out);

/* Resident now, and the most that ever was: with what it shares with others. Reads one file, which
 * the kernel writes without walking through the memory. */
bool iswi_usage_memory(pid_t pid, uint64_t *resident, uint64_t *peak);

/* The same of all that descends from it, as long as every parent lives, and with it: `resident` is
 * the sum. What they share counts for each, unless that comes to `edge` or more; then it counts once,
 * for which the kernel walks through their memory. Reads a file for each thread. */
bool iswi_usage_family(pid_t pid, uint64_t edge, uint64_t *resident, uint64_t *peak);

#endif
