/* SPDX-License-Identifier: Apache-2.0 */
/* Failures as answers: problem details over HTTP, JSON elsewhere. */
#include "middleware/conformance.h"
#include "worker/support.h"

#include <stdio.h>
#include <string.h>

#define QUIET "middleware: [error_handling: {log: false}]\n"
#define OPEN "middleware: [error_handling: {log: false, expose_details: true}]\n"

static isw_status status_to_fail_with;

static isw_status fails(isw_context *ctx)
{
    return isw_fail(ctx, status_to_fail_with, "a \"secret\"");
}

static void assert_body_has(const run *r, const char *text, bool wanted)
{
    const isw_bytes *body = &r->result.result.as.http->body;
    char copy[512];

    snprintf(copy, sizeof copy, "%.*s", (int)body->size, (const char *)body->data);
    if ((strstr(copy, text) != NULL) != wanted)
        fail_msg("%s %s %s", copy, wanted ? "lacks" : "has", text);
}

/* -- HTTP -------------------------------------------------------------------------------------- */

static void a_failure_becomes_a_problem_without_details(void **state)
{
    run r;

    (void)state;
    status_to_fail_with = ISW_E_NOT_FOUND;
    run_http(&r, fails, QUIET, NULL);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(r.result.failure.status, ISW_E_NOT_FOUND);
    assert_int_equal(r.result.result.as.http->status, 404);
    assert_string_equal(reply_header(&r, "content-type"), "application/problem+json");
    assert_body_has(&r, "\"title\":\"Not Found\",\"status\":404,\"error\":\"ISW_E_NOT_FOUND\","
                        "\"retriable\":false,\"instance\"", true);
    assert_body_has(&r, "secret", false);
    run_fini(&r);
}

static void details_are_shown_when_asked_for(void **state)
{
    run r;

    (void)state;
    status_to_fail_with = ISW_E_FORBIDDEN;
    run_http(&r, fails, OPEN, NULL);
    assert_body_has(&r, "\"status\":403,\"detail\":\"a \\\"secret\\\"\",", true);
    assert_body_has(&r, "\"place\":\"error_handling.c:", true);
    run_fini(&r);
}

static void every_status_has_its_http_status(void **state)
{
    static const struct {
        isw_status status;
        int http;
    } table[] = {
#define ROW(name, number, http, text) { ISW_##name, http },
        ISW_STATUS_TABLE(ROW)
#undef ROW
    };

    (void)state;
    for (size_t i = 1; i < sizeof table / sizeof table[0]; i++) {
        run r;

        status_to_fail_with = table[i].status;
        run_http(&r, fails, QUIET, NULL);
        assert_int_equal(r.result.result.as.http->status, table[i].http);
        assert_int_not_equal(r.result.outcome, ISW_OUTCOME_SUCCESS);
        run_fini(&r);
    }
}

static isw_status replies_and_succeeds(isw_context *ctx)
{
    return isw_http_reply(ctx, 404, "text/plain", "mine");
}

static void a_success_is_left_alone(void **state)
{
    run r;

    (void)state;
    run_http(&r, replies_and_succeeds, QUIET, NULL);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_SUCCESS);
    assert_reply(&r, 404, "mine");
    run_fini(&r);
}

static isw_status replies_and_fails(isw_context *ctx)
{
    isw_http_reply(ctx, 422, "text/plain", "made on purpose");
    return isw_fail(ctx, ISW_E_INVALID, "bad");
}

static void a_reply_of_400_or_more_made_inside_is_kept(void **state)
{
    run r;

    (void)state;
    run_http(&r, replies_and_fails, QUIET, NULL);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_FAILED);
    assert_reply(&r, 422, "made on purpose");
    run_fini(&r);
}

static isw_status replies_well_and_fails(isw_context *ctx)
{
    isw_http_reply(ctx, 200, "text/plain", "too early");
    return ISW_E_CONFLICT;
}

static void a_good_reply_of_a_failure_is_replaced(void **state)
{
    run r;

    (void)state;
    run_http(&r, replies_well_and_fails, QUIET, NULL);
    assert_int_equal(r.result.result.as.http->status, 409);
    assert_string_equal(reply_header(&r, "content-type"), "application/problem+json");
    assert_body_has(&r, "too early", false);
    run_fini(&r);
}

static isw_status fails_and_returns_ok(isw_context *ctx)
{
    isw_fail(ctx, ISW_E_BUSY, "swallowed");
    return ISW_OK;
}

static void a_failure_behind_an_ok_is_answered_too(void **state)
{
    run r;

    (void)state;
    run_http(&r, fails_and_returns_ok, QUIET, NULL);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(r.result.result.as.http->status, 429);
    run_fini(&r);
}

static isw_status postpones(isw_context *ctx)
{
    isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, 2000);
    return ISW_OK;
}

static void retry_later_is_503_with_retry_after(void **state)
{
    run r;

    (void)state;
    run_http(&r, postpones, QUIET, NULL);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_RETRY_LATER);
    assert_int_equal(r.result.result.as.http->status, 503);
    assert_string_equal(reply_header(&r, "retry-after"), "2");
    run_fini(&r);
}

/* -- Other triggers ---------------------------------------------------------------------------- */

static void assert_json(const char *yaml, const char *expected)
{
    run r;

    run_function(&r, fails, yaml, NULL);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(r.result.result.type, ISW_VALUE_JSON);
    assert_string_equal(r.result.result.as.string.data, expected);
    run_fini(&r);
}

static void other_callers_get_json(void **state)
{
    (void)state;
    status_to_fail_with = ISW_E_TIMEOUT;
    assert_json(QUIET, "{\"type\":\"ISW_E_TIMEOUT\",\"message\":\"deadline exceeded\","
                       "\"retriable\":true}");
    assert_json(OPEN, "{\"type\":\"ISW_E_TIMEOUT\",\"message\":\"a \\\"secret\\\"\","
                      "\"retriable\":true}");
}

/* -- Its log ----------------------------------------------------------------------------------- */

static void assert_logged(isw_status status, const char *yaml, const char *expected)
{
    const isw_function function = { .name = "f", .trigger = ISW_TRIGGER("timer", NULL),
                                    .handler = fails };
    run r;

    status_to_fail_with = status;
    run_captured(&r, &function, yaml, NULL, ISW_LOG_INFO);
    assert_string_equal(r.log, expected);
    run_fini(&r);
}

static void each_failure_is_logged_with_its_sentence(void **state)
{
    (void)state;
    assert_logged(ISW_E_INTERNAL, "middleware: [error_handling]\n",
                  "error Function.f: ISW_E_INTERNAL: a \"secret\" place=\"error_handling.c:16\" "
                  "user=true retriable=false\n");
    assert_logged(ISW_E_INVALID, "middleware: [error_handling]\n",
                  "warning Function.f: ISW_E_INVALID: a \"secret\" place=\"error_handling.c:16\" "
                  "user=true retriable=false\n");
    assert_logged(ISW_E_INVALID, QUIET, "");
}

const conforming subject = { .name = "error_handling", .options = "{log: false}",
                             .other_options = "{expose_details: true}" };

static const struct CMUnitTest tests[] = {
    MIDDLEWARE_CONFORMANCE,
    cmocka_unit_test(a_failure_becomes_a_problem_without_details),
    cmocka_unit_test(details_are_shown_when_asked_for),
    cmocka_unit_test(every_status_has_its_http_status),
    cmocka_unit_test(a_success_is_left_alone),
    cmocka_unit_test(a_reply_of_400_or_more_made_inside_is_kept),
    cmocka_unit_test(a_good_reply_of_a_failure_is_replaced),
    cmocka_unit_test(a_failure_behind_an_ok_is_answered_too),
    cmocka_unit_test(retry_later_is_503_with_retry_after),
    cmocka_unit_test(other_callers_get_json),
    cmocka_unit_test(each_failure_is_logged_with_its_sentence),
};

ISW_TEST_MAIN(tests)
