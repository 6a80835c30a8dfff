/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer may be, and what becomes of one that cannot travel. */
#include "support/main.h"

#include <isoworker/isoworker.h>
#include <isoworker/testing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t mib = 1024 * 1024;
static size_t size;

static isw_status replies(isw_context *ctx)
{
    return isw_http_reply_bytes(ctx, 200, "text/plain", isw_context_alloc(ctx, size), size);
}

static isw_status puts_out(isw_context *ctx)
{
    isw_value half = isw_value_bytes(isw_context_alloc(ctx, size), size);

    if (isw_context_set_output(ctx, "a", &half) != ISW_OK ||
        isw_context_set_output(ctx, "b", &half) != ISW_OK)
        return ISW_E_FAILED;
    return isw_http_reply(ctx, 200, NULL, "put out");
}

/* So many arrays within each other. */
static isw_value nested(isw_context *ctx, int depth)
{
    isw_value value = isw_value_int(7);

    while (depth-- > 0) {
        isw_value *inner = isw_context_alloc(ctx, sizeof *inner);

        *inner = value;
        value = isw_value_array(inner, 1);
    }
    return value;
}

static isw_status results_deeply(isw_context *ctx)
{
    isw_value value = nested(ctx, (int)size);

    return isw_context_set_result(ctx, &value);
}

static isw_status puts_out_oddly(isw_context *ctx)
{
    isw_value deep = nested(ctx, 13);
    isw_value bytes = isw_value_string("\xff");
    isw_value wide = isw_value_array(isw_context_alloc(ctx, 16385 * sizeof bytes), 16385);

    memset((void *)wide.as.array.items, 0, 16385 * sizeof bytes);
    assert_int_equal(isw_context_set_output(ctx, "a", &deep), ISW_E_INVALID);
    isw_context_recover(ctx);
    assert_int_equal(isw_context_set_output(ctx, "a", &wide), ISW_E_INVALID);
    isw_context_recover(ctx);
    return isw_context_set_output(ctx, "a", &bytes);
}

static isw_status has_many_headers(isw_context *ctx)
{
    isw_status status = ISW_OK;

    for (size_t i = 0; i < size && status == ISW_OK; i++)
        status = isw_http_add_header(ctx, "x", "y");
    return status == ISW_OK ? isw_http_reply(ctx, 200, NULL, "many") : status;
}

static isw_status returns_what_is_no_status(isw_context *ctx)
{
    (void)ctx;
    return (isw_status)size;
}

static const isw_binding outputs[] = {
    { .name = "a", .type = "t", .direction = ISW_OUT },
    { .name = "b", .type = "t", .direction = ISW_OUT },
    { 0 },
};

static const isw_function functions[] = {
    { .name = "replies", .trigger = ISW_HTTP("GET", NULL), .handler = replies },
    { .name = "puts", .trigger = ISW_HTTP("GET", NULL), .handler = puts_out, .bindings = outputs },
    { .name = "odd", .trigger = ISW_HTTP("GET", NULL), .handler = puts_out_oddly,
      .bindings = outputs },
    { .name = "many", .trigger = ISW_HTTP("GET", NULL), .handler = has_many_headers },
    { .name = "odd_status", .trigger = ISW_HTTP("GET", NULL),
      .handler = returns_what_is_no_status },
    { .name = "tick", .trigger = ISW_TRIGGER("timer", NULL), .handler = results_deeply },
    { 0 },
};

static isw_test *begin(void)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_error error = { 0 };
    isw_worker *worker = NULL;
    isw_test *test = NULL;

    options.config_text = "middleware: [logging, error_handling]\n";
    assert_int_equal(isw_worker_create(&options, &worker, &error), ISW_OK);
    for (size_t i = 0; functions[i].name; i++)
        assert_int_equal(isw_worker_add_function(worker, &functions[i], &error), ISW_OK);
    assert_int_equal(isw_test_create(worker, &test, &error), ISW_OK);
    return test;
}

/* It is a 500 that the chain sees, too, and its line is an error with this. */
static void assert_refused(const isw_test_result *result, const char *part)
{
    const isw_test_line *line = isw_test_logged(result, part);

    assert_int_equal(result->outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(result->failure->status, ISW_E_FAILED);
    assert_non_null(line);
    assert_int_equal(line->level, ISW_LOG_ERROR);
}

static void an_answer_that_is_too_large_is_the_functions_failure(void **state)
{
    isw_test *test = begin();
    const isw_test_result *result;

    (void)state;
    size = 63 * mib;
    assert_int_equal(isw_test_http(test, "GET", "/replies")->http_status, 200);
    for (size = 64 * mib; size <= 300 * mib; size += 236 * mib) {
        result = isw_test_http(test, "GET", "/replies");
        assert_int_equal(result->http_status, 500);
        assert_refused(result,
                       "more than the 67108864 that one answer may have: send it in pieces");
        assert_true(result->body_size < 1024);
        assert_non_null(isw_test_logged(result, "replies ended"));
    }
    isw_test_destroy(test);
}

static void outputs_count_for_the_answer(void **state)
{
    isw_test *test = begin();

    (void)state;
    size = 31 * mib;
    assert_int_equal(isw_test_http(test, "GET", "/puts")->http_status, 200);
    size = 33 * mib;
    assert_refused(isw_test_http(test, "GET", "/puts"), "most of them in outputs");
    isw_test_destroy(test);
}

static void values_that_cannot_travel_are_refused_by_name(void **state)
{
    isw_test *test = begin();

    (void)state;
    assert_refused(isw_test_http(test, "GET", "/odd"),
                   "the value of output a cannot travel: text is not UTF-8");
    size = 12;
    assert_int_equal(isw_test_invoke(test, "tick", NULL)->outcome, ISW_OUTCOME_SUCCESS);
    size = 13;
    assert_refused(isw_test_invoke(test, "tick", NULL), "nested deeper than 12 levels");
    isw_test_destroy(test);
}

static void headers_are_bounded_too(void **state)
{
    isw_test *test = begin();

    (void)state;
    size = 4095;
    assert_int_equal(isw_test_http(test, "GET", "/many")->http_status, 200);
    size = 4097;
    assert_refused(isw_test_http(test, "GET", "/many"), "no more than 4096 headers");
    isw_test_destroy(test);
}

static void a_handler_that_returns_no_status_is_told_what_to_return(void **state)
{
    isw_test *test = begin();
    const isw_test_result *result;

    (void)state;
    for (size = 200; size < 500; size += 204) {
        result = isw_test_http(test, "GET", "/odd_status");
        assert_int_equal(result->http_status, 500);
        assert_refused(result, size == 200 ? "its handler returned 200, which is no isw_status"
                                           : "its handler returned 404, which is no isw_status");
    }
    size = ISW_E_NOT_FOUND;
    assert_int_equal(isw_test_http(test, "GET", "/odd_status")->http_status, 404);
    isw_test_destroy(test);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_handler_that_returns_no_status_is_told_what_to_return),
    cmocka_unit_test(an_answer_that_is_too_large_is_the_functions_failure),
    cmocka_unit_test(outputs_count_for_the_answer),
    cmocka_unit_test(values_that_cannot_travel_are_refused_by_name),
    cmocka_unit_test(headers_are_bounded_too),
};

ISW_TEST_MAIN(tests)
