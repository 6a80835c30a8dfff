/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_BENCH_PEER_H
#define ISWI_CLI_BENCH_PEER_H

/* Processes of the bench. Every case is measured in a process of its own, and every echo runs in
 * another: this program again with the hidden word `bench-peer`, or the bench's worker program.
 * They are spawned and never forked, as nng's threads would not survive a fork. */
#include <sys/types.h>

/* The descriptor that iswi_bench_spawn hands down. */
enum { ISWI_BENCH_FD = 3 };

/* Start `argv` from `path`. `handed` becomes descriptor 3 and `output` standard output, unless -1.
 * Returns 0 when it cannot be started. */
pid_t iswi_bench_spawn(const char *path, char *const argv[], int handed, int output);

/* Start `isoworker bench-peer WORD ARGUMENT` with `handed`. */
pid_t iswi_bench_spawn_echo(const char *word, const char *argument, int handed);

/* End what iswi_bench_spawn started, and take its status. 0 is allowed. */
void iswi_bench_end(pid_t pid);

/* Be killed when the process that started us ends, however it does. */
void iswi_bench_die_with_parent(int signal_number);

/* The hidden command. */
int iswi_cli_bench_peer(int argc, char **argv);

#endif
