/* SPDX-License-Identifier: Apache-2.0 */
/* What comes of a request that is sent again. */
#include "middleware/conformance.h"

#include <stdio.h>
#include <string.h>

static int runs;

static isw_status orders(isw_context *ctx)
{
    runs++;
    isw_http_set_header(ctx, "location", "/orders/7");
    isw_http_add_header(ctx, "x-list", "a");
    isw_http_add_header(ctx, "x-list", "b");
    return isw_http_reply(ctx, 201, "text/plain", "order %d", runs);
}

static isw_status fails(isw_context *ctx)
{
    return ++runs == 1 ? isw_fail(ctx, ISW_E_UNAVAILABLE, "down") : orders(ctx);
}

static isw_status replies_500(isw_context *ctx)
{
    runs++;
    return isw_http_reply(ctx, runs == 1 ? 500 : 200, NULL, "run %d", runs);
}

/* Replaces one header of what stands outside, and adds to another. */
static isw_status replaces(isw_context *ctx)
{
    runs++;
    isw_http_set_header(ctx, "ratelimit-policy", "of the function");
    isw_http_add_header(ctx, "vary", "Accept");
    isw_http_set_header(ctx, "x-own", "yes");
    return isw_http_reply(ctx, 200, NULL, "run %d", runs);
}

static isw_status nothing(isw_context *ctx)
{
    runs++;
    isw_http_set_header(ctx, "x-run", runs == 1 ? "1" : "2");
    return ISW_OK;
}

static isw_status gives_json(isw_context *ctx)
{
    isw_value value = isw_value_json("{}");

    runs++;
    return isw_context_set_result(ctx, &value);
}

/* Streams its body. */
static isw_status streams(isw_context *ctx)
{
    runs++;
    isw_http_begin(ctx, 200, "text/plain");
    return isw_http_write(ctx, "piece", 5);
}

/* While it runs the same request comes again, in the same chain. */
static isw_status (*again)(isw_context *ctx);

static isw_status nested(isw_context *ctx)
{
    runs++;
    return again(ctx);
}

static const isw_function functions[] = {
    { .name = "orders", .trigger = ISW_HTTP("POST PATCH GET", NULL), .handler = orders },
    { .name = "other", .trigger = ISW_HTTP("POST", NULL), .handler = orders },
    { .name = "fails", .trigger = ISW_HTTP("POST", NULL), .handler = fails },
    { .name = "replies", .trigger = ISW_HTTP("POST", NULL), .handler = replies_500 },
    { .name = "streams", .trigger = ISW_HTTP("POST", NULL), .handler = streams },
    { .name = "nested", .trigger = ISW_HTTP("POST", NULL), .handler = nested },
    { .name = "replaces", .trigger = ISW_HTTP("POST", NULL), .handler = replaces },
    { .name = "nothing", .trigger = ISW_HTTP("POST", NULL), .handler = nothing },
    { .name = "json", .trigger = ISW_HTTP("POST", NULL), .handler = gives_json },
    { 0 },
};

#define CHAIN(options) "middleware: [error_handling, idempotency: {" options "}]\n"

static isw_test *begin(const char *yaml)
{
    runs = 0;
    return test_of(functions, yaml);
}

static const isw_test_result *post(isw_test *test, const char *key, const char *url,
                                   const char *body)
{
    if (key)
        isw_test_header(test, "Idempotency-Key", key);
    isw_test_body(test, "text/plain", body, strlen(body));
    return isw_test_http(test, "POST", url);
}

#define OUTSIDE                                                                                    \
    "middleware: [cors: {origins: ['https://a.example', 'https://b.example']}, rate_limit: "       \
    "{rate: "                                                                                      \
    "100, per: 1h}, idempotency]\n"

static size_t count_header(const isw_test_result *result, const char *name, const char *value)
{
    const isw_pairs *headers = &result->result.as.http->headers;
    size_t count = 0;

    for (size_t at = 0; isw_pairs_next(headers, name, &at);)
        count += !value || isw_str_equal(headers->items[at - 1].value, isw_str_of(value));
    return count;
}

static void what_stands_outside_sets_its_own_headers_again(void **state)
{
    static const char *const once[] = { "access-control-allow-origin", "ratelimit",
                                        "ratelimit-policy", "x-own", "content-type" };
    isw_test *test = begin(OUTSIDE);
    const isw_test_result *result;

    (void)state;
    isw_test_header(test, "Origin", "https://a.example");
    assert_string_equal(post(test, "k", "/replaces", "")->body, "run 1");
    isw_test_header(test, "Origin", "https://b.example");
    result = post(test, "k", "/replaces", "");
    assert_string_equal(result->body, "run 1");
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
        assert_in_range(count_header(result, once[i], NULL), 0, 1);
    assert_int_equal(count_header(result, "access-control-allow-origin", "https://b.example"), 1);
    assert_int_equal(count_header(result, "ratelimit-policy", "of the function"), 1);
    assert_int_equal(count_header(result, "x-own", "yes"), 1);
    assert_int_equal(count_header(result, "vary", "Origin"), 1);
    assert_int_equal(count_header(result, "vary", "Accept"), 1);
    assert_int_equal(count_header(result, "idempotency-replayed", "true"), 1);
    isw_test_destroy(test);
}

static void an_answer_that_is_no_reply_is_given_again_too(void **state)
{
    isw_test *test = begin(CHAIN(""));
    const isw_test_result *result;

    (void)state;
    for (int i = 0; i < 2; i++) {
        result = post(test, "k", "/nothing", "");
        assert_int_equal(result->http_status, 204);
        assert_string_equal(isw_test_reply_header(result, "x-run"), "1");
    }
    runs = 0;
    assert_string_equal(post(test, "k", "/json", "")->body, "{}");
    result = post(test, "k", "/json", "");
    assert_string_equal(isw_test_reply_header(result, "content-type"), "application/json");
    assert_string_equal(result->body, "{}");
    assert_int_equal(runs, 1);
    isw_test_destroy(test);
}

static void the_second_request_gets_the_first_ones_answer(void **state)
{
    isw_test *test = begin(CHAIN(""));
    const isw_test_result *result = post(test, "k1", "/orders?x=1", "tea");

    (void)state;
    assert_string_equal(result->body, "order 1");
    assert_null(isw_test_reply_header(result, "idempotency-replayed"));
    result = post(test, "k1", "/orders?x=1", "tea");
    assert_int_equal(runs, 1);
    assert_int_equal(result->http_status, 201);
    assert_string_equal(result->body, "order 1");
    assert_string_equal(isw_test_reply_header(result, "location"), "/orders/7");
    assert_string_equal(isw_test_reply_header(result, "content-type"), "text/plain");
    assert_string_equal(isw_test_reply_header(result, "idempotency-replayed"), "true");
    assert_int_equal(result->result.as.http->headers.count, 5);
    assert_string_equal(post(test, "k2", "/orders?x=1", "tea")->body, "order 2");
    isw_test_destroy(test);
}

static void another_request_with_the_key_is_422(void **state)
{
    isw_test *test = begin(CHAIN(""));

    (void)state;
    post(test, "k1", "/orders", "tea");
    assert_int_equal(post(test, "k1", "/orders", "coffee")->http_status, 422);
    assert_int_equal(post(test, "k1", "/orders?x=1", "tea")->http_status, 422);
    isw_test_header(test, "Idempotency-Key", "k1");
    isw_test_body(test, "text/plain", "tea", 3);
    assert_int_equal(isw_test_http(test, "PATCH", "/orders")->http_status, 422);
    assert_int_equal(runs, 1);
    isw_test_destroy(test);
}

static void functions_do_not_share_keys(void **state)
{
    isw_test *test = begin(CHAIN(""));

    (void)state;
    post(test, "k1", "/orders", "tea");
    assert_string_equal(post(test, "k1", "/other", "tea")->body, "order 2");
    isw_test_destroy(test);
}

static const char *caller;

static isw_status identify(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    isw_principal who = { .scheme = isw_str_of("key"), .subject = isw_str_of(caller) };

    (void)self;
    isw_context_set_principal(ctx, &who);
    return isw_next_run(next, ctx);
}

static void callers_do_not_see_each_others_answers(void **state)
{
    static const isw_middleware identity = { .size = sizeof identity, .name = "identity",
                                             .invoke = identify };
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };
    isw_worker *worker = NULL;
    isw_test *test = NULL;

    (void)state;
    runs = 0;
    options.config_text = "middleware: [identity, idempotency]\n";
    assert_int_equal(isw_worker_create(&options, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_middleware(worker, &identity, &error), ISW_OK);
    assert_int_equal(isw_worker_add_function(worker, &functions[0], &error), ISW_OK);
    assert_int_equal(isw_test_create(worker, &test, &error), ISW_OK);
    caller = "ada";
    post(test, "k1", "/orders", "tea");
    caller = "ben";
    assert_string_equal(post(test, "k1", "/orders", "tea")->body, "order 2");
    caller = "ada 2:";
    assert_string_equal(post(test, "k1", "/orders", "tea")->body, "order 3");
    caller = "ada";
    assert_string_equal(post(test, "k1", "/orders", "tea")->body, "order 1");
    isw_test_destroy(test);
}

static void what_failed_runs_again(void **state)
{
    isw_test *test = begin(CHAIN(""));

    (void)state;
    assert_int_equal(post(test, "k1", "/fails", "x")->http_status, 503);
    assert_int_equal(post(test, "k1", "/fails", "x")->http_status, 201);
    runs = 0;
    assert_int_equal(post(test, "k1", "/replies", "x")->http_status, 500);
    assert_string_equal(post(test, "k1", "/replies", "x")->body, "run 2");
    assert_string_equal(post(test, "k1", "/replies", "x")->body, "run 2");
    isw_test_destroy(test);
}

static void what_streams_runs_again(void **state)
{
    isw_test *test = begin(CHAIN(""));

    (void)state;
    post(test, "k1", "/streams", "x");
    assert_string_equal(post(test, "k1", "/streams", "x")->body, "piece");
    assert_int_equal(runs, 2);
    isw_test_destroy(test);
}

static isw_worker *other_worker;
static isw_status inner_status;

static isw_status send_again(isw_context *ctx)
{
    const isw_value *trigger = isw_context_trigger(ctx);
    isw_invocation result;
    isw_error error = { 0 };

    assert_int_equal(isw_worker_invoke(other_worker, "nested", trigger, &result, &error), ISW_OK);
    inner_status = result.failure.status;
    isw_invocation_free(&result);
    return isw_http_reply(ctx, 200, NULL, "outer");
}

static void one_that_still_runs_is_409(void **state)
{
    static const isw_pair header = { { "idempotency-key", 15 }, { "k1", 2 } };
    const isw_http http = { .method = isw_str_of("POST"), .url = isw_str_of("/api/nested"),
                            .headers = { &header, 1 } };
    isw_value input = { .type = ISW_VALUE_HTTP, .as.http = &http };
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };
    isw_invocation result;

    (void)state;
    runs = 0;
    again = send_again;
    options.config_text = "middleware: [idempotency]\n";
    assert_int_equal(isw_worker_create(&options, &other_worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_function(other_worker, &functions[5], &error), ISW_OK);
    assert_int_equal(isw_worker_invoke(other_worker, "nested", &input, &result, &error), ISW_OK);
    assert_int_equal(result.outcome, ISW_OUTCOME_SUCCESS);
    assert_int_equal(runs, 1);
    assert_int_equal(inner_status, ISW_E_CONFLICT);
    isw_invocation_free(&result);
    isw_worker_destroy(other_worker);
}

static void answers_grow_old(void **state)
{
    isw_test *test = begin(CHAIN("ttl: 10s"));

    (void)state;
    post(test, "k1", "/orders", "tea");
    isw_test_advance_ms(test, 9999);
    assert_string_equal(post(test, "k1", "/orders", "tea")->body, "order 1");
    isw_test_advance_ms(test, 1);
    assert_string_equal(post(test, "k1", "/orders", "tea")->body, "order 2");
    isw_test_destroy(test);
}

static void no_more_are_kept_than_it_says(void **state)
{
    isw_test *test = begin(CHAIN("entries: 2"));

    (void)state;
    post(test, "k1", "/orders", "tea");
    post(test, "k2", "/orders", "tea");
    post(test, "k3", "/orders", "tea");
    assert_string_equal(post(test, "k3", "/orders", "tea")->body, "order 3");
    assert_string_equal(post(test, "k2", "/orders", "tea")->body, "order 2");
    assert_string_equal(post(test, "k1", "/orders", "tea")->body, "order 4");
    isw_test_destroy(test);
    test = begin(CHAIN("bytes: 100"));
    post(test, "k1", "/orders", "tea");
    assert_string_equal(post(test, "k1", "/orders", "tea")->body, "order 2");
    isw_test_destroy(test);
}

static void other_methods_and_requests_without_a_key_pass(void **state)
{
    isw_test *test = begin(CHAIN(""));

    (void)state;
    post(test, NULL, "/orders", "tea");
    post(test, NULL, "/orders", "tea");
    isw_test_header(test, "Idempotency-Key", "k");
    isw_test_http(test, "GET", "/orders");
    isw_test_header(test, "Idempotency-Key", "k");
    isw_test_http(test, "GET", "/orders");
    assert_int_equal(runs, 4);
    isw_test_destroy(test);
}

static void a_key_can_be_required(void **state)
{
    isw_test *test = begin(CHAIN("required: true, header: x-once"));
    const isw_test_result *result = post(test, NULL, "/orders", "tea");

    (void)state;
    assert_int_equal(result->http_status, 400);
    assert_string_equal(result->failure->message, "the header x-once is missing");
    isw_test_destroy(test);
}

const conforming subject = { .name = "idempotency", .options = "{required: true, methods: [POST]}",
                             .other_options = "{ttl: 1h}" };

static const struct CMUnitTest tests[] = {
    MIDDLEWARE_CONFORMANCE,
    cmocka_unit_test(the_second_request_gets_the_first_ones_answer),
    cmocka_unit_test(what_stands_outside_sets_its_own_headers_again),
    cmocka_unit_test(an_answer_that_is_no_reply_is_given_again_too),
    cmocka_unit_test(another_request_with_the_key_is_422),
    cmocka_unit_test(functions_do_not_share_keys),
    cmocka_unit_test(callers_do_not_see_each_others_answers),
    cmocka_unit_test(what_failed_runs_again),
    cmocka_unit_test(what_streams_runs_again),
    cmocka_unit_test(one_that_still_runs_is_409),
    cmocka_unit_test(answers_grow_old),
    cmocka_unit_test(no_more_are_kept_than_it_says),
    cmocka_unit_test(other_methods_and_requests_without_a_key_pass),
    cmocka_unit_test(a_key_can_be_required),
};

ISW_TEST_MAIN(tests)
