/* SPDX-License-Identifier: Apache-2.0 */
/* <isoworker/testing.h>, used as an application's tests use it. */
#include "support/app_test.h"

enum { TOLD_OF_A_MESSAGE = 6 };

static isw_status greet(isw_context *ctx)
{
    const char *tone = isw_http_query(ctx, "tone");
    const char *agent = isw_http_header(ctx, "User-Agent");

    isw_log(ctx, ISW_LOG_DEBUG, "greeting %s", isw_http_param(ctx, "name"));
    isw_http_set_header(ctx, "X-Agent", agent ? agent : "none");
    return isw_http_reply(ctx, 200, "text/plain", "Hello, %s%s\n", isw_http_param(ctx, "name"),
                          tone ? tone : ".");
}

static isw_status take(isw_context *ctx)
{
    isw_value receipt = *isw_context_trigger(ctx);
    const isw_value *customer = isw_context_input(ctx, "customer");
    const isw_value *tries = isw_context_trigger_metadata(ctx, "tries");

    if (isw_context_inputs(ctx).count != (customer != NULL) ||
        isw_context_trigger_metadata_all(ctx).count != TOLD_OF_A_MESSAGE + (tries != NULL))
        return isw_fail(ctx, ISW_E_INTERNAL, "the lists lack something");
    if (!customer || !tries)
        return isw_fail(ctx, ISW_E_INVALID, "who and how often?");
    isw_context_set_result(ctx, customer);
    return isw_context_set_output(ctx, "receipt", &receipt);
}

static isw_status wait(isw_context *ctx)
{
    int turns = 0;

    while (!isw_context_cancelled(ctx) && turns < 100) {
        turns++;
        isw_context_sleep(ctx, 1000);
    }
    isw_log(ctx, ISW_LOG_INFO, "%d turns", turns);
    return isw_context_cancelled(ctx) ? isw_fail(ctx, ISW_E_CANCELLED, "was told to stop") : ISW_OK;
}

static isw_status try_again(isw_context *ctx)
{
    const isw_retry *retry = isw_context_retry(ctx);

    isw_log(ctx, ISW_LOG_WARNING, "try %u of %u after \"%.*s\" for %.*s", retry->count, retry->max,
            (int)retry->last_error.size, retry->last_error.data,
            (int)isw_context_trace(ctx)->parent.size, isw_context_trace(ctx)->parent.data);
    isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, 1500);
    return ISW_OK;
}

static isw_status echo(isw_context *ctx)
{
    isw_bytes body = isw_http_body(ctx);

    return isw_http_reply_bytes(ctx, 201, isw_http_header(ctx, "content-type"), body.data,
                                body.size);
}

static const isw_binding bindings[] = { { "customer", "table", ISW_IN, NULL },
                                        { "receipt", "blob", ISW_OUT, NULL },
                                        { 0 } };
static const isw_function functions[] = {
    { .name = "greet", .trigger = ISW_HTTP("GET", "hello/{name}"), .handler = greet },
    { .name = "echo", .trigger = ISW_HTTP("POST PUT", NULL), .handler = echo },
    { .name = "take", .trigger = ISW_TRIGGER("queue", NULL), .handler = take,
      .bindings = bindings },
    { .name = "wait", .trigger = ISW_TRIGGER("timer", NULL), .handler = wait,
      .timeout_ms = 60000 },
    { .name = "again", .trigger = ISW_TRIGGER("timer", NULL), .handler = try_again },
    { 0 },
};

static const isw_app app = { .functions = functions };
static isw_test *test;

static int set_up(void **state)
{
    (void)state;
    test = app_test(&app, "middleware: [error_handling, logging]\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    isw_test_destroy(test);
    return 0;
}

static void a_request_finds_its_function_by_its_url(void **state)
{
    const isw_test_result *result;

    (void)state;
    isw_test_header(test, "User-Agent", "cmocka");
    result = isw_test_http(test, "GET", "/hello/J%C3%BCrgen?tone=%21");
    assert_int_equal(result->http_status, 200);
    assert_string_equal(result->body, "Hello, J\xc3\xbcrgen!\n");
    assert_int_equal(result->body_size, strlen(result->body));
    assert_string_equal(isw_test_reply_header(result, "X-AGENT"), "cmocka");
    assert_null(isw_test_reply_header(result, "X-Other"));
    assert_int_equal(result->outcome, ISW_OUTCOME_SUCCESS);
    assert_null(result->failure);
}

static void what_is_prepared_holds_for_one_invocation(void **state)
{
    (void)state;
    isw_test_header(test, "User-Agent", "cmocka");
    isw_test_http(test, "GET", "/hello/a");
    assert_int_equal(isw_test_http(test, "GET", "hello/a")->http_status, 200);
    assert_string_equal(isw_test_reply_header(isw_test_http(test, "GET", "/hello/a"), "x-agent"),
                        "none");
}

static void a_body_and_its_type_arrive(void **state)
{
    const isw_test_result *result;

    (void)state;
    isw_test_body(test, "application/octet-stream", "a\0b", 3);
    result = isw_test_http(test, "PUT", "/echo");
    assert_int_equal(result->http_status, 201);
    assert_int_equal(result->body_size, 3);
    assert_memory_equal(result->body, "a\0b", 4);
    assert_string_equal(isw_test_reply_header(result, "content-type"), "application/octet-stream");
}

static void what_no_route_takes_is_answered_as_by_the_host(void **state)
{
    const isw_test_result *result = isw_test_http(test, "GET", "/nowhere");

    (void)state;
    assert_int_equal(result->http_status, 404);
    assert_int_equal(result->outcome, ISW_OUTCOME_FAILED);
    result = isw_test_http(test, "DELETE", "/echo");
    assert_int_equal(result->http_status, 405);
    assert_non_null(strstr(result->failure->message, "POST, PUT"));
    assert_int_equal(isw_test_http(test, "GET", "/hello/%zz")->http_status, 400);
    assert_int_equal(isw_test_http(test, "GET", "/hello/a?b=%zz")->http_status, 400);
}

static void any_trigger_can_be_invoked_with_inputs_and_metadata(void **state)
{
    const isw_value order = isw_value_json("{\"id\":7}");
    const isw_value customer = isw_value_string("Ada");
    const isw_value tries = isw_value_int(2);
    const isw_test_result *result;

    (void)state;
    isw_test_input(test, "customer", &customer);
    isw_test_trigger_metadata(test, "tries", &tries);
    result = isw_test_invoke(test, "take", &order);
    assert_int_equal(result->outcome, ISW_OUTCOME_SUCCESS);
    assert_int_equal(result->http_status, 0);
    assert_string_equal(result->body, "Ada");
    assert_int_equal(isw_test_output(result, "receipt")->type, ISW_VALUE_JSON);
    assert_null(isw_test_output(result, "other"));
    result = isw_test_invoke(test, "take", NULL);
    assert_int_equal(result->failure->status, ISW_E_INVALID);
    assert_string_equal(result->failure->message, "who and how often?");
}

static void a_function_that_is_not_there_is_a_failure(void **state)
{
    (void)state;
    assert_int_equal(isw_test_invoke(test, "tale", NULL)->failure->status, ISW_E_NOT_FOUND);
}

static void lines_of_every_level_are_kept_with_their_fields(void **state)
{
    const isw_test_result *result = isw_test_http(test, "GET", "/hello/Ada");
    const isw_test_line *line = isw_test_logged(result, "greeting Ada");
    const isw_test_line *end = isw_test_logged(result, "greet ended");

    (void)state;
    assert_non_null(line);
    assert_int_equal(line->level, ISW_LOG_DEBUG);
    assert_string_equal(line->category, "Function.greet");
    assert_non_null(end);
    assert_string_equal(end->category, "Invocation");
    assert_true(isw_str_equal(end->fields.items[0].name, isw_str_of("trigger")));
    assert_null(isw_test_logged(result, "nothing of the kind"));
}

static void spans_show_the_chain_as_it_ran(void **state)
{
    const isw_test_result *result = isw_test_invoke(test, "wait", NULL);

    (void)state;
    assert_int_equal(result->span_count, 3);
    assert_string_equal(result->spans[0].name, "error_handling");
    assert_string_equal(result->spans[2].name, "handler");
    assert_int_equal(result->spans[2].depth, 2);
    assert_int_equal(result->spans[2].duration_us, 60000000);
    assert_int_equal(result->spans[2].status, ISW_E_CANCELLED);
}

static void sleeping_moves_the_clock_and_takes_no_time(void **state)
{
    const isw_test_result *result = isw_test_invoke(test, "wait", NULL);

    (void)state;
    assert_int_equal(result->outcome, ISW_OUTCOME_CANCELLED);
    assert_int_equal(result->duration_us, 60000000); /* the function's timeout */
    assert_non_null(isw_test_logged(result, "60 turns"));
    isw_test_timeout_ms(test, 2500);
    assert_int_equal(isw_test_invoke(test, "wait", NULL)->duration_us, 2500000);
}

static void the_clock_moves_between_invocations_too(void **state)
{
    const isw_test_result *result;
    int64_t before;

    (void)state;
    isw_test_cancel_after_ms(test, 3000);
    isw_test_advance_ms(test, 2000); /* of these three seconds */
    result = isw_test_invoke(test, "wait", NULL);
    before = result->duration_us;
    assert_int_equal(before, 1000000);
}

static void the_clock_of_middleware_stands_still_too(void **state)
{
    int64_t before = isw_now_us();

    (void)state;
    assert_int_equal(isw_now_us(), before);
    isw_test_advance_ms(test, 1500);
    assert_int_equal(isw_now_us() - before, 1500000);
}

static void a_host_can_stop_on_the_way(void **state)
{
    const isw_test_result *result;

    (void)state;
    isw_test_stop_after_ms(test, 4000);
    result = isw_test_invoke(test, "wait", NULL);
    assert_int_equal(result->outcome, ISW_OUTCOME_CANCELLED);
    assert_int_equal(result->failure->status, ISW_E_UNAVAILABLE);
    assert_int_equal(result->duration_us, 4000000);
    result = isw_test_invoke(test, "wait", NULL); /* only once; this one has a deadline */
    assert_int_equal(result->failure->status, ISW_E_TIMEOUT);
}

static void a_caller_can_leave_on_the_way_or_before(void **state)
{
    const isw_test_result *result;

    (void)state;
    isw_test_cancel_after_ms(test, 4000);
    result = isw_test_invoke(test, "wait", NULL);
    assert_int_equal(result->outcome, ISW_OUTCOME_CANCELLED);
    assert_int_equal(result->duration_us, 4000000);
    isw_test_cancel_after_ms(test, 0);
    result = isw_test_invoke(test, "wait", NULL);
    assert_int_equal(result->outcome, ISW_OUTCOME_CANCELLED);
    assert_null(isw_test_logged(result, "turns"));
}

static void a_retry_and_its_trace_are_seen(void **state)
{
    const isw_test_result *result;

    (void)state;
    isw_test_retry(test, 2, 5, "it rained");
    isw_test_trace(test, "00-ab-cd-01", NULL);
    result = isw_test_invoke(test, "again", NULL);
    assert_non_null(isw_test_logged(result, "try 2 of 5 after \"it rained\" for 00-ab-cd-01"));
    assert_int_equal(result->outcome, ISW_OUTCOME_RETRY_LATER);
    assert_int_equal(result->retry_after_ms, 1500);
}

static void a_wrong_configuration_leaves_the_worker_to_its_owner(void **state)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_worker *worker = NULL;
    isw_test *none = NULL;
    isw_error error = { 0 };

    (void)state;
    options.config_text = "middleware: [loging]\n";
    assert_int_equal(isw_worker_create(&options, &worker, &error), ISW_OK);
    assert_int_equal(isw_test_create(worker, &none, &error), ISW_E_CONFIG);
    assert_null(none);
    assert_non_null(strstr(error.message, "logging"));
    isw_worker_destroy(worker);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_request_finds_its_function_by_its_url, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_prepared_holds_for_one_invocation, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_body_and_its_type_arrive, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_no_route_takes_is_answered_as_by_the_host, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(any_trigger_can_be_invoked_with_inputs_and_metadata, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_function_that_is_not_there_is_a_failure, set_up, tear_down),
    cmocka_unit_test_setup_teardown(lines_of_every_level_are_kept_with_their_fields, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(spans_show_the_chain_as_it_ran, set_up, tear_down),
    cmocka_unit_test_setup_teardown(sleeping_moves_the_clock_and_takes_no_time, set_up, tear_down),
    cmocka_unit_test_setup_teardown(the_clock_moves_between_invocations_too, set_up, tear_down),
    cmocka_unit_test_setup_teardown(the_clock_of_middleware_stands_still_too, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_host_can_stop_on_the_way, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_caller_can_leave_on_the_way_or_before, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_retry_and_its_trace_are_seen, set_up, tear_down),
    cmocka_unit_test(a_wrong_configuration_leaves_the_worker_to_its_owner),
};

ISW_TEST_MAIN(tests)
