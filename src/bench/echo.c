/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The echoes of the bench's floors as a program of its own: with no more libraries than they need,
 * as what a process links is most of the time that it takes to start.
 *   isoworker-bench-echo nng URL | unix - | ring -   until killed; the last two on descriptor 3
 */
#include "bench/floors.h"
#include "bench/process.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static bool echo(const char *word, const char *argument)
{
    if (strcmp(word, "nng") == 0)
        return iswi_bench_echo_nng(argument);
    if (strcmp(word, "unix") == 0)
        return iswi_bench_echo_unix(ISWI_BENCH_FD);
    return iswi_bench_echo_ring(ISWI_BENCH_FD);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "isoworker-bench-echo is started by `isoworker bench`\n");
        return EX_USAGE;
    }
    signal(SIGINT, SIG_IGN); /* who measures decides when we end */
    iswi_bench_die_with_parent(SIGKILL);
    return echo(argv[1], argv[2]) ? EX_OK : EX_UNAVAILABLE;
}
