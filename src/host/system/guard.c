/* SPDX-License-Identifier: Apache-2.0 */
/* The guard process. Between fork and exit it makes only calls that are safe after fork. */
#include "host/system/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* One word on the pipe: a group that runs, or its negative when it runs no more. Words of this size
 * are written and read whole. */
typedef pid_t word;

static void forget_between(int first, int behind)
{
    if (first < behind)
        syscall(SYS_close_range, first, behind - 1, 0);
}

static void forget_descriptors(int keep, int keep_too)
{
    const int low = keep < keep_too ? keep : keep_too;
    const int high = keep < keep_too ? keep_too : keep;

    forget_between(0, low);
    forget_between(low + 1, high);
    syscall(SYS_close_range, high + 1, ~0U, 0);
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

/* One descriptor with a byte (see unix(7)). */
typedef union passed {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr aligned;
} passed;

/* Nothing is done with it but to have it, until another one comes or the guard ends. */
static void take_lock(int socket, int *held)
{
    passed with = { { 0 } };
    char byte;
    struct iovec data = { &byte, 1 };
    struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = with.bytes,
                              .msg_controllen = sizeof with.bytes };
    const struct cmsghdr *head;

    if (recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
        return;
    head = CMSG_FIRSTHDR(&message);
    if (!head || head->cmsg_type != SCM_RIGHTS)
        return;
    if (*held >= 0)
        close(*held);
    memcpy(held, CMSG_DATA(head), sizeof *held);
}

/* Until the host has ended, or wants us to. */
static void listen_to_host(word *groups, int pipe, int socket)
{
    struct pollfd on[2] = { { .fd = pipe, .events = POLLIN }, { .fd = socket, .events = POLLIN } };
    word said;
    ssize_t got;
    int held = -1;

    for (;;) {
        if (poll(on, 2, -1) < 0)
            continue;
        if (on[1].revents & POLLIN)
            take_lock(socket, &held);
        else if (on[1].revents)
            on[1].fd = -1;
        if (!on[0].revents)
            continue;
        got = read(pipe, &said, sizeof said);
        if (got == (ssize_t)sizeof said)
            note(groups, said);
        else if (got >= 0 || errno != EINTR)
            return;
    }
}

static _Noreturn void watch(const iswi_guard *guard, int pipe, int socket)
{
    word groups[ISWI_GUARD_MAX] = { 0 };

    setsid(); /* a Ctrl-C on the terminal is for the host */
    forget_handlers();
    forget_descriptors(pipe, socket);
    listen_to_host(groups, pipe, socket);
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
    int pair[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return isw_error_set(error, ISW_E_IO, "no pipe for the guard: %s", strerror(errno));
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0) {
        isw_error_set(error, ISW_E_IO, "no socket for the guard: %s", strerror(errno));
        close(ends[0]);
        close(ends[1]);
        return ISW_E_IO;
    }
    fcntl(ends[1], F_SETFL, O_NONBLOCK); /* one that is stopped does not hold us */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    guard->pid = _Fork();
    if (guard->pid == 0)
        watch(guard, ends[0], pair[0]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[0]);
    close(pair[0]);
    guard->pipe = ends[1];
    guard->socket = pair[1];
    guard->held = 0;
    if (guard->pid > 0) {
        guard->pid_fd = (int)syscall(SYS_pidfd_open, guard->pid, 0);
        return ISW_OK;
    }
    close(ends[1]);
    close(pair[1]);
    guard->pipe = guard->socket = -1;
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

void iswi_guard_hold(iswi_guard *guard)
{
    const int lock = atomic_load(&guard->lock);
    passed with = { { 0 } };
    char byte = 0;
    struct iovec data = { &byte, 1 };
    struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = with.bytes,
                              .msg_controllen = sizeof with.bytes };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    if (guard->pid <= 0 || lock == 0 || lock == guard->held)
        return;
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof lock);
    memcpy(CMSG_DATA(head), &lock, sizeof lock);
    if (sendmsg(guard->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
        guard->held = lock;
}

static int wait_for_end(iswi_guard *guard)
{
    int status = 0;

    close(guard->pipe);
    close(guard->socket);
    while (waitpid(guard->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (guard->pid_fd >= 0)
        close(guard->pid_fd);
    guard->pid = 0;
    guard->pipe = guard->socket = guard->pid_fd = -1;
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
