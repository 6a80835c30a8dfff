/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run of a worker inside its host: one thread that makes it, serves, and frees it; the others
 * are the session's. Invariant: a run belongs to the host and to its thread until both are done with
 * it, and nothing in it is the host's memory: one that is left behind does no harm.
 */
#include "base/alloc.h"
#include "base/thread.h"
#include "worker/program/crash.h"
#include "worker/program/report.h"
#include "worker/program/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <isoworker/isoworker.h>
#include <isoworker/sys/inprocess.h>
#include <isoworker/sys/module.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

typedef struct run {
    pthread_t thread;
    char *module, *config, *directory, *url;
    iswi_handed handed;
    bool debug;
    FILE *errors;
    int ended;
    int code;
    bool left;        /* only the host */
    atomic_bool over; /* one of both is done with it */
} run;

/* -- Memory ------------------------------------------------------------------------------------ */

static bool copy_text(char **out, const char *text)
{
    *out = text ? iswi_strdup(text) : NULL;
    return *out || !text;
}

static bool copy_fd(int *out, int fd)
{
    *out = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return *out >= 0 || fd < 0;
}

static void free_run(run *r)
{
    int fds[] = { r->handed.ring, r->handed.arena, r->handed.bell, r->ended };

    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (r->errors)
        fclose(r->errors);
    iswi_free(r->module);
    iswi_free(r->config);
    iswi_free(r->directory);
    iswi_free(r->url);
    iswi_free(r);
}

static bool take_start(run *r, const isw_inprocess_start *start)
{
    int errors;

    r->debug = start->debug;
    r->handed.spin_us = start->spin_us;
    memcpy(r->handed.token, start->token, sizeof r->handed.token);
    if (!copy_text(&r->module, start->module) || !copy_text(&r->config, start->config) ||
        !copy_text(&r->directory, start->directory) || !copy_text(&r->url, start->url) ||
        !copy_fd(&r->handed.ring, start->ring) || !copy_fd(&r->handed.arena, start->arena) ||
        !copy_fd(&r->handed.bell, start->bell) || !copy_fd(&r->ended, start->ended) ||
        !copy_fd(&errors, start->errors))
        return false;
    r->handed.url = r->url;
    r->errors = fdopen(errors, "w");
    if (!r->errors)
        close(errors);
    else
        setvbuf(r->errors, NULL, _IOLBF, 0);
    return r->errors != NULL;
}

/* -- Its thread -------------------------------------------------------------------------------- */

/* Relative paths of its YAML and its functions mean the worker's folder: those of this thread and
 * of all that come from it, and not those of the host's. */
static bool enter_folder(const run *r, isw_error *error)
{
    char now[PATH_MAX];

    if (getcwd(now, sizeof now) && strcmp(now, r->directory) == 0)
        return true;
    if (unshare(CLONE_FS) == 0 && chdir(r->directory) == 0)
        return true;
    isw_error_set(error, ISW_E_CONFIG, "it cannot be in %s on threads of its own: %s; start the "
                  "host there", r->directory, strerror(errno));
    return false;
}

static int serve(run *r, isw_worker *worker, const iswi_report_to *to)
{
    isw_error error = { ISW_OK, "" };
    int code = iswi_report_configure(to, worker);

    if (code != EX_OK)
        return code;
    iswi_report_warn(to, worker);
    if (worker->settings.crash_report)
        iswi_crash_install();
    if (r->debug)
        iswi_worker_set_debugged(worker);
    if (iswi_worker_start(worker, &error) == ISW_OK &&
        iswi_worker_serve(worker, &r->handed, &error) == ISW_OK)
        return EX_OK;
    return iswi_report_run(to, worker, &error);
}

static int run_worker(run *r, const iswi_report_to *to)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { ISW_OK, "" };
    isw_worker *worker = NULL;
    int code;

    options.config_path = r->config;
    if (enter_folder(r, &error) && isw_worker_create(&options, &worker, &error) == ISW_OK &&
        isw_worker_add_module(worker, r->module, &error) == ISW_OK) {
        code = serve(r, worker, to);
    } else {
        iswi_report_fail(to, &error);
        code = EX_CONFIG;
    }
    isw_worker_destroy(worker);
    return code;
}

static void tell_ended(const run *r)
{
    uint64_t one = 1;

    if (write(r->ended, &one, sizeof one) < 0)
        return; /* it was told */
}

static void *run_thread(void *user)
{
    run *r = user;
    const iswi_report_to to = { r->module, r->errors };

    iswi_thread_name("isw:worker");
    r->code = run_worker(r, &to);
    fflush(r->errors);
    tell_ended(r);
    if (atomic_exchange(&r->over, true))
        free_run(r);
    return NULL;
}

/* Signals are the host's, but for those that a fault of the thread's own raises. */
static bool begin_thread(run *r)
{
    static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
    sigset_t held;
    sigset_t before;
    bool begun;

    sigfillset(&held);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        sigdelset(&held, own[i]);
    pthread_sigmask(SIG_SETMASK, &held, &before);
    begun = pthread_create(&r->thread, NULL, run_thread, r) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return begun;
}

/* -- For the host ------------------------------------------------------------------------------ */

static isw_status start(const isw_inprocess_start *start, void **out, isw_error *error)
{
    run *r = iswi_calloc(1, sizeof *r);

    if (!r)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a worker");
    r->handed.ring = r->handed.arena = r->handed.bell = r->ended = -1;
    if (!take_start(r, start) || !begin_thread(r)) {
        isw_error_set(error, ISW_E_IO, "no descriptors or no thread for a worker: %s",
                      strerror(errno));
        free_run(r);
        return error->status;
    }
    *out = r;
    return ISW_OK;
}

static void leave(void *user)
{
    run *r = user;

    r->left = true;
    tell_ended(r);
}

static int join(void *user)
{
    run *r = user;
    pthread_t thread = r->thread;
    int code;

    if (r->left) {
        if (atomic_exchange(&r->over, true))
            free_run(r);
        pthread_detach(thread);
        return ISW_INPROCESS_LEFT;
    }
    pthread_join(thread, NULL);
    code = r->code;
    free_run(r);
    return code;
}

const isw_inprocess isw_inprocess_worker = {
    .version = ISW_VERSION_STRING,
    .start_size = sizeof(isw_inprocess_start),
    .start = start,
    .join = join,
    .leave = leave,
};
