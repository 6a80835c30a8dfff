/* SPDX-License-Identifier: Apache-2.0 */
/* The phases of a circuit, by the clock of the test. */
#include "middleware/conformance.h"

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

static isw_status with; /* what the handler fails with */
static int runs;

static isw_status breaks(isw_context *ctx)
{
    runs++;
    return with == ISW_OK ? isw_http_reply(ctx, 200, NULL, "fine")
                          : isw_fail(ctx, with, "broken");
}

static isw_status replies_503(isw_context *ctx)
{
    runs++;
    return isw_http_reply(ctx, 503, NULL, "mine");
}

static isw_status waits(isw_context *ctx)
{
    runs++;
    return isw_context_sleep(ctx, 5000);
}

static const isw_function functions[] = {
    { .name = "breaks", .trigger = ISW_HTTP("GET", NULL), .handler = breaks },
    { .name = "other", .trigger = ISW_HTTP("GET", NULL), .handler = breaks },
    { .name = "replies", .trigger = ISW_HTTP("GET", NULL), .handler = replies_503 },
    { .name = "waits", .trigger = ISW_HTTP("GET", NULL), .handler = waits },
    { 0 },
};

#define THREE "middleware: [error_handling, circuit_breaker: {failures: 3, open_for: 10s"

static isw_test *begin(const char *yaml)
{
    with = ISW_E_UNAVAILABLE;
    runs = 0;
    return test_of(functions, yaml);
}

static int get(isw_test *test, const char *url)
{
    return isw_test_http(test, "GET", url)->http_status;
}

static void get_times(isw_test *test, const char *url, int times)
{
    for (int i = 0; i < times; i++)
        get(test, url);
}

static void it_opens_after_failures_in_a_row(void **state)
{
    isw_test *test = begin(THREE "}]\n");
    const isw_test_result *result;

    (void)state;
    get_times(test, "/breaks", 2);
    with = ISW_OK;
    get(test, "/breaks"); /* not in a row */
    with = ISW_E_FAILED;
    get_times(test, "/breaks", 2);
    result = isw_test_http(test, "GET", "/breaks");
    assert_non_null(isw_test_logged(result, "the circuit of breaks opens"));
    assert_int_equal(runs, 6);
    isw_test_advance_ms(test, 2500);
    result = isw_test_http(test, "GET", "/breaks");
    assert_int_equal(runs, 6);
    assert_int_equal(result->http_status, 503);
    assert_int_equal(result->outcome, ISW_OUTCOME_RETRY_LATER);
    assert_int_equal(result->duration_us, 0);
    assert_string_equal(isw_test_reply_header(result, "retry-after"), "8");
    assert_string_equal(result->failure->message,
                        "the circuit of breaks is open for another 7500 ms");
    assert_true(result->failure->retriable);
    isw_test_destroy(test);
}

static void a_probe_that_succeeds_closes_it(void **state)
{
    isw_test *test = begin(THREE "}]\n");
    const isw_test_result *result;

    (void)state;
    get_times(test, "/breaks", 3);
    isw_test_advance_ms(test, 10000);
    with = ISW_OK;
    result = isw_test_http(test, "GET", "/breaks");
    assert_int_equal(result->http_status, 200);
    assert_non_null(isw_test_logged(result, "the circuit of breaks is half open: this one probes"));
    assert_non_null(isw_test_logged(result, "the circuit of breaks closes"));
    with = ISW_E_FAILED;
    get_times(test, "/breaks", 2);
    assert_int_equal(get(test, "/breaks"), 500); /* closed: three more pass */
    assert_int_equal(runs, 7);
    isw_test_destroy(test);
}

static void a_probe_that_fails_opens_it_again(void **state)
{
    isw_test *test = begin(THREE "}]\n");

    (void)state;
    get_times(test, "/breaks", 3);
    isw_test_advance_ms(test, 10000);
    get(test, "/breaks");
    assert_int_equal(runs, 4);
    get_times(test, "/breaks", 3);
    assert_int_equal(runs, 4);
    isw_test_destroy(test);
}

static void as_many_probes_must_succeed_as_it_says(void **state)
{
    isw_test *test = begin(THREE ", probes: 2}]\n");

    (void)state;
    get_times(test, "/breaks", 3);
    isw_test_advance_ms(test, 10000);
    with = ISW_OK;
    get(test, "/breaks");
    with = ISW_E_FAILED;
    get(test, "/breaks"); /* the second probe */
    get(test, "/breaks");
    assert_int_equal(runs, 5);
    isw_test_destroy(test);
}

static void a_probe_that_is_cancelled_leaves_room_for_the_next(void **state)
{
    isw_test *test = begin(THREE ", scope: all}]\n");

    (void)state;
    get_times(test, "/breaks", 3);
    isw_test_advance_ms(test, 10000);
    isw_test_cancel_after_ms(test, 1000);
    get(test, "/waits");
    assert_int_equal(runs, 4);
    with = ISW_OK;
    assert_int_equal(get(test, "/breaks"), 200);
    isw_test_destroy(test);
}

static void what_does_not_end_in_its_time_counts(void **state)
{
    isw_test *test = begin(THREE "}]\n");

    (void)state;
    for (int i = 0; i < 9; i++) {
        isw_test_timeout_ms(test, 1000);
        get(test, "/waits");
    }
    assert_int_equal(runs, 3);
    isw_test_destroy(test);
}

/* -- Two at a time ----------------------------------------------------------------------------- */

static sem_t inside, leave;

static isw_status stays(isw_context *ctx)
{
    if (with == ISW_OK) {
        sem_post(&inside);
        sem_wait(&leave);
    }
    return with == ISW_OK ? ISW_OK : isw_fail(ctx, with, "broken");
}

static void *probe(void *worker)
{
    isw_invocation result;
    isw_error error = { 0 };
    isw_status status = isw_worker_invoke(worker, "stays", NULL, &result, &error);
    bool good = status == ISW_OK && result.outcome == ISW_OUTCOME_SUCCESS;

    if (status == ISW_OK)
        isw_invocation_free(&result);
    return good ? worker : NULL;
}

static void those_that_come_while_it_is_probed_are_told_so(void **state)
{
    static const isw_function function = { .name = "stays", .trigger = ISW_TRIGGER("queue", NULL),
                                           .handler = stays };
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };
    isw_worker *worker = NULL;
    isw_invocation result;
    pthread_t first;
    void *passed = NULL;

    (void)state;
    sem_init(&inside, 0, 0);
    sem_init(&leave, 0, 0);
    with = ISW_E_FAILED;
    options.config_text = "middleware: [circuit_breaker: {failures: 1, open_for: 1ms}]\n";
    assert_int_equal(isw_worker_create(&options, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_function(worker, &function, &error), ISW_OK);
    assert_int_equal(isw_worker_configure(worker, &error), ISW_OK);
    assert_null(probe(worker)); /* opens it */
    usleep(2000);
    with = ISW_OK;
    assert_int_equal(pthread_create(&first, NULL, probe, worker), 0);
    sem_wait(&inside);
    assert_int_equal(isw_worker_invoke(worker, "stays", NULL, &result, &error), ISW_OK);
    assert_int_equal(result.outcome, ISW_OUTCOME_RETRY_LATER);
    assert_string_equal(result.failure.message,
                        "the circuit of stays is being probed: ask again in 1 ms");
    isw_invocation_free(&result);
    sem_post(&leave);
    pthread_join(first, &passed);
    assert_non_null(passed);
    sem_post(&leave);
    assert_non_null(probe(worker)); /* closed */
    isw_worker_destroy(worker);
}

static void each_function_has_its_own_unless_they_share_one(void **state)
{
    isw_test *test = begin(THREE "}]\n");

    (void)state;
    get_times(test, "/breaks", 3);
    get(test, "/other");
    assert_int_equal(runs, 4);
    isw_test_destroy(test);
    test = begin(THREE ", scope: all}]\n");
    get_times(test, "/breaks", 3);
    get(test, "/other");
    assert_int_equal(runs, 3);
    isw_test_destroy(test);
}

static void the_callers_faults_do_not_count(void **state)
{
    isw_test *test = begin(THREE "}]\n");

    (void)state;
    with = ISW_E_INVALID;
    get_times(test, "/breaks", 9);
    assert_int_equal(runs, 9);
    isw_test_destroy(test);
}

static void a_reply_of_500_and_more_counts(void **state)
{
    isw_test *test = begin(THREE "}]\n");

    (void)state;
    get_times(test, "/replies", 9);
    assert_int_equal(runs, 3);
    isw_test_destroy(test);
}

const conforming subject = { .name = "circuit_breaker", .options = "{failures: 100000}",
                             .other_options = "{failures: 100000, scope: all}" };

static const struct CMUnitTest tests[] = {
    MIDDLEWARE_CONFORMANCE,
    cmocka_unit_test(it_opens_after_failures_in_a_row),
    cmocka_unit_test(a_probe_that_succeeds_closes_it),
    cmocka_unit_test(a_probe_that_fails_opens_it_again),
    cmocka_unit_test(as_many_probes_must_succeed_as_it_says),
    cmocka_unit_test(a_probe_that_is_cancelled_leaves_room_for_the_next),
    cmocka_unit_test(what_does_not_end_in_its_time_counts),
    cmocka_unit_test(those_that_come_while_it_is_probed_are_told_so),
    cmocka_unit_test(each_function_has_its_own_unless_they_share_one),
    cmocka_unit_test(the_callers_faults_do_not_count),
    cmocka_unit_test(a_reply_of_500_and_more_counts),
};

ISW_TEST_MAIN(tests)
