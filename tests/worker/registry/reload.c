/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration that is read again while the worker runs. */
#include "worker/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int started;
static atomic_int stopped;

typedef struct options {
    const char *as;
    bool fail;
} options;

static const isw_option rows[] = {
    { .name = "as", .type = ISW_OPTION_STRING, .default_value = "x",
      .offset = offsetof(options, as) },
    { .name = "fail", .type = ISW_OPTION_BOOL, .default_value = "false",
      .offset = offsetof(options, fail) },
    { 0 },
};

static isw_status start(isw_instance *self, isw_error *error)
{
    const options *opt = isw_instance_options(self);

    if (opt->fail)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "the store is closed");
    atomic_fetch_add(&started, 1);
    return ISW_OK;
}

static void stop(isw_instance *self)
{
    (void)self;
    atomic_fetch_add(&stopped, 1);
}

static const isw_item_key name_key = { .name = "name", .destroy = NULL };

static isw_status name(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    isw_status status;

    isw_context_set_item(ctx, &name_key, (void *)((const options *)isw_instance_options(self))->as);
    status = isw_next_run(next, ctx);
    return status;
}

static const isw_middleware name_middleware = {
    .size = sizeof(isw_middleware), .name = "name",   .options = rows,
    .options_size = sizeof(options), .start = start, .stop = stop, .invoke = name,
};

/* A worker whose YAML can change. */
typedef struct sample {
    isw_worker *worker;
    char path[32];
} sample;

static void write_yaml(const sample *s, const char *yaml)
{
    FILE *file = fopen(s->path, "w");

    assert_non_null(file);
    assert_true(fputs(yaml, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void sample_init(sample *s, const isw_function *function, const char *yaml)
{
    isw_worker_options worker_options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };
    int fd;

    atomic_store(&started, 0);
    atomic_store(&stopped, 0);
    strcpy(s->path, "/tmp/isw-reload-XXXXXX");
    fd = mkstemp(s->path);
    assert_true(fd >= 0);
    close(fd);
    write_yaml(s, yaml);
    worker_options.config_path = s->path;
    assert_int_equal(isw_worker_create(&worker_options, &s->worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_middleware(s->worker, &name_middleware, &error), ISW_OK);
    assert_int_equal(isw_worker_add_function(s->worker, function, &error), ISW_OK);
    if (isw_worker_configure(s->worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

static void sample_fini(sample *s)
{
    isw_worker_destroy(s->worker);
    unlink(s->path);
    assert_int_equal(atomic_load(&started), atomic_load(&stopped));
}

static void reload(sample *s, const char *yaml)
{
    isw_error error = { 0 };

    write_yaml(s, yaml);
    if (isw_worker_reload(s->worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

/* -- Functions --------------------------------------------------------------------------------- */

static isw_status answer_name(isw_context *ctx)
{
    const char *as = isw_context_item(ctx, &name_key);
    isw_value result = isw_value_string(as ? as : "none");

    return isw_context_set_result(ctx, &result);
}

static const isw_function named = { .name = "named", .trigger = ISW_TRIGGER("timer", NULL),
                                    .handler = answer_name };

static void assert_answer(sample *s, const char *function, const char *expected)
{
    isw_invocation result;
    isw_error error = { 0 };

    assert_int_equal(isw_worker_invoke(s->worker, function, NULL, &result, &error), ISW_OK);
    assert_int_equal(result.outcome, ISW_OUTCOME_SUCCESS);
    assert_int_equal(result.result.as.string.size, strlen(expected));
    assert_memory_equal(result.result.as.string.data, expected, strlen(expected));
    isw_invocation_free(&result);
}

static void what_the_file_says_now_is_in_force(void **state)
{
    sample s;

    (void)state;
    sample_init(&s, &named, "middleware: [name: {as: one}]\n");
    assert_answer(&s, "named", "one");
    reload(&s, "middleware: [name: {as: two}]\n");
    assert_answer(&s, "named", "two");
    assert_int_equal(atomic_load(&stopped), 1);
    reload(&s, "middleware: []\n");
    assert_answer(&s, "named", "none");
    sample_fini(&s);
}

static void a_bad_file_leaves_all_as_it_was(void **state)
{
    isw_error error = { 0 };
    char expected[128];
    sample s;

    (void)state;
    sample_init(&s, &named, "middleware: [name: {as: one}]\n");
    write_yaml(&s, "middleware:\n  - name: {sa: two}\n");
    assert_int_equal(isw_worker_reload(s.worker, &error), ISW_E_CONFIG);
    snprintf(expected, sizeof expected, "%s:2:12: ", s.path);
    assert_memory_equal(error.message, expected, strlen(expected));
    assert_answer(&s, "named", "one");
    write_yaml(&s, "middleware:\n  - name: {as: two}\n  - name: {fail: true}\n");
    error.status = ISW_OK;
    assert_int_equal(isw_worker_reload(s.worker, &error), ISW_E_UNAVAILABLE);
    snprintf(expected, sizeof expected,
             "%s:3:5: middleware name did not start: the store is closed", s.path);
    assert_string_equal(error.message, expected);
    assert_answer(&s, "named", "one");
    unlink(s.path);
    error.status = ISW_OK;
    assert_int_equal(isw_worker_reload(s.worker, &error), ISW_E_IO);
    assert_answer(&s, "named", "one");
    sample_fini(&s);
}

/* -- While something runs ---------------------------------------------------------------------- */

static sample *inner; /* that its own handler reloads */

static isw_status reload_inside(isw_context *ctx)
{
    reload(inner,
           "middleware: [name: {as: two}]\nfunctions: [{name: i*, metadata: {tier: gold}}]\n");
    assert_int_equal(atomic_load(&started), 2);
    assert_int_equal(atomic_load(&stopped), 0); /* ours has not ended */
    assert_null(isw_context_metadata(ctx, "tier"));
    return answer_name(ctx);
}

static void what_runs_keeps_what_it_began_with(void **state)
{
    const isw_function function = { .name = "inside", .trigger = ISW_TRIGGER("timer", NULL),
                                    .handler = reload_inside };
    sample s;

    (void)state;
    inner = &s;
    sample_init(&s, &function, "middleware: [name: {as: one}]\n");
    assert_answer(&s, "inside", "one");
    assert_int_equal(atomic_load(&stopped), 1);
    sample_fini(&s);
}

enum { THREADS = 4, RELOADS = 40 };

static atomic_bool done;
static atomic_int answers;

static void *invoke_until_done(void *user)
{
    sample *s = user;
    isw_invocation result;
    isw_error error = { 0 };

    while (!atomic_load(&done)) {
        if (isw_worker_invoke(s->worker, "named", NULL, &result, &error) != ISW_OK ||
            result.outcome != ISW_OUTCOME_SUCCESS ||
            (memcmp(result.result.as.string.data, "one", 3) != 0 &&
             memcmp(result.result.as.string.data, "two", 3) != 0))
            return "an invocation was lost";
        isw_invocation_free(&result);
        atomic_fetch_add(&answers, 1);
    }
    return NULL;
}

static void no_invocation_is_lost_meanwhile(void **state)
{
    pthread_t threads[THREADS];
    sample s;

    (void)state;
    sample_init(&s, &named, "middleware: [name: {as: one}]\n");
    atomic_store(&done, false);
    atomic_store(&answers, 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, invoke_until_done, &s), 0);
    for (int i = 0; i < RELOADS; i++) {
        int before = atomic_load(&answers);

        reload(&s, i % 2 ? "middleware: [name: {as: one}]\n" : "middleware: [name: {as: two}]\n");
        while (atomic_load(&answers) == before)
            sched_yield();
    }
    atomic_store(&done, true);
    for (int i = 0; i < THREADS; i++) {
        void *fault;

        pthread_join(threads[i], &fault);
        assert_null(fault);
    }
    assert_int_equal(atomic_load(&started), RELOADS + 1);
    sample_fini(&s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_the_file_says_now_is_in_force),
    cmocka_unit_test(a_bad_file_leaves_all_as_it_was),
    cmocka_unit_test(what_runs_keeps_what_it_began_with),
    cmocka_unit_test(no_invocation_is_lost_meanwhile),
};

ISW_TEST_MAIN(tests)
