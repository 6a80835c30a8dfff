/* SPDX-License-Identifier: Apache-2.0 */
/* The suite. It waits for answers, for bytes in pipes, and for nothing else. */
#include "host/trigger_conformance.h"

#include "base/clock.h"
#include "host/engine/engine.h"
#include "host/host.h"

#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS = 4, SHARE = 50, HELD = 4, LOG_BYTES = 64 * 1024 };

#define PATIENCE_NS INT64_C(30000000000)

/* -- The host ---------------------------------------------------------------------------------- */

static void write_file(const conforming_host *h, const char *name, const char *text)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", h->folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Both ends are ours, so that neither side waits for the other to open it. */
static int make_pipe(const conforming_host *h, const char *name)
{
    char path[64];
    int fd;

    snprintf(path, sizeof path, "%s/%s", h->folder, name);
    assert_int_equal(mkfifo(path, 0600), 0);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void write_yaml(const conforming_host *h, const char *yaml, const char *type, bool late)
{
    char text[2048];
    int size = snprintf(text, sizeof text,
                        "%s\nhost: {control: false}\nworkers:\n"
                        "  - {name: w, command: [\"%s\"], environment: {CONFORMING_TYPE: %s, "
                        "CONFORMING_WRONG: %s}}\n",
                        yaml, CONFORMING_WORKER, type, subject.misspelt);

    if (late)
        snprintf(text + size, sizeof text - (size_t)size,
                 "  - {name: later, command: [\"%s\"], environment: {CONFORMING_TYPE: %s, "
                 "CONFORMING_LATE: 1}}\n", CONFORMING_WORKER, type);
    write_file(h, "host.yaml", text);
    write_file(h, "worker.yaml", "middleware: []\n");
}

static void *run(void *user)
{
    conforming_host *h = user;

    h->status = iswi_host_run(h->host, &h->error);
    return NULL;
}

static void clean_up(conforming_host *h)
{
    static const char *const names[] = { "host.yaml", "worker.yaml", "begun", "gate", "late" };
    char path[64];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", h->folder, names[i]);
        unlink(path);
    }
    rmdir(h->folder);
    close(h->begun);
    close(h->gate);
    close(h->late);
    close(h->output);
}

isw_status conforming_start(conforming_host *h, const char *yaml, const char *type, bool late,
                            isw_error *error)
{
    iswi_host_overrides overrides = { .port = -1, .json = 0, .triggers = h->triggers };

    *h = (conforming_host){ .folder = "/tmp/isw-trigger-XXXXXX",
                            .triggers = { subject.trigger, NULL } };
    assert_non_null(mkdtemp(h->folder));
    h->begun = make_pipe(h, "begun");
    h->gate = make_pipe(h, "gate");
    h->late = make_pipe(h, "late");
    h->output = overrides.output = memfd_create("log", MFD_CLOEXEC);
    write_yaml(h, yaml, type, late);
    if (iswi_host_create(h->folder, &overrides, &h->host, error) != ISW_OK) {
        clean_up(h);
        return error->status;
    }
    assert_int_equal(pthread_create(&h->thread, NULL, run, h), 0);
    return ISW_OK;
}

static void end_host(conforming_host *h)
{
    pthread_join(h->thread, NULL);
    if (h->status != ISW_OK)
        fail_msg("%s", h->error.message);
    iswi_host_destroy(h->host);
    clean_up(h);
}

void conforming_stop(conforming_host *h)
{
    iswi_host_stop(h->host);
    end_host(h);
}

static void start(conforming_host *h, bool late)
{
    isw_error error = { ISW_OK, "" };

    if (conforming_start(h, subject.yaml, subject.trigger->type, late, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

/* -- Calls ------------------------------------------------------------------------------------- */

static bool ask(iswi_host *host, const char *function)
{
    asked of = { .own = NULL };

    subject.begin(host, function, &of);
    return subject.end(&of) && of.answers == 1;
}

void conforming_await(conforming_host *h, const char *function)
{
    int64_t until_ns = iswi_now_ns() + PATIENCE_NS;

    while (!ask(h->host, function)) {
        if (iswi_now_ns() > until_ns)
            fail_msg("%s is not served", function);
        sched_yield();
    }
}

void conforming_await_line(const conforming_host *h, const char *text)
{
    int64_t until_ns = iswi_now_ns() + PATIENCE_NS;
    char *log = calloc(1, LOG_BYTES + 1);
    bool found = false;

    assert_non_null(log);
    while (!found && iswi_now_ns() < until_ns) {
        ssize_t size = pread(h->output, log, LOG_BYTES, 0);

        log[size > 0 ? size : 0] = '\0';
        found = strstr(log, text) != NULL;
        sched_yield();
    }
    if (!found)
        fail_msg("no line has \"%s\":\n%s", text, log);
    free(log);
}

typedef struct load {
    iswi_host *host;
    atomic_bool over;
    atomic_uint succeeded, failed;
    unsigned share; /* 0: until it is over */
} load;

static void *ask_for_a_share(void *user)
{
    load *l = user;

    for (unsigned i = 0; l->share ? i < l->share : !atomic_load(&l->over); i++)
        atomic_fetch_add(ask(l->host, "echo") ? &l->succeeded : &l->failed, 1);
    return NULL;
}

static void begin_load(load *l, pthread_t *threads)
{
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_for_a_share, l), 0);
}

static void end_load(load *l, pthread_t *threads)
{
    atomic_store(&l->over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* -- Cases ------------------------------------------------------------------------------------- */

static uint64_t answered(iswi_host *host)
{
    iswi_function_look look;

    iswi_function_look_at(iswi_host_find(host, "echo"), &look);
    return look.ended;
}

void conforms_and_answers_each_call_once(void **state)
{
    pthread_t threads[THREADS];
    conforming_host h;
    load l = { .share = SHARE };
    uint64_t before;

    (void)state;
    start(&h, false);
    conforming_await(&h, "echo");
    before = answered(h.host);
    l.host = h.host;
    begin_load(&l, threads);
    end_load(&l, threads);
    assert_int_equal(l.succeeded, THREADS * SHARE);
    assert_int_equal(l.failed, 0);
    assert_int_equal(answered(h.host), before + THREADS * SHARE);
    conforming_stop(&h);
}

/* What was taken before the end is answered as ever, what comes after it is not taken. */
static void lose_none(void (*end)(iswi_host *host))
{
    int64_t until_ns = iswi_now_ns() + PATIENCE_NS;
    asked held[HELD] = { { .own = NULL } };
    conforming_host h;
    char bytes[HELD];

    start(&h, false);
    conforming_await(&h, "echo");
    for (int i = 0; i < HELD; i++)
        subject.begin(h.host, "gate", &held[i]);
    for (int i = 0; i < HELD; i++)
        assert_int_equal(read(h.begun, bytes, 1), 1);
    end(h.host);
    while (ask(h.host, "echo"))
        assert_true(iswi_now_ns() < until_ns);
    assert_int_equal(write(h.gate, bytes, HELD), HELD);
    for (int i = 0; i < HELD; i++)
        assert_true(subject.end(&held[i]));
    end_host(&h);
    for (int i = 0; i < HELD; i++)
        assert_int_equal(held[i].answers, 1);
}

void conforms_and_loses_none_when_it_quiesces(void **state)
{
    (void)state;
    lose_none(iswi_host_stop);
}

static void leave(iswi_host *host)
{
    iswi_host_leave(host, getpid());
}

void conforms_and_loses_none_when_another_host_takes_its_place(void **state)
{
    (void)state;
    lose_none(leave);
}

void conforms_and_takes_nothing_while_the_host_drains(void **state)
{
    asked held = { .own = NULL };
    conforming_host h;
    char byte;

    (void)state;
    start(&h, false);
    conforming_await(&h, "echo");
    subject.begin(h.host, "gate", &held);
    assert_int_equal(read(h.begun, &byte, 1), 1);
    iswi_host_drain(h.host);
    assert_false(ask(h.host, "echo"));
    assert_true(iswi_host_in_flight(h.host) > 0);
    assert_int_equal(write(h.gate, &byte, 1), 1);
    assert_true(subject.end(&held));
    iswi_host_resume(h.host);
    assert_true(ask(h.host, "echo"));
    conforming_stop(&h);
    assert_int_equal(held.answers, 1);
}

void conforms_and_tells_of_a_workers_death(void **state)
{
    asked of = { .own = NULL };
    conforming_host h;

    (void)state;
    start(&h, false);
    conforming_await(&h, "echo");
    subject.begin(h.host, "dies", &of);
    assert_false(subject.end(&of));
    assert_int_equal(of.answers, 1);
    conforming_await(&h, "echo");
    conforming_stop(&h);
    assert_int_equal(of.answers, 1);
}

void conforms_when_functions_come_under_load(void **state)
{
    pthread_t threads[THREADS];
    conforming_host h;
    load l = { .share = 0 };

    (void)state;
    start(&h, true);
    conforming_await(&h, "echo");
    assert_false(ask(h.host, "late"));
    l.host = h.host;
    begin_load(&l, threads);
    assert_int_equal(write(h.late, "", 1), 1);
    conforming_await(&h, "late");
    end_load(&l, threads);
    assert_true(l.succeeded > 0);
    assert_int_equal(l.failed, 0);
    conforming_stop(&h);
}

void conforms_and_refuses_properties_that_it_does_not_know(void **state)
{
    const iswi_host_function *wrong;
    conforming_host h;
    char text[256];

    (void)state;
    start(&h, false);
    conforming_await(&h, "echo");
    wrong = iswi_host_find(h.host, "wrong");
    snprintf(text, sizeof text,
             "function wrong of worker w is not served: its trigger \"%s\": no property \"%s\"; "
             "did you mean \"%s\"?", subject.trigger->type, subject.misspelt, subject.meant);
    assert_non_null(strstr(wrong->unserved, text));
    conforming_await_line(&h, text);
    assert_string_equal(wrong->refused, "its trigger refuses its properties");
    assert_false(ask(h.host, "wrong"));
    conforming_stop(&h);
}
