/* SPDX-License-Identifier: Apache-2.0 */
/* The guard process. Between fork and exit it makes only calls that are safe after fork. */
#include "host/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* One word on the pipe: a group that runs, or its negative when it runs no more. Words of this size
 * are written and read whole. */
typedef pid_t word;

static void forget_descriptors(int keep)
{
    if (keep > 0)
        syscall(SYS_close_range, 0, keep - 1, 0);
    syscall(SYS_close_range, keep + 1, ~0U, 0);
}

static void note(word *groups, word said)
{
    for (size_t i = 0; i < ISWI_GUARD_MAX; i++) {
        if (said > 0 && groups[i] == 0) {
            groups[i] = said;
            return;
        }
        if (said < 0 && groups[i] == -said)
            groups[i] = 0;
    }
}

static _Noreturn void watch(int pipe)
{
    word groups[ISWI_GUARD_MAX] = { 0 };
    word said;
    ssize_t got;

    setsid(); /* a Ctrl-C on the terminal is for the host */
    signal(SIGTERM, SIG_IGN);
    forget_descriptors(pipe);
    while ((got = read(pipe, &said, sizeof said)) == (ssize_t)sizeof said ||
           (got < 0 && errno == EINTR))
        if (got > 0)
            note(groups, said);
    for (size_t i = 0; i < ISWI_GUARD_MAX; i++)
        if (groups[i] > 0)
            kill(-groups[i], SIGKILL);
    _exit(0);
}

isw_status iswi_guard_start(iswi_guard *guard, isw_error *error)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return isw_error_set(error, ISW_E_IO, "no pipe for the guard: %s", strerror(errno));
    guard->pid = fork();
    if (guard->pid == 0)
        watch(ends[0]);
    close(ends[0]);
    guard->pipe = ends[1];
    if (guard->pid > 0)
        return ISW_OK;
    close(ends[1]);
    guard->pipe = -1;
    return isw_error_set(error, ISW_E_IO, "no process for the guard: %s", strerror(errno));
}

static void say(const iswi_guard *guard, word what)
{
    ssize_t put;

    do
        put = write(guard->pipe, &what, sizeof what);
    while (put < 0 && errno == EINTR);
}

void iswi_guard_add(iswi_guard *guard, pid_t group)
{
    say(guard, group);
}

void iswi_guard_remove(iswi_guard *guard, pid_t group)
{
    say(guard, -group);
}

void iswi_guard_stop(iswi_guard *guard)
{
    if (guard->pid <= 0)
        return;
    close(guard->pipe);
    while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    guard->pid = 0;
}
