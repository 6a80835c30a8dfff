/* SPDX-License-Identifier: Apache-2.0 */
/* What goes along with a call that a function makes. */
#include "support/app_test.h"

#include "worker/context/context.h"

#include <stdio.h>
#include <string.h>

static isw_pairs baggage;

/* Its answer is the headers. */
static isw_status tell(isw_context *ctx)
{
    const char *text = "";
    isw_pairs headers;

    ctx->trace.baggage = baggage;
    assert_int_equal(isw_context_outgoing(ctx, &headers), ISW_OK);
    for (size_t i = 0; i < headers.count; i++)
        text = isw_context_printf(ctx, "%s%.*s: %.*s|", text, (int)headers.items[i].name.size,
                                  headers.items[i].name.data, (int)headers.items[i].value.size,
                                  headers.items[i].value.data);
    return isw_context_set_result(ctx, &(isw_value){ .type = ISW_VALUE_STRING,
                                                     .as.string = isw_str_of(text) });
}

static isw_status tell_by_http(isw_context *ctx)
{
    isw_status status = tell(ctx);
    isw_str text = isw_context_result(ctx)->as.string;

    return status == ISW_OK ? isw_http_reply_bytes(ctx, 200, NULL, text.data, text.size) : status;
}

static const isw_function functions[] = {
    { .name = "tell", .trigger = ISW_TRIGGER("timer", NULL), .handler = tell },
    { .name = "http", .trigger = ISW_HTTP("GET", "tell"), .handler = tell_by_http },
    { 0 },
};
static const isw_app app = { .functions = functions };
static isw_test *test;

static int set_up(void **state)
{
    (void)state;
    baggage = (isw_pairs){ NULL, 0 };
    test = app_test(&app, "middleware: []\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    isw_test_destroy(test);
    return 0;
}

static const char *told(void)
{
    static char text[16384];
    const isw_test_result *result = isw_test_invoke(test, "tell", NULL);

    snprintf(text, sizeof text, "|%.*s", (int)result->result.as.string.size,
             result->result.as.string.data);
    return text;
}

static void the_time_that_is_left_goes_on(void **state)
{
    (void)state;
    assert_null(strstr(told(), ISW_HEADER_TIMEOUT));
    isw_test_timeout_ms(test, 2500);
    assert_non_null(strstr(told(), "|x-envoy-expected-rq-timeout-ms: 2500|"));
}

static void a_callers_trace_goes_on_with_its_state(void **state)
{
    const char *text;

    (void)state;
    isw_test_trace(test, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=1");
    text = told();
    assert_non_null(strstr(text, "|traceparent: 00-0af7651916cd43dd8448eb211c80319c-"));
    assert_null(strstr(text, "b7ad6b7169203331"));
    assert_non_null(strstr(text, "|tracestate: a=1|"));
}

static void a_new_trace_has_no_state(void **state)
{
    (void)state;
    isw_test_trace(test, "00-ab-cd-01", "a=1");
    assert_non_null(strstr(told(), "|traceparent: 00-"));
    assert_null(strstr(told(), "tracestate"));
}

static void baggage_is_encoded_again(void **state)
{
    static const isw_pair items[] = {
        { { "tier", 4 }, { "gold, 100%; \"\\\xc3\xa9", 16 } },
        { { "not a token", 11 }, { "x", 1 } },
        { { "plain", 5 }, { "a-z=/:", 6 } },
    };

    (void)state;
    baggage = (isw_pairs){ items, 3 };
    assert_non_null(strstr(told(), "|baggage: tier=gold%2C%20100%25%3B%20%22%5C%C3%A9,"
                                   "plain=a-z=/:|"));
}

static void baggage_that_is_too_much_is_left_out(void **state)
{
    static char long_one[8300];
    const isw_pair items[] = { { { "long", 4 }, { long_one, sizeof long_one } },
                               { { "short", 5 }, { "1", 1 } },
                               { { "spaces", 6 }, { "", 0 } } };

    (void)state;
    memset(long_one, 'x', sizeof long_one);
    baggage = (isw_pairs){ items, 3 };
    assert_non_null(strstr(told(), "|baggage: short=1,spaces=|"));
}

static void what_would_end_a_line_is_left_out(void **state)
{
    (void)state;
    isw_test_trace(test, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                   "a=1\r\nx-evil: 1");
    assert_null(strstr(told(), "evil"));
}

static void a_request_keeps_its_name_and_others_have_the_invocations(void **state)
{
    const isw_test_result *result;

    (void)state;
    isw_test_header(test, "x-request-id", "mine");
    result = isw_test_http(test, "GET", "/tell");
    assert_non_null(strstr(result->body, "|x-request-id: mine|"));
    assert_non_null(strstr(told(), "|x-request-id: "));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(the_time_that_is_left_goes_on, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_callers_trace_goes_on_with_its_state, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_new_trace_has_no_state, set_up, tear_down),
    cmocka_unit_test_setup_teardown(baggage_is_encoded_again, set_up, tear_down),
    cmocka_unit_test_setup_teardown(baggage_that_is_too_much_is_left_out, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_would_end_a_line_is_left_out, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_request_keeps_its_name_and_others_have_the_invocations,
                                    set_up, tear_down),
};

ISW_TEST_MAIN(tests)
