/* SPDX-License-Identifier: Apache-2.0 */
/* A program, a pipe, and patience. */
#include "host/system/capture.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A descriptor of ours, or nothing, on one of the child's. */
static int plan(posix_spawn_file_actions_t *files, int fd, int as, int mode)
{
    return fd >= 0 ? posix_spawn_file_actions_adddup2(files, fd, as)
                   : posix_spawn_file_actions_addopen(files, as, "/dev/null", mode, 0);
}

/* Returns the pid, 0 if it cannot be started. */
static pid_t start(const iswi_capture *what, int output)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t pid = 0;

    sigemptyset(&none); /* our threads hold signals back */
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &none);

    posix_spawn_file_actions_init(&files);
    if (plan(&files, what->input, 0, O_RDONLY) != 0 || plan(&files, output, 1, O_WRONLY) != 0 ||
        plan(&files, what->errors, 2, O_WRONLY) != 0 ||
        posix_spawn_file_actions_addclosefrom_np(&files, 3) != 0 ||
        (what->directory &&
         posix_spawn_file_actions_addchdir_np(&files, what->directory) != 0) ||
        posix_spawn(&pid, what->program, &files, &attributes, what->arguments, what->environment) != 0)
        pid = 0;
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return pid;
}

/* True if it has closed its end. */
static bool read_all(const iswi_capture *what, int fd, int64_t until_ns, iswi_buffer *out)
{
    struct pollfd one = { .fd = fd, .events = POLLIN };
    char part[16384];

    while (out->size < what->most && !out->failed) {
        int64_t left_ms = (until_ns - iswi_now_ns()) / 1000000;
        ssize_t got = 0;

        if (left_ms > 0 && poll(&one, 1, (int)left_ms) == 1)
            got = read(fd, part, sizeof part);
        if (got <= 0)
            return left_ms > 0 && got == 0;
        iswi_buffer_append(out, part, (size_t)got);
    }
    return false;
}

/* What has closed its output is about to end; what has not, or does not, is ended. */
static void end_it(pid_t pid, bool is_ending, int64_t until_ns, iswi_capture_end *end)
{
    struct pollfd one = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
    int64_t left_ms = (until_ns - iswi_now_ns()) / 1000000;
    int status = 0;

    end->late = !is_ending || left_ms <= 0 || poll(&one, 1, (int)left_ms) != 1;
    if (one.fd >= 0)
        close(one.fd);
    if (end->late)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

bool iswi_capture_watch(const iswi_capture *what, iswi_buffer *out, iswi_capture_end *end)
{
    int64_t until_ns = iswi_now_ns() + what->patience_ms * 1000000;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid = start(what, ends[1]);
    close(ends[1]);
    if (pid)
        end_it(pid, read_all(what, ends[0], until_ns, out), until_ns, end);
    close(ends[0]);
    return pid != 0;
}
