/* SPDX-License-Identifier: Apache-2.0 */
/* The guard process. Between fork and exit it makes only calls that are safe after fork. */
#include "host/system/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
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

/* The program's own are not for here. With signals held back until this is done. */
static void forget_handlers(void)
{
    sigset_t none;

    for (int number = 1; number <= SIGRTMAX; number++)
        signal(number, number == SIGTERM ? SIG_IGN : SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
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

/* Remove what is in it as `kind` (see unlinkat(2)), then itself. Not opendir, which takes memory, and
 * a lock that somebody may have held when we were forked. */
static bool remove_folder(const char *path, int kind)
{
    enum { NAME_AT = 19 }; /* of struct linux_dirent64, see getdents(2) */
    int folder = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
    _Alignas(8) char entries[4096];
    long got;

    if (folder < 0)
        return true;
    while ((got = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0)
        for (long at = 0; at < got;) {
            unsigned short size;

            memcpy(&size, &entries[at + 16], sizeof size);
            unlinkat(folder, &entries[at + NAME_AT], kind);
            at += size;
        }
    close(folder);
    return rmdir(path) == 0;
}

/* The kernel ends all that is in the group, and then it can be removed, which takes a moment. */
static void end_group(const char *path)
{
    enum { TRIES = 100, PAUSE_NS = 10000000 };
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    int folder = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    int all = folder < 0 ? -1 : openat(folder, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    bool told = all >= 0 && write(all, "1", 1) == 1;

    for (int i = 0; folder >= 0 && !remove_folder(path, AT_REMOVEDIR) && told && i < TRIES; i++)
        nanosleep(&pause, NULL);
}

static _Noreturn void watch(const iswi_guard *guard, int pipe)
{
    word groups[ISWI_GUARD_MAX] = { 0 };
    word said;
    ssize_t got;

    setsid(); /* a Ctrl-C on the terminal is for the host */
    forget_handlers();
    forget_descriptors(pipe);
    while ((got = read(pipe, &said, sizeof said)) == (ssize_t)sizeof said ||
           (got < 0 && errno == EINTR))
        if (got > 0)
            note(groups, said);
    for (size_t i = 0; i < ISWI_GUARD_MAX; i++)
        if (groups[i] > 0)
            kill(-groups[i], SIGKILL);
    remove_folder(guard->folder, 0);
    end_group(guard->cgroup);
    _exit(0);
}

isw_status iswi_guard_start(iswi_guard *guard, isw_error *error)
{
    sigset_t all;
    sigset_t before;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return isw_error_set(error, ISW_E_IO, "no pipe for the guard: %s", strerror(errno));
    fcntl(ends[1], F_SETFL, O_NONBLOCK); /* one that is stopped does not hold us */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    guard->pid = _Fork();
    if (guard->pid == 0)
        watch(guard, ends[0]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[0]);
    guard->pipe = ends[1];
    if (guard->pid > 0) {
        guard->pid_fd = (int)syscall(SYS_pidfd_open, guard->pid, 0);
        return ISW_OK;
    }
    close(ends[1]);
    guard->pipe = -1;
    guard->pid = 0;
    return isw_error_set(error, ISW_E_IO, "no process for the guard: %s", strerror(errno));
}

static void say(const iswi_guard *guard, word what)
{
    ssize_t put;

    if (guard->pid <= 0)
        return;
    do
        put = write(guard->pipe, &what, sizeof what);
    while (put < 0 && errno == EINTR);
    if (put < 0 && errno == EAGAIN)
        kill(guard->pid, SIGKILL);
}

void iswi_guard_add(iswi_guard *guard, pid_t group)
{
    say(guard, group);
}

void iswi_guard_remove(iswi_guard *guard, pid_t group)
{
    say(guard, -group);
}

static int wait_for_end(iswi_guard *guard)
{
    int status = 0;

    close(guard->pipe);
    while (waitpid(guard->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (guard->pid_fd >= 0)
        close(guard->pid_fd);
    guard->pid = 0;
    guard->pipe = guard->pid_fd = -1;
    return status;
}

void iswi_guard_reap(iswi_guard *guard, char *how, size_t size)
{
    int status = wait_for_end(guard);

    if (WIFSIGNALED(status))
        snprintf(how, size, "was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(how, size, "ended with status %d", WEXITSTATUS(status));
}

void iswi_guard_stop(iswi_guard *guard)
{
    if (guard->pid > 0)
        wait_for_end(guard);
}
