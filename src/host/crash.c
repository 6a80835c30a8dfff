/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of crashes. A worker gets a piece of memory of a fixed size to write its report to; when
 * it has ended, `isoworker symbolize` makes text of it, in a process of its own, for nothing in
 * there can be believed. A thread waits for that and shows it, one for each process of a worker.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "host/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPORT_BYTES = 256 * 1024, TEXT_BYTES = 16 * 1024, PATIENCE_MS = 10000 };

int iswi_crash_memory(void)
{
    int fd = memfd_create("isoworker-crash", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && ftruncate(fd, REPORT_BYTES) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool is_written(int fd)
{
    char first = 0;

    return fd >= 0 && pread(fd, &first, 1, 0) == 1 && first;
}

/* -- Reading ----------------------------------------------------------------------------------- */

/* Returns the pid, 0 if it cannot be started. */
static pid_t start_symbolizer(int report, int output)
{
    char *arguments[] = { (char *)"isoworker", (char *)"symbolize", NULL };
    char *environment[] = { (char *)"LC_ALL=C", NULL };
    posix_spawn_file_actions_t files;
    pid_t pid = 0;

    posix_spawn_file_actions_init(&files);
    if (posix_spawn_file_actions_adddup2(&files, report, 0) != 0 ||
        posix_spawn_file_actions_adddup2(&files, output, 1) != 0 ||
        posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0) != 0 ||
        posix_spawn_file_actions_addclosefrom_np(&files, 3) != 0 ||
        posix_spawn(&pid, "/proc/self/exe", &files, NULL, arguments, environment) != 0)
        pid = 0;
    posix_spawn_file_actions_destroy(&files);
    return pid;
}

/* What it says, at most `room` bytes with a NUL. */
static void read_text(int fd, char *text, size_t room)
{
    int64_t until_ms = iswi_now_ns() / 1000000 + PATIENCE_MS;
    struct pollfd one = { .fd = fd, .events = POLLIN };
    size_t size = 0;

    for (;;) {
        int64_t left_ms = until_ms - iswi_now_ns() / 1000000;
        ssize_t got = 0;

        if (left_ms > 0 && poll(&one, 1, (int)left_ms) == 1)
            got = read(fd, text + size, room - 1 - size);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    text[size] = '\0';
}

static void symbolize(int report, char *text, size_t room)
{
    int ends[2];
    pid_t pid;

    *text = '\0';
    if (lseek(report, 0, SEEK_SET) != 0 || pipe2(ends, O_CLOEXEC) != 0)
        return;
    pid = start_symbolizer(report, ends[1]);
    close(ends[1]);
    if (pid) {
        read_text(ends[0], text, room);
        kill(pid, SIGKILL); /* it has ended, or takes too long */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    close(ends[0]);
}

/* -- Showing ----------------------------------------------------------------------------------- */

static void show_line(iswi_process *process, const char *function, const char *invocation,
                      const char *line)
{
    iswi_logline out = { .level = ISW_LOG_ERROR,
                         .time_us = iswi_wall_us(),
                         .source = isw_str_of(process->label),
                         .category = isw_str_of("Crash"),
                         .function = isw_str_of(function),
                         .invocation_id = isw_str_of(invocation),
                         .message = isw_str_of(line) };

    iswi_console_line(&process->host->console, &out);
}

/* The head is "SIGSEGV at address 0x0 in function charge, invocation 0123..."; a line for each
 * frame follows. */
static void show(iswi_process *process, char *text)
{
    char *head = strtok_r(text, "\n", &text);
    const char *named = head ? strstr(head, " in function ") : NULL;
    char function[ISWI_NAME_MAX + 1] = "";
    char invocation[64] = "";
    char *line;

    if (!head) {
        show_line(process, "", "", "crashed, and its report could not be read");
        return;
    }
    if (named && sscanf(named, " in function %127[^,], invocation %63s", function, invocation) != 2)
        *function = *invocation = '\0';
    show_line(process, function, invocation, head);
    while ((line = strtok_r(NULL, "\n", &text)) != NULL)
        show_line(process, function, invocation, line);
}

static void *read_report(void *user)
{
    iswi_process *process = user;
    char *text = iswi_alloc(TEXT_BYTES);

    iswi_thread_name("isw-crash");
    if (text) {
        symbolize(process->report, text, TEXT_BYTES);
        show(process, text);
    }
    iswi_free(text);
    close(process->report);
    return NULL;
}

/* -- For the supervisor ------------------------------------------------------------------------ */

void iswi_crash_join(iswi_process *process)
{
    if (process->reporting)
        pthread_join(process->reporter, NULL);
    process->reporting = false;
}

void iswi_crash_take(iswi_process *process)
{
    int fd = process->os.crash;

    process->os.crash = -1;
    if (!is_written(fd)) {
        if (fd >= 0)
            close(fd);
        return;
    }
    iswi_crash_join(process); /* of an earlier run; it has had a whole life for it */
    process->report = fd;
    process->reporting = pthread_create(&process->reporter, NULL, read_report, process) == 0;
    if (!process->reporting)
        close(fd);
}
