/* SPDX-License-Identifier: Apache-2.0 */
/* Starting and ending the processes of a bench. Invariant: whoever starts one ends it, by its pid,
 * in bounded time. */
#include "bench/process.h"

#include "bench/clock.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { ASKED_MS = 2000 };

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
    if (!failed && posix_spawnp(&pid, path, &actions, NULL, argv, environ) != 0)
        pid = 0;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

pid_t iswi_bench_spawn_peer(const char *word, const char *argument, int handed, int output)
{
    char *argv[] = { (char *)"isoworker-bench", (char *)"peer", (char *)word, (char *)argument,
                     NULL };

    return iswi_bench_spawn("/proc/self/exe", argv, handed, output);
}

void iswi_bench_end(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void iswi_bench_ask_to_end(pid_t pid)
{
    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    for (int i = 0; i < ASKED_MS; i++) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return;
        iswi_bench_sleep_ns(1000000);
    }
    iswi_bench_end(pid);
}

void iswi_bench_die_with_parent(int signal_number)
{
    prctl(PR_SET_PDEATHSIG, signal_number);
}

bool iswi_bench_stay_with_parent(const char *parent, int signal_number)
{
    iswi_bench_die_with_parent(signal_number);
    return getppid() == (pid_t)strtol(parent, NULL, 10);
}
