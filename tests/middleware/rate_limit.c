/* SPDX-License-Identifier: Apache-2.0 */
/* How many pass, and who is counted together, by the clock of the test. */
#include "middleware/conformance.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static isw_status answers(isw_context *ctx)
{
    isw_value result = isw_value_string("fine");

    return isw_http_request(ctx) ? isw_http_reply(ctx, 200, NULL, "fine")
                                 : isw_context_set_result(ctx, &result);
}

static const isw_function functions[] = {
    { .name = "a", .trigger = ISW_HTTP("GET", NULL), .handler = answers },
    { .name = "b", .trigger = ISW_HTTP("GET", NULL), .handler = answers },
    { .name = "job", .trigger = ISW_TRIGGER("queue", NULL), .handler = answers },
    { 0 },
};

#define LIMIT(options) "middleware: [error_handling, rate_limit: {" options "}]\n"

static const isw_test_result *get(isw_test *test, const char *key)
{
    if (key)
        isw_test_header(test, "x-key", key);
    return isw_test_http(test, "GET", "/a");
}

/* How many of `count` requests pass. */
static int pass(isw_test *test, const char *key, int count)
{
    int passed = 0;

    for (int i = 0; i < count; i++)
        passed += get(test, key)->http_status == 200;
    return passed;
}

static void so_many_pass_and_no_more(void **state)
{
    isw_test *test = test_of(functions, LIMIT("rate: 10, per: 1m"));

    (void)state;
    assert_int_equal(pass(test, NULL, 15), 10);
    isw_test_advance_ms(test, 6000); /* one more */
    assert_int_equal(pass(test, NULL, 5), 1);
    isw_test_advance_ms(test, 59999);
    assert_int_equal(pass(test, NULL, 15), 9);
    isw_test_destroy(test);
}

static void a_burst_may_be_larger_or_smaller_than_the_rate(void **state)
{
    isw_test *test = test_of(functions, LIMIT("rate: 10, per: 1s, burst: 30"));

    (void)state;
    assert_int_equal(pass(test, NULL, 50), 30);
    isw_test_advance_ms(test, 1000);
    assert_int_equal(pass(test, NULL, 50), 10);
    isw_test_destroy(test);
    test = test_of(functions, LIMIT("rate: 10, per: 1s, burst: 1"));
    assert_int_equal(pass(test, NULL, 5), 1);
    isw_test_advance_ms(test, 100);
    assert_int_equal(pass(test, NULL, 5), 1);
    isw_test_destroy(test);
}

static void the_caller_learns_when_to_come_back(void **state)
{
    isw_test *test = test_of(functions, LIMIT("rate: 2, per: 1m"));
    const isw_test_result *result = get(test, NULL);

    (void)state;
    assert_string_equal(isw_test_reply_header(result, "ratelimit-policy"), "\"default\";q=2;w=60");
    assert_string_equal(isw_test_reply_header(result, "ratelimit"), "\"default\";r=1;t=30");
    get(test, NULL);
    isw_test_advance_ms(test, 10500);
    result = get(test, NULL);
    assert_int_equal(result->http_status, 429);
    assert_string_equal(isw_test_reply_header(result, "retry-after"), "20");
    assert_string_equal(isw_test_reply_header(result, "ratelimit"), "\"default\";r=0;t=50");
    assert_int_equal(result->retry_after_ms, 19501);
    assert_int_equal(result->failure->status, ISW_E_BUSY);
    assert_string_equal(result->failure->message, "more than 2 invocations in 60000 ms");
    isw_test_destroy(test);
}

static void callers_are_counted_apart_by_a_header(void **state)
{
    isw_test *test = test_of(functions, LIMIT("rate: 3, per: 1m, by: header, header: x-key"));

    (void)state;
    assert_int_equal(pass(test, "one", 5), 3);
    assert_int_equal(pass(test, "two", 5), 3);
    assert_int_equal(pass(test, "onetwo and a very long key that fills several words", 5), 3);
    assert_int_equal(pass(test, "one", 5), 0);
    assert_int_equal(pass(test, NULL, 5), 3); /* without it by address, or the function */
    isw_test_destroy(test);
}

static isw_status identify(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const char *key = isw_http_header(ctx, "x-key");
    isw_principal who = { .scheme = isw_str_of("key"), .subject = isw_str_of(key) };

    (void)self;
    isw_context_set_principal(ctx, &who);
    return isw_next_run(next, ctx);
}

static const isw_middleware identity = { .size = sizeof identity, .name = "identity",
                                         .invoke = identify };

static void callers_are_counted_apart_by_who_they_are(void **state)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };
    isw_worker *worker = NULL;
    isw_test *test = NULL;

    (void)state;
    options.config_text = "middleware: [identity, rate_limit: {rate: 3, per: 1m}]\n";
    assert_int_equal(isw_worker_create(&options, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_middleware(worker, &identity, &error), ISW_OK);
    assert_int_equal(isw_worker_add_function(worker, &functions[0], &error), ISW_OK);
    assert_int_equal(isw_test_create(worker, &test, &error), ISW_OK);
    assert_int_equal(pass(test, "ada", 5), 3);
    assert_int_equal(pass(test, "ben", 5), 3);
    assert_int_equal(pass(test, "ada", 5), 0);
    isw_test_destroy(test);
}

static void functions_are_counted_apart_when_it_says_so(void **state)
{
    isw_test *test = test_of(functions, LIMIT("rate: 3, per: 1m, by: function"));

    (void)state;
    assert_int_equal(pass(test, NULL, 5), 3);
    assert_int_equal(isw_test_http(test, "GET", "/b")->http_status, 200);
    isw_test_destroy(test);
}

static void a_host_with_a_queue_gets_it_back(void **state)
{
    isw_test *test = test_of(functions, LIMIT("rate: 1, per: 1m"));
    const isw_test_result *result;

    (void)state;
    assert_int_equal(isw_test_invoke(test, "job", NULL)->outcome, ISW_OUTCOME_SUCCESS);
    result = isw_test_invoke(test, "job", NULL);
    assert_int_equal(result->outcome, ISW_OUTCOME_RETRY_LATER);
    assert_int_equal(result->retry_after_ms, 60001);
    isw_test_destroy(test);
}

/* With room for eight, a flood of names drops those that were quiet for longest. */
static void a_flood_of_callers_takes_no_more_room(void **state)
{
    isw_test *test = test_of(functions, LIMIT("rate: 4, per: 1m, by: header, header: x-key, "
                                              "callers: 8"));
    char key[16];

    (void)state;
    assert_int_equal(pass(test, "busy", 5), 4);
    for (int i = 0; i < 7; i++) {
        snprintf(key, sizeof key, "quiet %d", i);
        assert_int_equal(pass(test, key, 1), 1);
    }
    assert_int_equal(pass(test, "busy", 1), 0);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "new %d", i);
        assert_int_equal(pass(test, key, 1), 1);
        assert_int_equal(pass(test, "busy", 1), 0); /* remembered: it is the emptiest */
    }
    isw_test_destroy(test);
}

/* Five hundred callers in a room for eight hundred: sets that are full by chance forget some, but
 * no more than one in seven. */
static void all_of_the_room_is_used(void **state)
{
    isw_test *test = test_of(functions, LIMIT("rate: 1, per: 1h, by: header, header: x-key, "
                                              "callers: 800"));
    int remembered = 0;
    char key[24];

    (void)state;
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "caller %d", i);
        assert_int_equal(pass(test, key, 1), 1);
        isw_test_advance_ms(test, 1);
    }
    for (int i = 500; i-- > 0;) {
        snprintf(key, sizeof key, "caller %d", i);
        remembered += pass(test, key, 1) == 0;
    }
    assert_in_range(remembered, 430, 500);
    isw_test_destroy(test);
}

/* -- Threads ----------------------------------------------------------------------------------- */

static atomic_int passed;

static void *ask(void *worker)
{
    for (int i = 0; i < 100; i++) {
        isw_invocation result;
        isw_error error = { 0 };

        if (isw_worker_invoke(worker, "job", NULL, &result, &error) != ISW_OK)
            return NULL;
        atomic_fetch_add(&passed, result.outcome == ISW_OUTCOME_SUCCESS);
        isw_invocation_free(&result);
    }
    return NULL;
}

static void it_is_exact_when_many_come_at_once(void **state)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };
    isw_worker *worker = NULL;
    pthread_t threads[4];

    (void)state;
    options.config_text = "middleware: [rate_limit: {rate: 250, per: 24h}]\n";
    assert_int_equal(isw_worker_create(&options, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_function(worker, &functions[2], &error), ISW_OK);
    assert_int_equal(isw_worker_configure(worker, &error), ISW_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, worker), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&passed), 250);
    isw_worker_destroy(worker);
}

static void senseless_options_are_refused(void **state)
{
    (void)state;
    assert_string_equal(refusal_of_yaml("middleware: [rate_limit: {rate: 5, by: header}]\n"),
                        ":1:14: middleware rate_limit did not start: by: header needs the name of "
                        "the header");
    assert_string_equal(refusal_of_yaml("middleware: [rate_limit: {rate: 1000000000, per: 1ms}]\n"),
                        ":1:14: middleware rate_limit did not start: rate, per and burst cannot be "
                        "counted in nanoseconds");
}

const conforming subject = { .name = "rate_limit", .options = "{rate: 1000000}",
                             .other_options = "{rate: 2000000, by: address}" };

static const struct CMUnitTest tests[] = {
    MIDDLEWARE_CONFORMANCE,
    cmocka_unit_test(so_many_pass_and_no_more),
    cmocka_unit_test(a_burst_may_be_larger_or_smaller_than_the_rate),
    cmocka_unit_test(the_caller_learns_when_to_come_back),
    cmocka_unit_test(callers_are_counted_apart_by_a_header),
    cmocka_unit_test(callers_are_counted_apart_by_who_they_are),
    cmocka_unit_test(functions_are_counted_apart_when_it_says_so),
    cmocka_unit_test(a_host_with_a_queue_gets_it_back),
    cmocka_unit_test(a_flood_of_callers_takes_no_more_room),
    cmocka_unit_test(all_of_the_room_is_used),
    cmocka_unit_test(it_is_exact_when_many_come_at_once),
    cmocka_unit_test(senseless_options_are_refused),
};

ISW_TEST_MAIN(tests)
