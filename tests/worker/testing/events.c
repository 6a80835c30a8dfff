/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of other triggers than HTTP, told what a host would tell them. */
#include "support/app_test.h"

static const char *text_of(isw_context *ctx, const char *name)
{
    const isw_value *value = isw_context_trigger_metadata(ctx, name);

    return isw_context_strndup(ctx, value->as.string.data, value->as.string.size);
}

static isw_status tick(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_INFO, "due %s, late %d, attempt %d, value %s",
            text_of(ctx, "scheduled_for"),
            isw_context_trigger_metadata(ctx, "is_past_due")->as.boolean,
            (int)isw_context_trigger_metadata(ctx, "attempt")->as.integer,
            isw_value_type_name(isw_context_trigger(ctx)->type));
    return ISW_OK;
}

static isw_status take(isw_context *ctx)
{
    for (size_t i = 0; i < isw_queue_count(ctx); i++) {
        isw_queue_message message;
        isw_bytes body;

        if (isw_queue_message_at(ctx, i, &message) != ISW_OK)
            return ISW_E_FAILED;
        body = isw_value_payload(message.body);
        isw_log(ctx, ISW_LOG_INFO, "%.*s from %.*s, %u of %u after <%.*s>", (int)body.size,
                (const char *)body.data, (int)message.queue.size, message.queue.data,
                message.dequeue_count, message.max_dequeue_count, (int)message.last_error.size,
                message.last_error.data);
    }
    return ISW_OK;
}

static isw_status paid(isw_context *ctx)
{
    isw_cloudevent event;

    if (isw_cloudevent_get(ctx, &event) != ISW_OK)
        return ISW_E_INVALID;
    isw_log(ctx, ISW_LOG_INFO, "%.*s of %.*s about %.*s: %s and %zu more", (int)event.id.size,
            event.id.data, (int)event.source.size, event.source.data, (int)event.subject.size,
            event.subject.data, isw_value_type_name(event.data.type), event.extensions.count);
    return ISW_OK;
}

static const isw_function functions[] = {
    { .name = "tick", .trigger = ISW_TIMER("@daily"), .handler = tick },
    { .name = "take", .trigger = ISW_QUEUE("orders"), .handler = take },
    { .name = "drop", .trigger = ISW_FILE("in"), .handler = take },
    { .name = "paid", .trigger = ISW_CLOUDEVENT("shop/paid"), .handler = paid },
    { 0 },
};
static const isw_app app = { .functions = functions };
static isw_test *test;

static int set_up(void **state)
{
    (void)state;
    test = app_test(&app, "middleware: [error_handling]\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    isw_test_destroy(test);
    return 0;
}

static void assert_logged(const isw_test_result *result, const char *text)
{
    assert_int_equal(result->outcome, ISW_OUTCOME_SUCCESS);
    if (!isw_test_logged(result, text))
        fail_msg("%s", result->line_count ? result->lines[0].message : "no line");
}

static void a_timer_is_due_now_unless_the_test_says_otherwise(void **state)
{
    const isw_value then = isw_value_string("2030-05-06T07:08:09Z");

    (void)state;
    assert_logged(isw_test_invoke(test, "tick", NULL),
                  "due 2026-01-01T00:00:00Z, late 0, attempt 1, value map");
    isw_test_trigger_metadata(test, "scheduled_for", &then);
    assert_logged(isw_test_invoke(test, "tick", &then),
                  "due 2030-05-06T07:08:09Z, late 0, attempt 1, value string");
}

static void a_message_is_delivered_as_often_as_its_retry_says(void **state)
{
    const isw_value tea = isw_value_string("tea");

    (void)state;
    assert_logged(isw_test_invoke(test, "take", &tea), "tea from orders, 1 of 0 after <>");
    isw_test_retry(test, 1, 4, "no cup");
    assert_logged(isw_test_invoke(test, "take", &tea), "tea from orders, 2 of 5 after <no cup>");
    assert_logged(isw_test_invoke(test, "drop", &tea), "tea from file.drop, 1 of 0 after <>");
}

static void an_array_is_a_batch_of_messages(void **state)
{
    const isw_value bodies[] = { isw_value_string("tea"), isw_value_string("milk") };
    const isw_value both = isw_value_array(bodies, 2);
    const isw_test_result *result = isw_test_invoke(test, "take", &both);

    (void)state;
    assert_logged(result, "tea from orders, 1 of 0 after <>");
    assert_logged(result, "milk from orders, 1 of 0 after <>");
}

static const isw_test_result *send_paid(const char *source, const char *type)
{
    isw_test_header(test, "CE-Id", "7");
    isw_test_header(test, "ce-specversion", "1.0");
    isw_test_header(test, "ce-source", source);
    if (type)
        isw_test_header(test, "ce-type", type);
    isw_test_header(test, "ce-subject", "o%201");
    isw_test_header(test, "ce-tenant", "north");
    isw_test_body(test, "application/json", "{}", 2);
    return isw_test_http(test, "POST", "/shop/paid");
}

static void an_event_is_made_of_its_headers(void **state)
{
    (void)state;
    assert_logged(send_paid("/shop", "com.example.paid"), "7 of /shop about o 1: json and 1 more");
}

static void a_request_that_is_no_event_is_refused(void **state)
{
    const isw_test_result *result = send_paid("/shop", NULL);

    (void)state;
    assert_int_equal(result->http_status, 400);
    assert_non_null(strstr(result->failure->message, "ce-type"));
    assert_int_equal(isw_test_http(test, "GET", "/shop/paid")->http_status, 405);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_timer_is_due_now_unless_the_test_says_otherwise, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_message_is_delivered_as_often_as_its_retry_says, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(an_array_is_a_batch_of_messages, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_event_is_made_of_its_headers, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_request_that_is_no_event_is_refused, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
