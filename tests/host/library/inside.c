/* SPDX-License-Identifier: Apache-2.0 */
/* A host as a part of a program, with a worker in the program's own process. */
#include "host/library/support.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

typedef struct place {
    char folder[32], yaml[64], module[64];
} place;

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* The object in a folder that nobody else may write, and a host.yaml that names it. */
static void make_place(place *p, const char *isolation)
{
    char text[256];
    int in = open(MODULE, O_RDONLY | O_CLOEXEC);
    int out;

    strcpy(p->folder, "/tmp/isw-library-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->yaml, sizeof p->yaml, "%s/host.yaml", p->folder);
    snprintf(p->module, sizeof p->module, "%s/worker.so", p->folder);
    out = open(p->module, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    assert_true(in >= 0 && out >= 0);
    while (sendfile(out, in, NULL, 1 << 20) > 0)
        continue;
    close(in);
    close(out);
    snprintf(text, sizeof text,
             "http: {enabled: false}\nworkers:\n  - name: inside\n    isolation: %s\n"
             "    command: [isoworker, worker, ./worker.so]\n", isolation);
    write_file(p->yaml, text);
}

static void remove_place(const place *p)
{
    unlink(p->yaml);
    unlink(p->module);
    assert_int_equal(rmdir(p->folder), 0);
}

static isw_host *start(const place *p, seen *s)
{
    isw_host_options options;
    isw_error error = { ISW_OK, "" };
    isw_host *host;

    seen_init(s);
    options = options_of(s);
    options.folder = p->folder;
    host = make_host(&options);
    if (isw_host_start(host, &error) != ISW_OK)
        fail_msg("%s", error.message);
    await_events(s, ISW_HOST_WORKER_READY, 1);
    return host;
}

static bool has_library(void)
{
    void *library = dlopen("libisoworker.so.0", RTLD_NOW | RTLD_NOLOAD);

    if (library)
        dlclose(library);
    return library != NULL;
}

static void the_library_of_workers_is_loaded_for_a_worker_inside_alone(void **state)
{
    isw_host *host;
    place p;
    seen s;

    (void)state;
    make_place(&p, "process");
    host = start(&p, &s);
    assert_echo(host);
    assert_false(has_library());
    isw_host_destroy(host);
    write_file(p.yaml, "http: {enabled: false}\nworkers:\n  - name: inside\n    isolation: none\n"
                       "    command: [isoworker, worker, ./worker.so]\n");
    host = start(&p, &s);
    assert_true(has_library());
    assert_echo(host);
    isw_host_destroy(host);
    remove_place(&p);
}

static void host_refuses(const isw_host_worker *worker, const char *why)
{
    isw_error error = { ISW_OK, "" };
    isw_host *host;
    seen s;

    seen_init(&s);
    host = make_host((const isw_host_options[]){ options_of(&s) });
    assert_int_equal(isw_host_add_worker(host, worker, &error), ISW_E_CONFIG);
    assert_message(&error, why);
    isw_host_destroy(host);
}

/* Each time another run, of the object that is loaded. */
static void a_program_adds_one_that_runs_inside_it_again_and_again(void **state)
{
    static const char *const command[] = { "isoworker", "worker", "./worker.so", NULL };
    isw_host_worker worker = ISW_HOST_WORKER_INIT;
    isw_error error = { ISW_OK, "" };
    place p;
    seen s;

    (void)state;
    make_place(&p, "none");
    worker.name = "inside";
    worker.command = command;
    worker.directory = p.folder;
    worker.isolation = "none";
    for (int i = 0; i < 3; i++) {
        isw_host *host;

        seen_init(&s);
        host = make_host((const isw_host_options[]){ options_of(&s) });
        assert_int_equal(isw_host_add_worker(host, &worker, &error), ISW_OK);
        assert_int_equal(isw_host_start(host, &error), ISW_OK);
        await_events(&s, ISW_HOST_WORKER_READY, 1);
        assert_echo(host);
        isw_host_stop(host);
        assert_int_equal(isw_host_wait(host, NULL), ISW_OK);
        isw_host_destroy(host);
    }
    worker.processes = 2;
    host_refuses(&worker, "isolation: none, which has no processes");
    remove_place(&p);
}

static const struct CMUnitTest tests[] = {
    /* First, before anything has loaded it. */
    cmocka_unit_test(the_library_of_workers_is_loaded_for_a_worker_inside_alone),
    cmocka_unit_test(a_program_adds_one_that_runs_inside_it_again_and_again),
};

ISW_TEST_MAIN(tests)
