/* SPDX-License-Identifier: Apache-2.0 */
/* Tries and pauses, by the clock of the test. */
#include "middleware/conformance.h"

#include <string.h>

static int runs;           /* of the handler */
static int failures_left;  /* before it succeeds */
static isw_status with;    /* what it fails with */
static int64_t began_us[8];

static isw_status flaky(isw_context *ctx)
{
    began_us[runs++] = isw_now_us();
    isw_http_set_header(ctx, "x-run", isw_context_printf(ctx, "%d", runs));
    if (failures_left-- > 0)
        return isw_fail(ctx, with, "not yet");
    return isw_http_reply(ctx, 200, "text/plain", "run %d", runs);
}

static isw_status later(isw_context *ctx)
{
    began_us[runs++] = isw_now_us();
    if (runs == 1)
        isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, 700);
    return isw_http_reply(ctx, runs == 1 ? 503 : 200, "text/plain", "run %d", runs);
}

static isw_status begins(isw_context *ctx)
{
    runs++;
    isw_http_begin(ctx, 200, "text/plain");
    isw_http_write(ctx, "half", 4);
    return isw_fail(ctx, ISW_E_UNAVAILABLE, "cut");
}

static const isw_function functions[] = {
    { .name = "flaky", .trigger = ISW_HTTP("GET", NULL), .handler = flaky, .idempotent = true },
    { .name = "once", .trigger = ISW_HTTP("GET", NULL), .handler = flaky },
    { .name = "later", .trigger = ISW_HTTP("GET", NULL), .handler = later, .idempotent = true },
    { .name = "begins", .trigger = ISW_HTTP("GET", NULL), .handler = begins, .idempotent = true },
    { 0 },
};

static isw_test *begin(const char *yaml, int failures, isw_status status)
{
    runs = 0;
    failures_left = failures;
    with = status;
    return test_of(functions, yaml);
}

static void it_tries_until_it_succeeds(void **state)
{
    isw_test *test = begin("middleware: [retry]\n", 2, ISW_E_UNAVAILABLE);
    const isw_test_result *result = isw_test_http(test, "GET", "/flaky");

    (void)state;
    assert_int_equal(runs, 3);
    assert_int_equal(result->http_status, 200);
    assert_string_equal(result->body, "run 3");
    assert_string_equal(isw_test_reply_header(result, "x-run"), "3");
    assert_int_equal(result->outcome, ISW_OUTCOME_SUCCESS);
    assert_null(result->failure);
    assert_non_null(isw_test_logged(result, "try 2 of 3 failed with ISW_E_UNAVAILABLE; the next"));
    isw_test_destroy(test);
}

static void it_gives_up_after_its_attempts(void **state)
{
    isw_test *test = begin("middleware: [retry: {attempts: 4}]\n", 9, ISW_E_UNAVAILABLE);
    const isw_test_result *result = isw_test_http(test, "GET", "/flaky");

    (void)state;
    assert_int_equal(runs, 4);
    assert_non_null(isw_test_logged(result, "try 4 of 4 failed with ISW_E_UNAVAILABLE; it was the "
                                            "last"));
    assert_int_equal(result->failure->status, ISW_E_UNAVAILABLE);
    assert_string_equal(result->failure->message, "not yet");
    isw_test_destroy(test);
}

static void what_is_not_idempotent_runs_once(void **state)
{
    isw_test *test = begin("middleware: [retry]\n", 1, ISW_E_UNAVAILABLE);

    (void)state;
    assert_int_equal(isw_test_http(test, "GET", "/once")->failure->status, ISW_E_UNAVAILABLE);
    assert_int_equal(runs, 1);
    isw_test_destroy(test);
}

static void what_will_not_pass_runs_once(void **state)
{
    isw_test *test = begin("middleware: [retry]\n", 1, ISW_E_INVALID);

    (void)state;
    assert_int_equal(isw_test_http(test, "GET", "/flaky")->failure->status, ISW_E_INVALID);
    assert_int_equal(runs, 1);
    isw_test_destroy(test);
}

/* Full jitter: of a hundred pauses before the fourth try each is within its bound, and some are in
 * each half of it. */
static void pauses_are_random_within_a_bound_that_doubles(void **state)
{
    isw_test *test = begin("middleware: [retry: {attempts: 5, base: 100ms, max: 300ms}]\n", 0,
                           ISW_E_UNAVAILABLE);
    static const int64_t bound_ms[] = { 100, 200, 300, 300 };
    int halves[2] = { 0, 0 };

    (void)state;
    for (int round = 0; round < 100; round++) {
        runs = 0;
        failures_left = 9;
        isw_test_http(test, "GET", "/flaky");
        assert_int_equal(runs, 5);
        for (int i = 0; i < 4; i++)
            assert_in_range(began_us[i + 1] - began_us[i], 0, bound_ms[i] * 1000);
        halves[began_us[3] - began_us[2] > 150000]++;
    }
    assert_true(halves[0] > 10 && halves[1] > 10);
    isw_test_destroy(test);
}

static void it_stops_at_the_deadline(void **state)
{
    isw_test *test = begin("middleware: [retry: {attempts: 100, base: 60s, max: 60s}]\n", 200,
                           ISW_E_UNAVAILABLE);
    const isw_test_result *result;

    (void)state;
    isw_test_timeout_ms(test, 1000);
    result = isw_test_http(test, "GET", "/flaky");
    assert_true(runs < 50);
    assert_non_null(isw_test_logged(result, "no time for the next"));
    assert_true(result->duration_us < 1000000);
    assert_string_equal(result->failure->message, "not yet");
    isw_test_destroy(test);
}

static void it_waits_as_long_as_it_is_asked_to(void **state)
{
    isw_test *test = begin("middleware: [retry: {base: 1ms, max: 1ms}]\n", 0, ISW_OK);
    const isw_test_result *result = isw_test_http(test, "GET", "/later");

    (void)state;
    assert_int_equal(runs, 2);
    assert_int_equal(began_us[1] - began_us[0], 700000);
    assert_string_equal(result->body, "run 2");
    isw_test_destroy(test);
}

static void a_body_that_has_begun_is_not_begun_again(void **state)
{
    isw_test *test = begin("middleware: [retry]\n", 0, ISW_OK);

    (void)state;
    assert_int_equal(isw_test_http(test, "GET", "/begins")->failure->status, ISW_E_UNAVAILABLE);
    assert_int_equal(runs, 1);
    isw_test_destroy(test);
}

static void senseless_options_are_refused(void **state)
{
    (void)state;
    assert_string_equal(refusal_of_yaml("middleware: [retry: {base: 2s, max: 1s}]\n"),
                        ":1:14: middleware retry did not start: base is longer than max");
}

const conforming subject = { .name = "retry", .options = "{attempts: 2}",
                             .other_options = "{attempts: 5}", .idempotent = true };

static const struct CMUnitTest tests[] = {
    MIDDLEWARE_CONFORMANCE,
    cmocka_unit_test(it_tries_until_it_succeeds),
    cmocka_unit_test(it_gives_up_after_its_attempts),
    cmocka_unit_test(what_is_not_idempotent_runs_once),
    cmocka_unit_test(what_will_not_pass_runs_once),
    cmocka_unit_test(pauses_are_random_within_a_bound_that_doubles),
    cmocka_unit_test(it_stops_at_the_deadline),
    cmocka_unit_test(it_waits_as_long_as_it_is_asked_to),
    cmocka_unit_test(a_body_that_has_begun_is_not_begun_again),
    cmocka_unit_test(senseless_options_are_refused),
};

ISW_TEST_MAIN(tests)
