/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of crashes. A worker gets a piece of memory of a fixed size to write its report to; when
 * it has ended, `isoworker symbolize` makes text of it, in a process of its own, for nothing in
 * there can be believed. A thread waits for that and shows it, one for each process of a worker.
 */
#include "host/debug/crash.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/observer.h"
#include "host/system/capture.h"
#include "host/system/command.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { REPORT_BYTES = 256 * 1024, TEXT_BYTES = 16 * 1024, PATIENCE_MS = 10000, HEAD_BYTES = 1024 };

/* One for each process. */
typedef struct reader {
    const iswi_host *host;
    const char *label; /* of the process */
    pthread_mutex_t lock; /* guards the next two; the supervisor's thread alone writes them */
    int memory;           /* of the one that runs; -1: none */
    char culprit[33];     /* of the one that has ended: the invocation that its report names */
    int report;        /* while `thread` reads it */
    pthread_t thread;
    bool reading;
} reader;

typedef struct crashes {
    iswi_host *host;
    reader **workers; /* by worker; NULL: none of its processes has begun */
    size_t count;
} crashes;

/* Memory for the report of a crash, -1 if there is none to be had. */
static int make_memory(void)
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

/* The invocation that a report names, in its first lines (PROTOCOL.md, section 12): nothing more than
 * 32 letters are believed of it, and those by nobody but who knows such an invocation. */
static void read_culprit(int fd, char out[33])
{
    static const char line[] = "\ninvocation ";
    char head[HEAD_BYTES] = "";
    const char *at = NULL;

    if (fd >= 0 && pread(fd, head, sizeof head - 1, 0) > 0)
        at = strstr(head, line);
    if (at && strnlen(at, sizeof line + 32) >= sizeof line - 1 + 32)
        snprintf(out, 33, "%.32s", at + sizeof line - 1);
}

/* -- Reading ----------------------------------------------------------------------------------- */

/* The command that reads reports: that of this installation, else the one in PATH. */
static bool find_command(char path[PATH_MAX])
{
    isw_error unused = { ISW_OK, "" };
    char *found = NULL;

    if (iswi_command_beside_library("isoworker", path))
        return true;
    if (iswi_spawn_find("isoworker", ".", &found, &unused) != ISW_OK)
        return false;
    snprintf(path, PATH_MAX, "%s", found);
    iswi_free(found);
    return true;
}

/* False: it was ended by a signal, and what is in `text` may be half of it. */
static bool symbolize(int report, iswi_buffer *text, iswi_capture_end *end)
{
    char *arguments[] = { (char *)"isoworker", (char *)"symbolize", NULL };
    char *environment[] = { (char *)"LC_ALL=C", NULL };
    char command[PATH_MAX];
    const iswi_capture what = { .program = command,
                                .arguments = arguments,
                                .environment = environment,
                                .input = report,
                                .errors = -1,
                                .most = TEXT_BYTES,
                                .patience_ms = PATIENCE_MS };

    *end = (iswi_capture_end){ .signal = 0 };
    iswi_buffer_reset(text);
    if (find_command(command) && lseek(report, 0, SEEK_SET) == 0)
        iswi_capture_watch(&what, text, end);
    return !end->signal || end->late;
}

/* As the kernel does with one that takes much memory: a second one may be spared. */
static void read_with_patience(const reader *r, iswi_buffer *text)
{
    iswi_capture_end end;

    for (int tries = 0; tries < 2 && !symbolize(r->report, text, &end); tries++)
        iswi_say(r->host, ISW_LOG_WARNING,
                 "worker %s: what reads the report of its crash (isoworker symbolize) was "
                 "ended by signal %d (%s)%s", r->label, end.signal,
                 strsignal(end.signal), tries ? "" : "; it is started again");
}

/* -- Showing ----------------------------------------------------------------------------------- */

static void show_line(const reader *r, const char *function, const char *invocation,
                      const char *line)
{
    iswi_logline out = { .level = ISW_LOG_ERROR,
                         .time_us = iswi_wall_us(),
                         .source = isw_str_of(r->label),
                         .category = isw_str_of("Crash"),
                         .function = isw_str_of(function),
                         .invocation_id = isw_str_of(invocation),
                         .message = isw_str_of(line) };

    iswi_log_line(r->host, &out, ISWI_SPEAKER_OTHERS);
}

/* The head is "SIGSEGV at address 0x0 in function charge, invocation 0123..."; a line for each
 * frame follows. */
static void show(const reader *r, char *text)
{
    char *head = strtok_r(text, "\n", &text);
    const char *named = head ? strstr(head, " in function ") : NULL;
    char function[ISWI_NAME_MAX + 1] = "";
    char invocation[64] = "";
    char *line;

    if (!head) {
        show_line(r, "", "", "crashed, and its report could not be read by isoworker symbolize");
        return;
    }
    if (named && sscanf(named, " in function %127[^,], invocation %63s", function, invocation) != 2)
        *function = *invocation = '\0';
    show_line(r, function, invocation, head);
    while ((line = strtok_r(NULL, "\n", &text)) != NULL)
        show_line(r, function, invocation, line);
}

static void *read_report(void *user)
{
    reader *r = user;
    iswi_buffer text = { 0 };
    char nothing[] = "";

    iswi_thread_name("isw-crash");
    read_with_patience(r, &text);
    show(r, iswi_buffer_text(&text) ? (char *)text.data : nothing);
    iswi_buffer_fini(&text);
    close(r->report);
    return NULL;
}

/* -- Processes --------------------------------------------------------------------------------- */

/* Those of its worker are made when the first of them begins. NULL: no memory. */
static reader *reader_of(const crashes *all, const iswi_process *process)
{
    const size_t worker = iswi_process_worker(process);
    const unsigned count = iswi_host_worker_places_most(all->host, worker);
    reader **own = &all->workers[worker];

    if (!*own && (*own = iswi_calloc(count, sizeof **own)) != NULL)
        for (unsigned i = 0; i < count; i++)
            (*own)[i] = (reader){ .host = all->host,
                                  .lock = PTHREAD_MUTEX_INITIALIZER,
                                  .memory = -1 };
    return *own ? *own + iswi_process_index(process) : NULL;
}

static void join(reader *r)
{
    if (r->reading)
        pthread_join(r->thread, NULL);
    r->reading = false;
}

static isw_status on_spawns(void *user, iswi_process *process, iswi_spawn_options *options,
                            isw_error *error)
{
    reader *r = reader_of(user, process);

    (void)error; /* it can do without */
    if (!r)
        return ISW_OK;
    pthread_mutex_lock(&r->lock);
    options->crash = r->memory = make_memory();
    *r->culprit = '\0';
    pthread_mutex_unlock(&r->lock);
    return ISW_OK;
}

/* Its calls may be lost before or after the supervisor sees its end. */
static void on_blames(void *user, iswi_process *process, char invocation_id[33])
{
    reader *r = ((crashes *)user)->workers[iswi_process_worker(process)];

    if (!r)
        return;
    r += iswi_process_index(process);
    pthread_mutex_lock(&r->lock);
    if (r->memory >= 0)
        read_culprit(r->memory, invocation_id);
    else if (*r->culprit)
        memcpy(invocation_id, r->culprit, sizeof r->culprit);
    pthread_mutex_unlock(&r->lock);
}

static void on_ended(void *user, iswi_process *process)
{
    reader *r = reader_of(user, process);
    int fd;

    if (!r)
        return;
    fd = r->memory;
    pthread_mutex_lock(&r->lock);
    r->memory = -1;
    read_culprit(fd, r->culprit);
    pthread_mutex_unlock(&r->lock);
    if (!is_written(fd)) {
        if (fd >= 0)
            close(fd);
        return;
    }
    join(r); /* of an earlier run; it has had a whole life for it */
    r->label = iswi_process_label(process);
    r->report = fd;
    r->reading = pthread_create(&r->thread, NULL, read_report, r) == 0;
    if (!r->reading)
        close(fd);
}

/* -- Life -------------------------------------------------------------------------------------- */

static void stop(void *user)
{
    crashes *all = user;

    for (size_t i = 0; i < all->count; i++)
        for (unsigned j = 0; all->workers[i] && j < iswi_host_worker_places_most(all->host, i); j++)
            join(&all->workers[i][j]);
}

static void destroy(void *user)
{
    crashes *all = user;

    for (size_t i = 0; i < all->count; i++)
        iswi_free(all->workers[i]);
    iswi_free(all->workers);
    iswi_free(all);
}

static const iswi_observer observer = {
    .spawns = on_spawns,
    .ended = on_ended,
    .blames = on_blames,
    .stop = stop,
    .destroy = destroy,
};

isw_status iswi_crash_attach(iswi_host *host, isw_error *error)
{
    size_t count = iswi_host_worker_most(host);
    crashes *all = iswi_calloc(1, sizeof *all);
    reader **workers = iswi_calloc(count, sizeof *workers);

    if (!all || !workers) {
        iswi_free(all);
        iswi_free(workers);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for the reports of crashes");
    }
    *all = (crashes){ host, workers, count };
    if (iswi_host_observe(host, &observer, all, error) == ISW_OK)
        return ISW_OK;
    destroy(all);
    return error->status;
}
