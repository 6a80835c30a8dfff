/* SPDX-License-Identifier: Apache-2.0 */
/* Processes of workers, each with a process group of its own. */
#include "host/system/launch.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static isw_status begin(const iswi_launcher *launcher, const iswi_spawn_options *options,
                        iswi_spawned *out, isw_error *error)
{
    (void)launcher;
    return iswi_spawn(options, out, error);
}

static void kill_group(const iswi_launcher *launcher, const iswi_spawned *os)
{
    (void)launcher;
    kill(-os->pid, SIGKILL);
}

static int reap(const iswi_launcher *launcher, const iswi_spawned *os)
{
    int status = 0;

    (void)launcher;
    if (waitpid(os->pid, &status, 0) < 0)
        status = 0; /* somebody else has waited: how it ended is not known */
    return status;
}

static bool is_of_group(const iswi_spawned *os, pid_t peer)
{
    return getpgid(peer) == os->pid;
}

const iswi_launcher iswi_launch_process = {
    .apart = true,
    .begin = begin,
    .kill = kill_group,
    .reap = reap,
    .is = is_of_group,
};
