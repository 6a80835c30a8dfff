/* SPDX-License-Identifier: Apache-2.0 */
/* A limit on the rest of the chain, as the handler and the caller see it. */
#include "middleware/conformance.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

static int64_t seen_ms;      /* that the handler had left */
static const char *inside;   /* whether it was cancelled within, and after */

static isw_status looks(isw_context *ctx)
{
    seen_ms = isw_context_remaining_ms(ctx);
    return isw_http_reply(ctx, 200, "text/plain", "in time");
}

static isw_status obeys(isw_context *ctx)
{
    if (isw_context_sleep(ctx, 5000) == ISW_OK)
        return isw_http_reply(ctx, 200, "text/plain", "slept");
    inside = isw_context_cancelled(ctx) ? "cancelled" : "not cancelled";
    assert_int_equal(isw_context_cancel_reason(ctx), ISW_CANCEL_DEADLINE);
    return isw_fail(ctx, ISW_E_CANCELLED, "woken early");
}

/* Does not look, and answers all the same. */
static isw_status ignores(isw_context *ctx)
{
    isw_context_sleep(ctx, 1000);
    isw_context_sleep(ctx, 0);
    return isw_http_reply(ctx, 200, "text/plain", "late");
}

static isw_status breaks_off(isw_context *ctx)
{
    isw_context_sleep(ctx, 5000);
    return isw_fail(ctx, ISW_E_IO, "interrupted");
}

static const isw_function functions[] = {
    { .name = "breaks_off", .trigger = ISW_HTTP("GET", NULL), .handler = breaks_off },
    { .name = "looks", .trigger = ISW_HTTP("GET", NULL), .handler = looks },
    { .name = "obeys", .trigger = ISW_HTTP("GET", NULL), .handler = obeys },
    { .name = "ignores", .trigger = ISW_HTTP("GET", NULL), .handler = ignores },
    { 0 },
};

static void what_runs_inside_sees_the_shorter_deadline(void **state)
{
    isw_test *test = test_of(functions, "middleware: [timeout: {after: 1s}]\n");

    (void)state;
    assert_string_equal(isw_test_http(test, "GET", "/looks")->body, "in time");
    assert_int_equal(seen_ms, 1000);
    isw_test_timeout_ms(test, 300); /* the host's own */
    isw_test_http(test, "GET", "/looks");
    assert_int_equal(seen_ms, 300);
    isw_test_destroy(test);
}

static void what_broke_off_is_504_wherever_error_handling_stands(void **state)
{
    static const char *const chains[] = { "middleware: [timeout: {after: 1s}, error_handling]\n",
                                          "middleware: [error_handling, timeout: {after: 1s}]\n" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        isw_test *test = test_of(functions, chains[i]);

        assert_int_equal(isw_test_http(test, "GET", "/breaks_off")->http_status, 504);
        assert_int_equal(isw_test_http(test, "GET", "/obeys")->http_status, 504);
        isw_test_destroy(test);
    }
}

static void the_shortest_of_several_counts(void **state)
{
    isw_test *test = test_of(functions, "middleware:\n"
                           "  - timeout: {after: 2s}\n"
                           "  - timeout: {after: 400ms, when: {functions: [looks]}}\n"
                           "  - timeout: {after: 3s}\n");

    (void)state;
    isw_test_http(test, "GET", "/looks");
    assert_int_equal(seen_ms, 400);
    isw_test_destroy(test);
}

static void a_function_that_obeys_fails_with_504_and_its_own_word_as_the_cause(void **state)
{
    isw_test *test = test_of(functions, "middleware: [error_handling, timeout: {after: 1500ms}]\n");
    const isw_test_result *result = isw_test_http(test, "GET", "/obeys");

    (void)state;
    assert_int_equal(result->http_status, 504);
    assert_int_equal(result->duration_us, 1500000);
    assert_string_equal(inside, "cancelled");
    assert_int_equal(result->failure->status, ISW_E_TIMEOUT);
    assert_string_equal(result->failure->message,
                        "obeys took 1500 ms, the middleware timeout gives it 1500");
    assert_true(result->failure->retriable);
    assert_string_equal(result->failure->cause->message, "woken early");
    assert_int_equal(result->outcome, ISW_OUTCOME_FAILED);
    isw_test_destroy(test);
}

static void the_hosts_deadline_is_not_taken_for_its_own(void **state)
{
    isw_test *test = test_of(functions, "middleware: [timeout: {after: 3s}]\n");
    const isw_test_result *result;

    (void)state;
    isw_test_timeout_ms(test, 1000);
    result = isw_test_http(test, "GET", "/obeys");
    assert_string_equal(result->failure->message, "woken early");
    isw_test_destroy(test);
}

static void a_late_answer_is_kept_with_a_warning(void **state)
{
    isw_test *test = test_of(functions, "middleware: [timeout: {after: 1s}]\n");
    const isw_test_result *result = isw_test_http(test, "GET", "/ignores");

    (void)state;
    assert_int_equal(result->http_status, 200);
    assert_string_equal(result->body, "late");
    assert_int_equal(isw_test_logged(result, "answered after 1000 ms")->level, ISW_LOG_WARNING);
    isw_test_destroy(test);
}

static void or_dropped(void **state)
{
    isw_test *test =
        test_of(functions, "middleware: [error_handling, timeout: {after: 1s, late: fail}]\n");
    const isw_test_result *result = isw_test_http(test, "GET", "/ignores");

    (void)state;
    assert_int_equal(result->http_status, 504);
    assert_null(strstr(result->body, "late"));
    isw_test_destroy(test);
}

/* -- With a clock that runs -------------------------------------------------------------------- */

static void ring(void *user)
{
    strcat(user, "rung ");
}

static char rings[64];
static bool outer_rings;

/* Waits for the descriptor, as a library that polls would, while a call is left. */
static isw_status polls(isw_context *ctx)
{
    struct pollfd one = { .fd = isw_context_cancel_fd(ctx), .events = POLLIN };

    assert_int_equal(isw_context_on_cancel(ctx, ring, rings), ISW_OK);
    assert_int_equal(poll(&one, 1, 30000), 1);
    while (!*(volatile char *)rings)
        poll(NULL, 0, 1);
    assert_int_equal(isw_context_on_cancel(ctx, ring, rings), ISW_OK); /* at once */
    return ISW_E_CANCELLED;
}

static isw_status outside(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    struct pollfd one = { .fd = isw_context_cancel_fd(ctx), .events = POLLIN };
    isw_status status;

    (void)self;
    assert_int_equal(isw_context_on_cancel(ctx, ring, &outer_rings), ISW_OK);
    status = isw_next_run(next, ctx);
    assert_false(isw_context_cancelled(ctx)); /* it was the limit's, and is over */
    assert_int_equal(poll(&one, 1, 0), 0);
    assert_false(outer_rings);
    return status;
}

static void calls_and_descriptors_learn_of_it(void **state)
{
    static const isw_middleware outer = { .size = sizeof outer, .name = "outer",
                                          .invoke = outside };
    static const isw_function function = { .name = "polls", .trigger = ISW_TRIGGER("timer", NULL),
                                           .handler = polls };
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };
    isw_invocation result;
    isw_worker *worker = NULL;

    (void)state;
    rings[0] = '\0';
    options.config_text = "middleware: [outer, timeout: {after: 20ms}]\n";
    assert_int_equal(isw_worker_create(&options, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_middleware(worker, &outer, &error), ISW_OK);
    assert_int_equal(isw_worker_add_function(worker, &function, &error), ISW_OK);
    assert_int_equal(isw_worker_invoke(worker, "polls", NULL, &result, &error), ISW_OK);
    assert_int_equal(result.failure.status, ISW_E_TIMEOUT);
    assert_string_equal(rings, "rung rung ");
    isw_invocation_free(&result);
    isw_worker_destroy(worker);
}

const conforming subject = { .name = "timeout", .options = "{after: 30s}",
                             .other_options = "{after: 40s, late: fail}" };

static const struct CMUnitTest tests[] = {
    MIDDLEWARE_CONFORMANCE,
    cmocka_unit_test(what_runs_inside_sees_the_shorter_deadline),
    cmocka_unit_test(what_broke_off_is_504_wherever_error_handling_stands),
    cmocka_unit_test(the_shortest_of_several_counts),
    cmocka_unit_test(a_function_that_obeys_fails_with_504_and_its_own_word_as_the_cause),
    cmocka_unit_test(the_hosts_deadline_is_not_taken_for_its_own),
    cmocka_unit_test(a_late_answer_is_kept_with_a_warning),
    cmocka_unit_test(or_dropped),
    cmocka_unit_test(calls_and_descriptors_learn_of_it),
};

ISW_TEST_MAIN(tests)
