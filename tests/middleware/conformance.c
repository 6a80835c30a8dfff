/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The suite: a chain around the subject writes down who ran, on a clock that stands still; what
 * needs memory to be out or threads runs without a test's clock.
 */
#include "middleware/conformance.h"

#include "worker/registry/worker.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, SHARE = 100, RELOADS = 20, INVOCATIONS_MOST = 1000000,
       MOST_ALLOCATIONS = 5000, LATE_MS = 60000 };

/* -- Memory ------------------------------------------------------------------------------------ */

static atomic_long blocks;      /* that are not freed */
static atomic_long allocations; /* until one fails; below 0: none does */

static void *reallocate(void *user, void *block, size_t size)
{
    (void)user;
    if (size == 0) {
        atomic_fetch_sub(&blocks, 1);
        free(block);
        return NULL;
    }
    if (atomic_load(&allocations) >= 0 && atomic_fetch_sub(&allocations, 1) == 0)
        return NULL;
    if (!block)
        atomic_fetch_add(&blocks, 1);
    return realloc(block, size);
}

/* -- The chain --------------------------------------------------------------------------------- */

typedef enum way { PASS, SHORT_CIRCUIT, TWICE } way;

static way outer_way, inner_way;
static char trace[64];        /* who ran, when one thread does */
static atomic_bool tracing;
static atomic_int handled;

static void mark(const char *text)
{
    if (atomic_load(&tracing))
        strcat(trace, text);
}

static isw_status pass(isw_context *ctx, const isw_next *next, way how)
{
    isw_status status;

    if (how == SHORT_CIRCUIT)
        return isw_http_reply(ctx, 403, "text/plain", "not today");
    status = isw_next_run(next, ctx);
    if (how == PASS)
        return status;
    isw_context_start_over(ctx);
    return isw_next_run(next, ctx);
}

static isw_status run_outer(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    isw_status status;

    (void)self;
    mark("o(");
    status = pass(ctx, next, outer_way);
    mark(")");
    return status;
}

static isw_status run_inner(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    isw_status status;

    (void)self;
    mark("i(");
    status = pass(ctx, next, inner_way);
    mark(")");
    return status;
}

static const isw_middleware outer = { .size = sizeof outer, .name = "outer", .invoke = run_outer };
static const isw_middleware inner = { .size = sizeof inner, .name = "inner", .invoke = run_inner };

/* -- Functions --------------------------------------------------------------------------------- */

static isw_status answer(isw_context *ctx)
{
    isw_value result = isw_value_string("fine");

    mark("h");
    atomic_fetch_add(&handled, 1);
    if (isw_http_request(ctx))
        return isw_http_reply(ctx, 200, "text/plain", "fine");
    return isw_context_set_result(ctx, &result);
}

static isw_status refuse(isw_context *ctx)
{
    mark("h");
    return isw_fail(ctx, ISW_E_CONFLICT, "taken already");
}

static isw_status wait(isw_context *ctx)
{
    mark("h");
    return isw_context_sleep(ctx, LATE_MS);
}

enum { FUNCTIONS = 4 };

/* The functions with what the subject wants of them. */
static const isw_function *functions(void)
{
    static isw_function list[FUNCTIONS + 1];
    static const isw_function plain[FUNCTIONS] = {
        { .name = "answer", .trigger = ISW_HTTP("GET POST", NULL), .handler = answer },
        { .name = "tick", .trigger = ISW_TRIGGER("timer", NULL), .handler = answer },
        { .name = "refuse", .trigger = ISW_HTTP("GET", NULL), .handler = refuse },
        { .name = "wait", .trigger = ISW_HTTP("GET", NULL), .handler = wait },
    };

    memcpy(list, plain, sizeof plain);
    for (size_t i = 0; i < FUNCTIONS; i++) {
        list[i].metadata = subject.metadata;
        list[i].idempotent = subject.idempotent;
    }
    return list;
}

/* -- Workers ----------------------------------------------------------------------------------- */

static isw_status make_worker(const isw_worker_options *options, const isw_function *list,
                              isw_worker **out, isw_error *error)
{
    const isw_middleware *own[] = { &outer, &inner, subject.middleware };
    isw_status status = isw_worker_create(options, out, error);

    for (size_t i = 0; status == ISW_OK && i < 3; i++)
        if (own[i])
            status = isw_worker_add_middleware(*out, own[i], error);
    for (; status == ISW_OK && list && list->name; list++)
        status = isw_worker_add_function(*out, list, error);
    return status;
}

isw_test *test_of(const isw_function *list, const char *yaml)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };
    isw_worker *worker = NULL;
    isw_test *test = NULL;

    options.config_text = yaml;
    if (make_worker(&options, list, &worker, &error) != ISW_OK ||
        isw_test_create(worker, &test, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return test;
}

const char *refusal_of_yaml(const char *yaml)
{
    static char message[ISW_ERROR_MESSAGE_BYTES];
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };
    isw_worker *worker = NULL;

    options.config_text = yaml;
    assert_int_equal(make_worker(&options, NULL, &worker, &error), ISW_OK);
    assert_int_not_equal(isw_worker_configure(worker, &error), ISW_OK);
    isw_worker_destroy(worker);
    assert_memory_equal(error.message, "(text)", 6);
    strcpy(message, error.message + 6);
    return message;
}

static const char *yaml_of(const char *options)
{
    static char yaml[4096];
    int size = snprintf(yaml, sizeof yaml, "middleware:\n  - outer\n  - %s: %s\n  - inner\n",
                        subject.name, options);

    assert_true(size > 0 && (size_t)size < sizeof yaml);
    return yaml;
}

static void begin(void)
{
    static const isw_allocator counting = { reallocate, NULL };

    isw_allocator_set(&counting);
    atomic_store(&allocations, -1);
    atomic_store(&handled, 0);
    atomic_store(&tracing, false);
    outer_way = inner_way = PASS;
    trace[0] = '\0';
}

static isw_worker *configured(void)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };
    isw_worker *worker = NULL;

    options.config_text = yaml_of(subject.options);
    if (make_worker(&options, functions(), &worker, &error) != ISW_OK ||
        isw_worker_configure(worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return worker;
}

static isw_test *begin_test(void)
{
    begin();
    atomic_store(&tracing, true);
    return test_of(functions(), yaml_of(subject.options));
}

static void end_test(isw_test *test)
{
    isw_test_destroy(test);
    assert_int_equal(atomic_load(&blocks), 0);
}

static const isw_test_result *get(isw_test *test, const char *url)
{
    trace[0] = '\0';
    for (const isw_pair *at = subject.headers; at && at->name.size; at++)
        isw_test_header(test, at->name.data, at->value.data);
    return isw_test_http(test, "GET", url);
}

/* -- One after the other ----------------------------------------------------------------------- */

void conforms_and_lets_pass(void **state)
{
    isw_test *test = begin_test();
    const isw_test_result *result = get(test, "/answer");

    (void)state;
    assert_string_equal(trace, "o(i(h))");
    assert_int_equal(result->outcome, ISW_OUTCOME_SUCCESS);
    assert_int_equal(result->http_status, 200);
    assert_string_equal(result->body, "fine");
    trace[0] = '\0';
    result = isw_test_invoke(test, "tick", NULL);
    assert_string_equal(trace, "o(i(h))");
    assert_int_equal(result->outcome, ISW_OUTCOME_SUCCESS);
    assert_string_equal(result->body, "fine");
    end_test(test);
}

void conforms_and_leaves_a_short_circuit_inside_alone(void **state)
{
    isw_test *test = begin_test();
    const isw_test_result *result;

    (void)state;
    inner_way = SHORT_CIRCUIT;
    result = get(test, "/answer");
    assert_string_equal(trace, "o(i())");
    assert_int_equal(result->http_status, 403);
    assert_string_equal(result->body, "not today");
    end_test(test);
}

void conforms_and_keeps_a_failure(void **state)
{
    isw_test *test = begin_test();
    const isw_test_result *result = get(test, "/refuse");

    (void)state;
    assert_string_equal(trace, "o(i(h))");
    assert_int_equal(result->outcome, ISW_OUTCOME_FAILED);
    assert_non_null(result->failure);
    assert_int_equal(result->failure->status, ISW_E_CONFLICT);
    assert_string_equal(result->failure->message, "taken already");
    end_test(test);
}

void conforms_when_next_is_called_twice(void **state)
{
    isw_test *test = begin_test();
    const isw_test_result *result;

    (void)state;
    outer_way = TWICE;
    result = get(test, "/answer");
    assert_string_equal(trace, "o(i(h)i(h))");
    assert_int_equal(result->http_status, 200);
    assert_string_equal(result->body, "fine");
    end_test(test);
}

void conforms_when_the_caller_leaves(void **state)
{
    isw_test *test = begin_test();
    const isw_test_result *result;

    (void)state;
    isw_test_cancel_after_ms(test, 1000);
    result = get(test, "/wait");
    assert_string_equal(trace, "o(i(h))");
    assert_int_equal(result->outcome, ISW_OUTCOME_CANCELLED);
    assert_int_equal(result->duration_us, 1000000);
    assert_string_equal(get(test, "/answer")->body, "fine");
    end_test(test);
}

void conforms_when_the_deadline_passes(void **state)
{
    isw_test *test = begin_test();
    const isw_test_result *result;

    (void)state;
    isw_test_timeout_ms(test, 2000);
    result = get(test, "/wait");
    assert_string_equal(trace, "o(i(h))");
    assert_int_not_equal(result->outcome, ISW_OUTCOME_SUCCESS);
    assert_int_equal(result->duration_us, 2000000);
    assert_string_equal(get(test, "/answer")->body, "fine");
    end_test(test);
}

/* -- Memory that is out ------------------------------------------------------------------------ */

/* The request that `get` sends, for an invocation without a test. */
static isw_http request(void)
{
    size_t count = 0;

    while (subject.headers && subject.headers[count].name.size)
        count++;
    return (isw_http){ .method = isw_str_of("GET"),
                       .url = isw_str_of("/api/answer"),
                       .headers = { subject.headers, count },
                       .client = isw_str_of("127.0.0.1") };
}

/* Whether it was the answer; with memory out it may be any other outcome. */
static bool invoke(isw_worker *worker)
{
    isw_http http = request();
    isw_value input = { .type = ISW_VALUE_HTTP, .as.http = &http };
    isw_invocation result = { .outcome = ISW_OUTCOME_FAILED };
    isw_error error = { 0 };
    bool fine;

    if (isw_worker_invoke(worker, "answer", &input, &result, &error) != ISW_OK)
        return false;
    fine = result.outcome == ISW_OUTCOME_SUCCESS && result.result.type == ISW_VALUE_HTTP &&
           result.result.as.http->status == 200 &&
           isw_str_equal((isw_str){ (const char *)result.result.as.http->body.data,
                                    result.result.as.http->body.size },
                         isw_str_of("fine"));
    isw_invocation_free(&result);
    return fine;
}

/* Every allocation of an invocation fails once, and each time the next invocation passes. */
void conforms_when_memory_is_out(void **state)
{
    bool reached = true;

    (void)state;
    begin();
    for (long at = 0; reached; at++) {
        isw_worker *worker = configured();

        assert_true(at < MOST_ALLOCATIONS);
        atomic_store(&allocations, at);
        invoke(worker);
        reached = atomic_load(&allocations) < 0;
        atomic_store(&allocations, -1);
        assert_true(invoke(worker));
        isw_worker_destroy(worker);
        assert_int_equal(atomic_load(&blocks), 0);
    }
}

void conforms_when_it_starts_without_memory(void **state)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_status status = ISW_E_NO_MEMORY;

    (void)state;
    begin();
    options.config_text = yaml_of(subject.options);
    for (long at = 0; status != ISW_OK; at++) {
        isw_error error = { 0 };
        isw_worker *worker = NULL;

        assert_true(at < MOST_ALLOCATIONS);
        assert_int_equal(make_worker(&options, functions(), &worker, &error), ISW_OK);
        atomic_store(&allocations, at);
        status = isw_worker_configure(worker, &error);
        atomic_store(&allocations, -1);
        if (status != ISW_OK && status != ISW_E_NO_MEMORY)
            fail_msg("%s", error.message);
        isw_worker_destroy(worker);
        assert_int_equal(atomic_load(&blocks), 0);
    }
}

/* -- Threads ----------------------------------------------------------------------------------- */

static atomic_bool enough;
static atomic_int at_work; /* threads */

static void *invoke_a_share(void *worker)
{
    for (int i = 0; i < SHARE; i++)
        if (!invoke(worker))
            return "an invocation did not pass";
    return NULL;
}

static void *invoke_until_enough(void *worker)
{
    bool passes = true;

    for (int i = 0; passes && i < INVOCATIONS_MOST && !atomic_load(&enough); i++)
        passes = invoke(worker);
    atomic_fetch_sub(&at_work, 1);
    return passes ? NULL : "an invocation did not pass";
}

static void join_all(pthread_t *threads)
{
    for (int i = 0; i < THREADS; i++) {
        void *fault;

        assert_int_equal(pthread_join(threads[i], &fault), 0);
        if (fault)
            fail_msg("%s", (const char *)fault);
    }
}

void conforms_when_threads_share_it(void **state)
{
    pthread_t threads[THREADS];
    isw_worker *worker;

    (void)state;
    begin();
    worker = configured();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, invoke_a_share, worker), 0);
    join_all(threads);
    assert_int_equal(atomic_load(&handled), THREADS * SHARE);
    isw_worker_destroy(worker);
    assert_int_equal(atomic_load(&blocks), 0);
}

static void write_yaml(const char *path, const char *options)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(yaml_of(options), file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static isw_worker *configured_from(const char *path)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };
    isw_worker *worker = NULL;

    write_yaml(path, subject.options);
    options.config_path = path;
    if (make_worker(&options, functions(), &worker, &error) != ISW_OK ||
        isw_worker_configure(worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return worker;
}

void conforms_when_it_is_reloaded(void **state)
{
    char path[] = "/tmp/isw-conformance-XXXXXX";
    pthread_t threads[THREADS];
    isw_error error = { 0 };
    isw_worker *worker;

    (void)state;
    begin();
    close(mkstemp(path));
    worker = configured_from(path);
    atomic_store(&enough, false);
    atomic_store(&at_work, THREADS);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, invoke_until_enough, worker), 0);
    for (int i = 0; i < RELOADS; i++) {
        int before = atomic_load(&handled);

        write_yaml(path, i % 2 ? subject.options : subject.other_options);
        if (isw_worker_reload(worker, &error) != ISW_OK)
            fail_msg("%s", error.message);
        while (atomic_load(&handled) == before && i % 2 && atomic_load(&at_work))
            sched_yield();
    }
    atomic_store(&enough, true);
    join_all(threads);
    unlink(path);
    isw_worker_destroy(worker);
    assert_int_equal(atomic_load(&blocks), 0);
}

/* -- Its reference ----------------------------------------------------------------------------- */

static void explain(const isw_option *rows)
{
    for (const isw_option *row = rows; row && row->name; row++) {
        assert_non_null(row->help);
        assert_true(strlen(row->help) > 3);
        explain(row->group);
    }
}

void conforms_and_explains_itself(void **state)
{
    const isw_middleware *middleware;
    isw_worker *worker;

    (void)state;
    begin();
    worker = configured();
    middleware = iswi_registry_find(&worker->registry, subject.name);
    assert_non_null(middleware);
    assert_true(strlen(middleware->summary) > 10);
    explain(middleware->options);
    isw_worker_destroy(worker);
}
