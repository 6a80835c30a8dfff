/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of crashes. A worker gets a piece of memory of a fixed size to write its report to; when
 * it has ended, `isoworker symbolize` makes text of it, in a process of its own, for nothing in
 * there can be believed. A thread waits for that and shows it, one for each process of a worker.
 */
#include "base/clock.h"
#include "base/thread.h"
#include "host/system/capture.h"
#include "host/engine/engine.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
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

/* False: it was ended by a signal, and what is in `text` may be half of it. */
static bool symbolize(int report, iswi_buffer *text, iswi_capture_end *end)
{
    char *arguments[] = { (char *)"isoworker", (char *)"symbolize", NULL };
    char *environment[] = { (char *)"LC_ALL=C", NULL };
    const iswi_capture what = { .program = "/proc/self/exe",
                                .arguments = arguments,
                                .environment = environment,
                                .input = report,
                                .errors = -1,
                                .most = TEXT_BYTES,
                                .patience_ms = PATIENCE_MS };

    *end = (iswi_capture_end){ .signal = 0 };
    iswi_buffer_reset(text);
    if (lseek(report, 0, SEEK_SET) == 0)
        iswi_capture_watch(&what, text, end);
    return !end->signal || end->late;
}

/* As the kernel does with one that takes much memory: a second one may be spared. */
static void read_with_patience(iswi_process *process, iswi_buffer *text)
{
    iswi_capture_end end;

    for (int tries = 0; tries < 2 && !symbolize(process->report, text, &end); tries++)
        iswi_console_say(&process->host->console, ISW_LOG_WARNING,
                         "worker %s: what reads the report of its crash (isoworker symbolize) was "
                         "ended by signal %d (%s)%s", process->label, end.signal,
                         strsignal(end.signal), tries ? "" : "; it is started again");
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
    iswi_buffer text = { 0 };
    char nothing[] = "";

    iswi_thread_name("isw-crash");
    read_with_patience(process, &text);
    show(process, iswi_buffer_text(&text) ? (char *)text.data : nothing);
    iswi_buffer_fini(&text);
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
