/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of an invocation: thresholds, scopes and fields. */
#include "worker/support.h"

#include <stdio.h>
#include <string.h>

static void assert_logged(isw_handler_fn handler, isw_log_level threshold, const char *expected)
{
    const isw_function function = { .name = "f", .trigger = ISW_TRIGGER("timer", NULL),
                                    .handler = handler };
    run r;

    run_captured(&r, &function, NULL, NULL, threshold);
    assert_string_equal(r.log, expected);
    run_fini(&r);
}

static isw_status logs_at_every_level(isw_context *ctx)
{
    for (int level = ISW_LOG_TRACE; level <= ISW_LOG_CRITICAL; level++)
        isw_log(ctx, (isw_log_level)level, "line %d", level);
    return ISW_OK;
}

static void lines_below_the_threshold_do_not_go_out(void **state)
{
    (void)state;
    assert_logged(logs_at_every_level, ISW_LOG_ERROR,
                  "error Function.f: line 4\ncritical Function.f: line 5\n");
    assert_logged(logs_at_every_level, ISW_LOG_NONE, "");
    assert_logged(logs_at_every_level, ISW_LOG_TRACE,
                  "trace Function.f: line 0\ndebug Function.f: line 1\n"
                  "info Function.f: line 2\nwarning Function.f: line 3\n"
                  "error Function.f: line 4\ncritical Function.f: line 5\n");
}

static isw_status asks_first(isw_context *ctx)
{
    assert_false(isw_log_enabled(ctx, ISW_LOG_DEBUG, NULL));
    assert_true(isw_log_enabled(ctx, ISW_LOG_INFO, NULL));
    assert_false(isw_log_enabled(ctx, ISW_LOG_DEBUG, "Other"));
    assert_true(isw_log_enabled(ctx, ISW_LOG_INFO, "Other"));
    return ISW_OK;
}

static void whether_a_line_would_go_out_can_be_asked(void **state)
{
    (void)state;
    assert_logged(asks_first, ISW_LOG_INFO, "");
}

static isw_status logs_fields(isw_context *ctx)
{
    const isw_named_value fields[] = { isw_named("n", isw_value_int(-1)),
                                      isw_named("s", isw_value_string("a\"b")),
                                      isw_named("b", isw_value_bool(true)) };

    isw_log_fields(ctx, ISW_LOG_INFO, "Orders", fields, 3, "with %s", "fields");
    isw_log_fields(ctx, ISW_LOG_INFO, NULL, NULL, 0, "without");
    return ISW_OK;
}

static void fields_travel_with_their_line(void **state)
{
    (void)state;
    assert_logged(logs_fields, ISW_LOG_INFO,
                  "info Orders: with fields n=-1 s=\"a\\\"b\" b=true\n"
                  "info Function.f: without\n");
}

static isw_status nests_scopes(isw_context *ctx)
{
    char value[] = "copied";
    isw_named_value field = isw_named("own", isw_value_int(1));

    isw_log_push_scope(ctx, "outer", value);
    value[0] = '!';
    isw_log_push_scope(ctx, "inner", "i");
    isw_log_fields(ctx, ISW_LOG_INFO, NULL, &field, 1, "both");
    isw_log_pop_scope(ctx);
    isw_log(ctx, ISW_LOG_INFO, "outer only");
    isw_log_pop_scope(ctx);
    isw_log_pop_scope(ctx); /* one too many does no harm */
    isw_log(ctx, ISW_LOG_INFO, "none");
    return ISW_OK;
}

static void scopes_put_their_field_on_every_line(void **state)
{
    (void)state;
    assert_logged(nests_scopes, ISW_LOG_INFO,
                  "info Function.f: both outer=\"copied\" inner=\"i\" own=1\n"
                  "info Function.f: outer only outer=\"copied\"\n"
                  "info Function.f: none\n");
}

static isw_status nests_too_deep(isw_context *ctx)
{
    for (int i = 0; i < 10; i++)
        isw_log_push_scope(ctx, "s", i < 8 ? "in" : "out");
    isw_log(ctx, ISW_LOG_INFO, "deep");
    for (int i = 0; i < 3; i++)
        isw_log_pop_scope(ctx);
    isw_log(ctx, ISW_LOG_INFO, "seven");
    return ISW_OK;
}

static void scopes_beyond_the_eighth_are_counted_and_left_out(void **state)
{
    (void)state;
    assert_logged(nests_too_deep, ISW_LOG_INFO,
                  "info Function.f: deep s=\"in\" s=\"in\" s=\"in\" s=\"in\" s=\"in\" s=\"in\" "
                  "s=\"in\" s=\"in\"\n"
                  "info Function.f: seven s=\"in\" s=\"in\" s=\"in\" s=\"in\" s=\"in\" s=\"in\" "
                  "s=\"in\"\n");
}

static isw_status logs_many_fields(isw_context *ctx)
{
    isw_named_value fields[100];

    for (int i = 0; i < 100; i++)
        fields[i] = isw_named("f", isw_value_int(i));
    isw_log_push_scope(ctx, "s", "v");
    isw_log_fields(ctx, ISW_LOG_INFO, NULL, fields, 100, "many");
    return ISW_OK;
}

static void fields_beyond_the_most_are_left_out(void **state)
{
    const isw_function function = { .name = "f", .trigger = ISW_TRIGGER("timer", NULL),
                                    .handler = logs_many_fields };
    run r;

    (void)state;
    run_captured(&r, &function, NULL, NULL, ISW_LOG_INFO);
    assert_non_null(strstr(r.log, "many s=\"v\" f=0 "));
    assert_non_null(strstr(r.log, " f=62\n"));
    run_fini(&r);
}

static isw_status logs_at_length(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_INFO, "%600s|", "");
    return ISW_OK;
}

static void a_long_line_arrives_whole(void **state)
{
    char expected[700];

    (void)state;
    snprintf(expected, sizeof expected, "info Function.f: %600s|\n", "");
    assert_logged(logs_at_length, ISW_LOG_INFO, expected);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(lines_below_the_threshold_do_not_go_out),
    cmocka_unit_test(whether_a_line_would_go_out_can_be_asked),
    cmocka_unit_test(fields_travel_with_their_line),
    cmocka_unit_test(scopes_put_their_field_on_every_line),
    cmocka_unit_test(scopes_beyond_the_eighth_are_counted_and_left_out),
    cmocka_unit_test(fields_beyond_the_most_are_left_out),
    cmocka_unit_test(a_long_line_arrives_whole),
};

ISW_TEST_MAIN(tests)
