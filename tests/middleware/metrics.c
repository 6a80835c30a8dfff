/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted of invocations, by the clock of the test. */
#include "middleware/conformance.h"

#include <math.h>

static const isw_metric total = { .name = "isoworker_invocations_total",
                                  .type = ISW_COUNTER,
                                  .labels = { "function", "status" } };
static const isw_metric in_flight = { .name = "isoworker_in_flight",
                                      .type = ISW_GAUGE,
                                      .labels = { "function" } };
static const isw_metric duration = { .name = "isoworker_invocation_duration_seconds",
                                     .type = ISW_HISTOGRAM,
                                     .labels = { "function" } };

static isw_metrics *metrics; /* of the worker under test, once a function has run */
static double running;       /* that its gauge shows meanwhile */

static isw_status look(isw_context *ctx)
{
    metrics = isw_context_metrics(ctx);
    running = isw_series_value(isw_metric_series(metrics, &in_flight, "look", NULL));
    return isw_context_sleep(ctx, 30);
}

static isw_status find_nothing(isw_context *ctx)
{
    metrics = isw_context_metrics(ctx);
    return isw_fail(ctx, ISW_E_NOT_FOUND, "gone");
}

static isw_status give_back(isw_context *ctx)
{
    metrics = isw_context_metrics(ctx);
    isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, 1000);
    return ISW_OK;
}

static isw_status unavailable(isw_context *ctx)
{
    metrics = isw_context_metrics(ctx);
    return isw_http_reply(ctx, 503, NULL, "mine");
}

static const isw_function functions[] = {
    { .name = "look", .trigger = ISW_HTTP("GET", NULL), .handler = look },
    { .name = "fail", .trigger = ISW_HTTP("GET", NULL), .handler = find_nothing },
    { .name = "give_back", .trigger = ISW_TRIGGER("queue", NULL), .handler = give_back },
    { .name = "unavailable", .trigger = ISW_HTTP("GET", NULL), .handler = unavailable },
    { 0 },
};

static double total_of(const char *function, const char *status)
{
    return isw_series_value(isw_metric_series(metrics, &total, function, status, NULL));
}

static void invocations_are_counted_by_function_and_status(void **state)
{
    isw_test *test = test_of(functions, "middleware: [metrics, error_handling]\n");

    (void)state;
    isw_test_http(test, "GET", "/look");
    isw_test_http(test, "GET", "/look");
    isw_test_http(test, "GET", "/fail");
    isw_test_http(test, "GET", "/unavailable");
    isw_test_invoke(test, "give_back", NULL);
    assert_true(total_of("look", "ISW_OK") == 2);
    assert_true(total_of("fail", "ISW_E_NOT_FOUND") == 1);
    assert_true(total_of("fail", "ISW_OK") == 0);
    assert_true(total_of("unavailable", "ISW_OK") == 1);
    assert_true(total_of("give_back", "ISW_E_FAILED") == 1);
    isw_test_destroy(test);
}

static void what_is_cancelled_counts_as_such(void **state)
{
    isw_test *test = test_of(functions, "middleware: [metrics]\n");

    (void)state;
    isw_test_cancel_after_ms(test, 10);
    isw_test_http(test, "GET", "/look");
    assert_true(total_of("look", "ISW_E_CANCELLED") == 1);
    isw_test_destroy(test);
}

static void what_runs_is_in_flight(void **state)
{
    isw_test *test = test_of(functions, "middleware: [metrics]\n");

    (void)state;
    isw_test_http(test, "GET", "/look");
    assert_true(running == 1);
    assert_true(isw_series_value(isw_metric_series(metrics, &in_flight, "look", NULL)) == 0);
    isw_test_destroy(test);
}

static void durations_fall_into_buckets(void **state)
{
    isw_test *test = test_of(functions, "middleware: [metrics]\n");
    isw_series *series;

    (void)state;
    isw_test_http(test, "GET", "/look");
    isw_test_http(test, "GET", "/look");
    series = isw_metric_series(metrics, &duration, "look", NULL);
    assert_true(fabs(isw_series_value(series) - 0.06) < 1e-9);
    assert_int_equal(isw_series_count(series, 0.025), 0);
    assert_int_equal(isw_series_count(series, 0.05), 2);
    assert_int_equal(isw_series_count(series, HUGE_VAL), 2);
    isw_test_destroy(test);
}

/* The middleware remembers functions by where their names lie. */
static void functions_whose_names_lie_alike_are_counted_apart(void **state)
{
    static char names[3][4096] = { "one", "two", "three" };
    isw_function list[4] = { { .name = NULL } };
    isw_test *test;

    (void)state;
    for (int i = 0; i < 3; i++)
        list[i] = (isw_function){ .name = names[i], .trigger = ISW_HTTP("GET", NULL),
                                  .handler = look };
    test = test_of(list, "middleware: [metrics]\n");
    for (int i = 0; i < 2; i++) {
        isw_test_http(test, "GET", "/one");
        isw_test_http(test, "GET", "/two");
    }
    isw_test_http(test, "GET", "/three");
    assert_true(total_of("one", "ISW_OK") == 2);
    assert_true(total_of("two", "ISW_OK") == 2);
    assert_true(total_of("three", "ISW_OK") == 1);
    isw_test_destroy(test);
}

static void buckets_are_those_that_the_yaml_says(void **state)
{
    static const double bounds[] = { 0.02, 0.03, 1.5 };
    isw_metric own = duration;
    isw_test *test = test_of(functions, "middleware: [metrics: {buckets: [0.02, 0.03, 1.5]}]\n");
    isw_series *series;

    (void)state;
    own.bounds = bounds;
    own.bound_count = 3;
    isw_test_http(test, "GET", "/look");
    series = isw_metric_series(metrics, &own, "look", NULL);
    assert_int_equal(isw_series_count(series, 0.02), 0);
    assert_int_equal(isw_series_count(series, 0.03), 1);
    isw_test_destroy(test);
}

static void buckets_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    assert_non_null(strstr(refusal_of_yaml("middleware: [metrics: {buckets: [1, 0.5]}]\n"),
                           ":1:14: middleware metrics did not start: buckets: \"0.5\" is not a "
                           "number of seconds above 1; write decimals that ascend"));
    assert_non_null(strstr(refusal_of_yaml("middleware: [metrics: {buckets: [5ms]}]\n"),
                           "\"5ms\" is not a number of seconds above 0"));
    assert_non_null(strstr(refusal_of_yaml("middleware: [metrics: {buckets: [0]}]\n"),
                           "\"0\" is not a number"));
    assert_non_null(strstr(refusal_of_yaml("middleware: [metrics: {buckets: [1.2.3]}]\n"),
                           "\"1.2.3\" is not a number"));
}

const conforming subject = { .name = "metrics", .options = "{}",
                             .other_options = "{buckets: [0.5, 1]}" };

static const struct CMUnitTest tests[] = {
    MIDDLEWARE_CONFORMANCE,
    cmocka_unit_test(invocations_are_counted_by_function_and_status),
    cmocka_unit_test(what_is_cancelled_counts_as_such),
    cmocka_unit_test(what_runs_is_in_flight),
    cmocka_unit_test(durations_fall_into_buckets),
    cmocka_unit_test(functions_whose_names_lie_alike_are_counted_apart),
    cmocka_unit_test(buckets_are_those_that_the_yaml_says),
    cmocka_unit_test(buckets_that_make_no_sense_are_refused),
};

ISW_TEST_MAIN(tests)
