/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of the logging middleware, to the field. */
#include "middleware/conformance.h"
#include "worker/support.h"

#include <stdio.h>

static isw_status succeeds(isw_context *ctx)
{
    isw_value result = isw_value_string("four");

    return isw_context_set_result(ctx, &result);
}

static isw_status fails(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_INFO, "inside");
    isw_fail(ctx, ISW_E_CONFLICT, "taken");
    isw_log_failure(ctx, ISW_LOG_NONE); /* the worker's own line is not looked at here */
    return ISW_E_CONFLICT;
}

static isw_status replies(isw_context *ctx)
{
    return isw_http_reply(ctx, 201, NULL, "made");
}

static void assert_logged(isw_handler_fn handler, const char *options, isw_log_level threshold,
                          const char *expected)
{
    const isw_function function = { .name = "f", .trigger = ISW_TRIGGER("queue", NULL),
                                    .handler = handler };
    isw_value input = isw_value_string("seven b");
    char yaml[128];
    run r;

    snprintf(yaml, sizeof yaml, "middleware: [logging: %s]\n", options);
    run_captured(&r, &function, yaml, &input, threshold);
    assert_string_equal(r.log, expected);
    run_fini(&r);
}

#define FIELDS(status, out) \
    " trigger=\"queue\" status=\"" status "\" duration_us=* in_bytes=7 out_bytes=" out "\n"

static void one_line_tells_how_it_ended(void **state)
{
    (void)state;
    assert_logged(succeeds, "{}", ISW_LOG_INFO, "info Invocation: f ended" FIELDS("ISW_OK", "4"));
}

static void its_begin_is_for_debugging(void **state)
{
    (void)state;
    assert_logged(succeeds, "{}", ISW_LOG_DEBUG,
                  "debug Invocation: f begins\n"
                  "info Invocation: f ended" FIELDS("ISW_OK", "4"));
}

static void a_failure_has_a_level_of_its_own(void **state)
{
    (void)state;
    assert_logged(fails, "{}", ISW_LOG_WARNING,
                  "warning Invocation: f ended" FIELDS("ISW_E_CONFLICT", "0"));
    assert_logged(fails, "{failure_level: critical}", ISW_LOG_WARNING,
                  "critical Invocation: f ended" FIELDS("ISW_E_CONFLICT", "0"));
    assert_logged(fails, "{level: error}", ISW_LOG_WARNING,
                  "error Invocation: f ended" FIELDS("ISW_E_CONFLICT", "0"));
}

static void a_level_is_that_of_the_line_and_no_threshold(void **state)
{
    (void)state;
    assert_logged(succeeds, "{success_level: warning}", ISW_LOG_WARNING,
                  "warning Invocation: f ended" FIELDS("ISW_OK", "4"));
    assert_logged(fails, "{success_level: warning, failure_level: info}", ISW_LOG_WARNING, "");
    assert_logged(succeeds, "{success_level: none}", ISW_LOG_INFO, "");
    assert_logged(fails, "{success_level: none}", ISW_LOG_WARNING,
                  "warning Invocation: f ended" FIELDS("ISW_E_CONFLICT", "0"));
}

static void the_old_name_must_be_a_level(void **state)
{
    (void)state;
    assert_non_null(strstr(refusal_of("middleware:\n  - logging: {level: loud}\n"),
                           "level \"loud\" is none of"));
}

static void levels_can_silence_either(void **state)
{
    (void)state;
    assert_logged(succeeds, "{level: none}", ISW_LOG_TRACE, "debug Invocation: f begins\n");
    assert_logged(fails, "{level: none, failure_level: error}", ISW_LOG_WARNING,
                  "error Invocation: f ended" FIELDS("ISW_E_CONFLICT", "0"));
    assert_logged(fails, "{failure_level: none}", ISW_LOG_WARNING, "");
    assert_logged(succeeds, "{level: debug}", ISW_LOG_INFO, "");
}

static void a_scope_marks_every_line_inside(void **state)
{
    (void)state;
    assert_logged(fails, "{scope: blue}", ISW_LOG_INFO,
                  "info Function.f: inside scope=\"blue\"\n"
                  "warning Invocation: f ended scope=\"blue\"" FIELDS("ISW_E_CONFLICT", "0"));
}

static void http_adds_method_and_status(void **state)
{
    const isw_function function = { .name = "f", .trigger = ISW_HTTP("PUT", NULL),
                                    .handler = replies };
    const isw_http request = { .method = { "PUT", 3 }, .body = { "12345", 5 } };
    isw_value input = http_data(&request);
    run r;

    (void)state;
    run_captured(&r, &function, "middleware: [logging]\n", &input, ISW_LOG_INFO);
    assert_string_equal(r.log, "info Invocation: f ended trigger=\"http\" status=\"ISW_OK\" "
                               "duration_us=* in_bytes=5 out_bytes=4 method=\"PUT\" "
                               "http_status=201\n");
    run_fini(&r);
}

static isw_status nothing(isw_context *ctx)
{
    (void)ctx;
    return ISW_OK;
}

static isw_status retries_later(isw_context *ctx)
{
    isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, 1000);
    return ISW_OK;
}

static isw_status fails_behind_a_reply(isw_context *ctx)
{
    isw_http_reply(ctx, 200, NULL, "done");
    return fails(ctx);
}

static isw_status refuses(isw_context *ctx)
{
    return isw_http_reply(ctx, 422, NULL, "no");
}

static isw_status is_broken(isw_context *ctx)
{
    return isw_fail(ctx, ISW_E_INTERNAL, "broken");
}

/* The failure's own line warns of it already. */
static void what_a_caller_did_wrong_is_one_warning(void **state)
{
    static const struct {
        isw_handler_fn handler;
        const char *options, *begin;
        unsigned warnings;
    } rows[] = {
        { fails, "{}", "info Invocation: f ended", 1 },
        { is_broken, "{}", "warning Invocation: f ended", 1 }, /* and an error */
        { fails, "{failure_level: warning}", "warning Invocation: f ended", 2 },
        { fails, "{failure_level: critical}", "critical Invocation: f ended", 1 },
        { fails, "{success_level: debug}", "info Invocation: f ended", 1 },
    };
    const isw_http request = { .method = { "PUT", 3 } };
    isw_value input = http_data(&request);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const isw_function function = { .name = "f", .trigger = ISW_HTTP("PUT", NULL),
                                        .handler = rows[i].handler };
        unsigned warnings = 0;
        char chain[128];
        run r;

        snprintf(chain, sizeof chain, "middleware: [logging: %s, error_handling]\n", rows[i].options);
        run_captured(&r, &function, chain, &input, ISW_LOG_INFO);
        assert_non_null(strstr(r.log, rows[i].begin));
        for (const char *at = r.log; (at = strstr(at, "warning ")) != NULL; at++)
            warnings++;
        assert_int_equal(warnings, rows[i].warnings);
        run_fini(&r);
    }
}

/* What error_handling or the host answers, wherever they stand. */
static void a_line_has_the_status_of_the_answer_in_either_order(void **state)
{
    static const struct {
        isw_handler_fn handler;
        const char *end;
    } rows[] = {
        { fails, "http_status=409\n" },        { nothing, "http_status=204\n" },
        { succeeds, "http_status=200\n" },     { replies, "http_status=201\n" },
        { retries_later, "http_status=503\n" }, { fails_behind_a_reply, "http_status=409\n" },
        { refuses, "http_status=422\n" },
    };
    static const char *const chains[] = {
        "middleware: [logging, error_handling: {log: false}]\n",
        "middleware: [error_handling: {log: false}, logging]\n",
        "middleware: [logging]\n",
    };
    const isw_http request = { .method = { "PUT", 3 } };
    isw_value input = http_data(&request);

    (void)state;
    for (size_t i = 0; i < 3 * sizeof rows / sizeof rows[0]; i++) {
        const isw_function function = { .name = "f", .trigger = ISW_HTTP("PUT", NULL),
                                        .handler = rows[i / 3].handler };
        const char *line;
        run r;

        run_captured(&r, &function, chains[i % 3], &input, ISW_LOG_INFO);
        line = strstr(r.log, "f ended");
        if (!line || !strstr(line, rows[i / 3].end))
            fail_msg("%s%s", chains[i % 3], r.log);
        run_fini(&r);
    }
}

const conforming subject = { .name = "logging", .options = "{level: debug}",
                             .other_options = "{level: none, failure_level: none}" };

static const struct CMUnitTest tests[] = {
    MIDDLEWARE_CONFORMANCE,
    cmocka_unit_test(one_line_tells_how_it_ended),
    cmocka_unit_test(its_begin_is_for_debugging),
    cmocka_unit_test(a_failure_has_a_level_of_its_own),
    cmocka_unit_test(a_level_is_that_of_the_line_and_no_threshold),
    cmocka_unit_test(the_old_name_must_be_a_level),
    cmocka_unit_test(levels_can_silence_either),
    cmocka_unit_test(a_scope_marks_every_line_inside),
    cmocka_unit_test(http_adds_method_and_status),
    cmocka_unit_test(what_a_caller_did_wrong_is_one_warning),
    cmocka_unit_test(a_line_has_the_status_of_the_answer_in_either_order),
};

ISW_TEST_MAIN(tests)
