/* SPDX-License-Identifier: Apache-2.0 */
/* A host of the bench. Invariant: one thread runs it, and whoever began it only waits and calls. */
#include "bench/host.h"

#include "bench/clock.h"
#include "bench/samples.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { READY_S = 60 };

typedef void (*write_fn)(const iswi_bench_setup *setup, FILE *file);

static bool write_file(char *path, size_t size, const iswi_bench_host *h, const char *name,
                       write_fn write)
{
    FILE *file;

    snprintf(path, size, "%s/%s", h->folder, name);
    file = fopen(path, "we");
    if (!file)
        return false;
    write(&h->setup, file);
    return fclose(file) == 0;
}

static void *run_host(void *user)
{
    iswi_bench_host *h = user;
    isw_error error = { ISW_OK, "" };

    iswi_host_run(h->host, &error);
    atomic_store(&h->ended, true);
    sem_post(&h->news);
    return NULL;
}

static void on_ready(void *user, iswi_process *process, pid_t pid)
{
    iswi_bench_host *h = user;

    (void)process;
    (void)pid;
    sem_post(&h->news);
}

static const iswi_observer observer = { .ready = on_ready };

static bool is_ready(const iswi_bench_host *h)
{
    unsigned serve = 0;

    for (unsigned i = 0; i < iswi_host_worker_places(h->host, 0); i++)
        serve += iswi_process_serves(iswi_host_process(h->host, 0, i));
    return serve >= iswi_host_worker_processes(h->host, 0);
}

/* What else the object has does harm. */
static bool look_at_echo(iswi_bench_host *h)
{
    h->function_count = 1;
    h->functions = calloc(1, sizeof *h->functions);
    if (h->functions)
        h->functions[0] = iswi_host_find(h->host, "echo");
    return h->functions && h->functions[0];
}

static bool look_at_workers(iswi_bench_host *h)
{
    iswi_host_function *newest = iswi_host_newest_function(h->host);
    iswi_process_look look;

    iswi_process_look_at(iswi_host_first_process(h->host, 0), &look, NULL);
    h->worker = look.pid;
    h->worker_started_ns = look.started_ns;
    h->function_count = newest ? iswi_function_number(newest) + 1 : 0;
    if (h->setup.object)
        return look_at_echo(h);
    h->functions = calloc(h->function_count + 1, sizeof *h->functions);
    for (iswi_host_function *at = newest; at && h->functions; at = iswi_function_before(at))
        h->functions[iswi_function_number(at)] = at;
    return h->functions != NULL;
}

static bool await_workers(iswi_bench_host *h, isw_error *error)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += READY_S;
    while (!atomic_load(&h->ended) && !iswi_bench_is_over(INT64_MAX)) {
        if (is_ready(h))
            return look_at_workers(h);
        if (sem_timedwait(&h->news, &until) != 0 && errno != EINTR)
            break;
    }
    isw_error_set(error, ISW_E_UNAVAILABLE, "its workers did not become ready");
    return false;
}

/* One that was spawned goes, and one that the template forks comes. */
static bool have_forked(iswi_bench_host *h, isw_error *error)
{
    int64_t until_ns = iswi_bench_now_ns() + READY_S * INT64_C(1000000000);
    pid_t before = h->worker;
    iswi_template_look look = { .pid = 0 };

    while (look.state != ISWI_TEMPLATE_READY && !iswi_bench_is_over(until_ns)) {
        iswi_host_template_look_at(h->host, 0, &look);
        iswi_bench_sleep_ns(1000000);
    }
    kill(before, SIGKILL);
    while (h->worker == before && !atomic_load(&h->ended) && !iswi_bench_is_over(until_ns)) {
        if (sem_wait(&h->news) != 0)
            continue;
        free(h->functions);
        h->functions = NULL;
        if (!await_workers(h, error))
            return false;
    }
    iswi_host_template_look_at(h->host, 0, &look);
    if (look.forked == 1)
        return true;
    isw_error_set(error, ISW_E_UNAVAILABLE, "it was not forked by a template: %s", look.why);
    return false;
}

bool iswi_bench_host_begin(iswi_bench_host *h, const char *setup, isw_error *error)
{
    iswi_host_overrides overrides = { .port = -1, .json = -1 };

    *h = (iswi_bench_host){ .folder = "/tmp/isoworker-bench-XXXXXX" };
    sem_init(&h->news, 0, 0);
    h->console = memfd_create("isoworker-bench", MFD_CLOEXEC);
    overrides.output = h->console;
    if (h->console < 0 || !iswi_bench_parse_setup(setup, &h->setup) || h->setup.in_process) {
        isw_error_set(error, ISW_E_INVALID, "there is no such case");
        return false;
    }
    if (!mkdtemp(h->folder) ||
        !write_file(h->host_yaml, sizeof h->host_yaml, h, "host.yaml",
                    iswi_bench_write_host_yaml) ||
        !write_file(h->worker_yaml, sizeof h->worker_yaml, h, "worker.yaml",
                    iswi_bench_write_worker_yaml) ||
        (h->setup.object && !iswi_bench_copy_object(h->folder))) {
        isw_error_set(error, ISW_E_IO, "its configuration cannot be written");
        return false;
    }
    if (iswi_host_create(h->folder, &overrides, &h->host, error) != ISW_OK ||
        iswi_host_observe(h->host, &observer, h, error) != ISW_OK)
        return false;
    h->running = pthread_create(&h->thread, NULL, run_host, h) == 0;
    return h->running && await_workers(h, error) && (!h->setup.warm || have_forked(h, error));
}

void iswi_bench_host_end(iswi_bench_host *h, bool loud)
{
    char text[2048];
    ssize_t size;

    if (h->running) {
        iswi_host_stop(h->host);
        pthread_join(h->thread, NULL);
    }
    iswi_host_destroy(h->host);
    sem_destroy(&h->news);
    free(h->functions);
    unlink(h->host_yaml);
    unlink(h->worker_yaml);
    if (h->setup.object)
        iswi_bench_remove_object(h->folder);
    rmdir(h->folder);
    size = loud ? pread(h->console, text, sizeof text, 0) : 0;
    if (size > 0)
        fprintf(stderr, "%.*s", (int)size, text);
    close(h->console);
}

bool iswi_bench_serve_http(const char *setup)
{
    iswi_bench_host h;
    isw_error error = { ISW_OK, "" };
    bool ok = iswi_bench_host_begin(&h, setup, &error) && iswi_host_address(h.host, 0);

    if (ok) {
        printf("%s/api/http\n", iswi_host_address(h.host, 0));
        fflush(stdout);
        while (!iswi_bench_is_over(INT64_MAX))
            iswi_bench_sleep_ns(50000000);
    } else {
        fprintf(stderr, "isoworker bench: %s: %s\n", setup, error.message);
    }
    iswi_bench_host_end(&h, !ok);
    return ok;
}
