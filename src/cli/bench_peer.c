/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `isoworker bench-peer`, what the processes of a bench run:
 *   bench-peer echo-nng URL | echo-unix | echo-ring     echo until killed
 *   bench-peer CASE SLICE_MS PAYLOADS                   measure, samples to standard output
 */
#include "cli/bench_peer.h"

#include "cli/bench_floors.h"
#include "cli/bench_host.h"
#include "cli/cli.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

extern char **environ;

/* -- Processes --------------------------------------------------------------------------------- */

pid_t iswi_bench_spawn(const char *path, char *const argv[], int handed, int output)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int failed;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return 0;
    /* Onto itself, too: that takes close-on-exec away. */
    failed = handed >= 0 && posix_spawn_file_actions_adddup2(&actions, handed, ISWI_BENCH_FD) != 0;
    failed |= output >= 0 && posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) != 0;
    if (!failed && posix_spawn(&pid, path, &actions, NULL, argv, environ) != 0)
        pid = 0;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

pid_t iswi_bench_spawn_echo(const char *word, const char *argument, int handed)
{
    char *argv[] = { (char *)"isoworker", (char *)"bench-peer", (char *)word, (char *)argument,
                     NULL };

    return iswi_bench_spawn("/proc/self/exe", argv, handed, -1);
}

void iswi_bench_end(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void iswi_bench_die_with_parent(int signal_number)
{
    prctl(PR_SET_PDEATHSIG, signal_number);
}

/* -- Words ------------------------------------------------------------------------------------- */

typedef struct measured_case {
    const char *name;
    bool (*measure)(const iswi_bench_plan *plan);
} measured_case;

static const measured_case floors[] = {
    { "nng", iswi_bench_measure_nng },
    { "unix", iswi_bench_measure_unix },
    { "futex-ring", iswi_bench_measure_ring },
};

static int echo(const char *word, const char *argument)
{
    signal(SIGINT, SIG_IGN); /* who measures decides when we end */
    iswi_bench_die_with_parent(SIGKILL);
    if (strcmp(word, "echo-nng") == 0)
        return iswi_bench_echo_nng(argument) ? EX_OK : EX_UNAVAILABLE;
    if (strcmp(word, "echo-unix") == 0)
        return iswi_bench_echo_unix(ISWI_BENCH_FD) ? EX_OK : EX_UNAVAILABLE;
    return iswi_bench_echo_ring(ISWI_BENCH_FD) ? EX_OK : EX_UNAVAILABLE;
}

int iswi_cli_bench_peer(int argc, char **argv)
{
    iswi_bench_plan plan = { 0 };
    const char *word = argc > 1 ? argv[1] : "";

    if (strncmp(word, "echo-", 5) == 0 && argc == 3)
        return echo(word, argv[2]);
    if (argc != 4 || !iswi_bench_parse_payloads(argv[3], &plan))
        return EX_USAGE;
    plan.slice_ms = strtol(argv[2], NULL, 10);
    iswi_bench_catch_signals();
    iswi_bench_die_with_parent(SIGTERM);
    for (size_t i = 0; i < sizeof floors / sizeof floors[0]; i++)
        if (strcmp(floors[i].name, word) == 0)
            return floors[i].measure(&plan) ? EX_OK : EX_UNAVAILABLE;
    return iswi_bench_measure_host(word, &plan) ? EX_OK : EX_UNAVAILABLE;
}
