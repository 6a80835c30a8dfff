/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_PROCESS_H
#define ISWI_BENCH_PROCESS_H

/* Processes of the bench. Every case is measured in a process of its own, and every echo runs in
 * another. They are spawned and never forked, as the threads of nng and of gRPC would not survive
 * a fork. Part of the bench's gRPC program, too. */
#include <stdbool.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The descriptor that iswi_bench_spawn hands down. */
enum { ISWI_BENCH_FD = 3 };

/* Start `argv` from `path`, or from PATH if that has no '/'. `handed` becomes descriptor 3 and
 * `output` standard output, unless -1. Returns 0 when it cannot be started. */
pid_t iswi_bench_spawn(const char *path, char *const argv[], int handed, int output);

/* Start `isoworker-bench peer WORD ARGUMENT` with `handed` and `output`, or -1. */
pid_t iswi_bench_spawn_peer(const char *word, const char *argument, int handed, int output);

/* End what iswi_bench_spawn started, and take its status. 0 is allowed. */
void iswi_bench_end(pid_t pid);

/* The same, but it is asked first and has a moment to remove its folders. */
void iswi_bench_ask_to_end(pid_t pid);

/* Be sent this signal when the process that started us ends, however it does. */
void iswi_bench_die_with_parent(int signal_number);

/* The same of a parent whose number is known, as text: false when it has ended before this. */
bool iswi_bench_stay_with_parent(const char *parent, int signal_number);

#ifdef __cplusplus
}
#endif

#endif
