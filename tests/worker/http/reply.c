/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as a handler reads them, and replies to the byte. */
#include "worker/support.h"

#include <stdio.h>
#include <string.h>

#define PAIR(name, value)                             \
    {                                                 \
        { name, sizeof(name) - 1 },                   \
        {                                             \
            value, sizeof(value) - 1                  \
        }                                             \
    }

/* -- Requests ---------------------------------------------------------------------------------- */

static const isw_pair params[] = { PAIR("id", "7 8"), PAIR("Id", "other") };
static const isw_pair query[] = { PAIR("q", "first"), PAIR("q", "second"), PAIR("empty", "") };
static const isw_pair headers[] = { PAIR("x-token", "abc") };
static const isw_http request = {
    .method = { "POST", 4 },
    .url = { "/api/x?q=first", 14 },
    .params = { params, 2 },
    .query = { query, 3 },
    .headers = { headers, 1 },
    .body = { "body\0tail", 9 },
};

static isw_status reads_the_request(isw_context *ctx)
{
    assert_ptr_equal(isw_http_request(ctx), &request);
    assert_string_equal(isw_http_param(ctx, "id"), "7 8");
    assert_string_equal(isw_http_param(ctx, "Id"), "other");
    assert_null(isw_http_param(ctx, "ID"));
    assert_string_equal(isw_http_query(ctx, "q"), "first");
    assert_string_equal(isw_http_query(ctx, "empty"), "");
    assert_null(isw_http_query(ctx, "none"));
    assert_string_equal(isw_http_header(ctx, "X-Token"), "abc");
    assert_null(isw_http_header(ctx, "x-toke"));
    assert_int_equal(isw_http_body(ctx).size, 9);
    assert_null(isw_http_response(ctx));
    return ISW_OK;
}

static void a_request_is_read_by_name(void **state)
{
    run r;

    (void)state;
    run_http(&r, reads_the_request, NULL, &request);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_SUCCESS);
    run_fini(&r);
}

static isw_status finds_no_request(isw_context *ctx)
{
    assert_null(isw_http_request(ctx));
    assert_null(isw_http_param(ctx, "id"));
    assert_null(isw_http_query(ctx, "id"));
    assert_null(isw_http_header(ctx, "id"));
    assert_int_equal(isw_http_body(ctx).size, 0);
    return ISW_OK;
}

static void another_trigger_has_no_request(void **state)
{
    isw_value input = isw_value_string("x");
    run r;

    (void)state;
    run_function(&r, finds_no_request, NULL, &input);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_SUCCESS);
    run_fini(&r);
}

/* -- Replies ----------------------------------------------------------------------------------- */

static isw_status replies(isw_context *ctx)
{
    return isw_http_reply(ctx, 201, "text/plain", "made %d of %s", 3, "them");
}

static void a_reply_is_formatted(void **state)
{
    run r;

    (void)state;
    run_http(&r, replies, NULL, NULL);
    assert_reply(&r, 201, "made 3 of them");
    assert_string_equal(reply_header(&r, "content-type"), "text/plain");
    run_fini(&r);
}

static isw_status replies_with_bytes(isw_context *ctx)
{
    return isw_http_reply_bytes(ctx, 200, NULL, "a\0b", 3);
}

static void bytes_are_sent_as_they_are_and_without_a_type(void **state)
{
    run r;

    (void)state;
    run_http(&r, replies_with_bytes, NULL, NULL);
    assert_int_equal(r.result.result.as.http->headers.count, 0);
    assert_int_equal(r.result.result.as.http->body.size, 3);
    assert_memory_equal(r.result.result.as.http->body.data, "a\0b", 3);
    run_fini(&r);
}

static isw_status sets_headers_before_and_after(isw_context *ctx)
{
    isw_http_set_header(ctx, "X-Before", "1");
    isw_http_set_header(ctx, "Content-Type", "text/html");
    isw_http_reply(ctx, 200, "text/plain", "first");
    isw_http_add_header(ctx, "x-after", "2\t\xc3\xbc");
    isw_http_add_header(ctx, "x-after", "3");
    assert_int_equal(isw_http_response(ctx)->headers.count, 4);
    return isw_http_reply(ctx, 202, "application/json", "second");
}

static void headers_stay_when_the_reply_is_replaced(void **state)
{
    const isw_pairs *sent;
    run r;

    (void)state;
    run_http(&r, sets_headers_before_and_after, NULL, NULL);
    assert_reply(&r, 202, "second");
    sent = &r.result.result.as.http->headers;
    assert_int_equal(sent->count, 4);
    assert_string_equal(sent->items[0].name.data, "x-before");
    assert_string_equal(sent->items[1].name.data, "content-type");
    assert_string_equal(sent->items[1].value.data, "application/json");
    assert_string_equal(sent->items[2].value.data, "2\t\xc3\xbc");
    assert_string_equal(sent->items[3].value.data, "3");
    run_fini(&r);
}

/* -- What is refused --------------------------------------------------------------------------- */

static const char *bad_name;
static const char *bad_value;

static isw_status sets_a_bad_header(isw_context *ctx)
{
    isw_http_reply(ctx, 200, NULL, "ok");
    assert_int_equal(isw_http_set_header(ctx, bad_name, bad_value), ISW_E_INVALID);
    assert_int_equal(isw_http_response(ctx)->headers.count, 0);
    return ISW_OK;
}

static void headers_cannot_be_injected(void **state)
{
    static const char *const bad[][2] = {
        { "x", "a\r\nset-cookie: b" }, { "x", "a\nb" },  { "x", "a\rb" },  { "x", "\x01" },
        { "x", "\x7f" },               { "x", "\xff" },  { "", "a" },      { "a b", "c" },
        { "a:b", "c" },                { "a\r\nb", "c" }, { "\xc3\xbc", "c" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        run r;

        bad_name = bad[i][0];
        bad_value = bad[i][1];
        run_http(&r, sets_a_bad_header, NULL, NULL);
        assert_int_equal(r.result.outcome, ISW_OUTCOME_FAILED);
        assert_int_equal(r.result.failure.status, ISW_E_FAILED);
        run_fini(&r);
    }
}

static isw_status replies_badly(isw_context *ctx)
{
    static const int bad[] = { 0, 99, 600, -200 };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(isw_http_reply(ctx, bad[i], NULL, "x"), ISW_E_INVALID);
    assert_int_equal(isw_http_reply(ctx, 200, "text/plain\r\nx: y", "x"), ISW_E_INVALID);
    assert_null(isw_http_response(ctx));
    return ISW_OK;
}

static void a_status_out_of_range_is_no_reply(void **state)
{
    run r;

    (void)state;
    run_http(&r, replies_badly, NULL, NULL);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(r.result.failure.status, ISW_E_FAILED);
    assert_string_equal(r.result.failure.message, "0 is no HTTP status");
    run_fini(&r);
}

/* -- Problems ---------------------------------------------------------------------------------- */

static const char *title;
static const char *detail;
static int problem_status;
static char id[33];

static isw_status replies_with_a_problem(isw_context *ctx)
{
    snprintf(id, sizeof id, "%s", isw_context_invocation_id(ctx));
    return isw_http_reply_problem(ctx, problem_status, title, detail);
}

static void assert_problem(int status, const char *given_title, const char *given_detail,
                           const char *start)
{
    char body[512];
    run r;

    problem_status = status;
    title = given_title;
    detail = given_detail;
    run_http(&r, replies_with_a_problem, NULL, NULL);
    snprintf(body, sizeof body,
             "{\"type\":\"about:blank\",%s,\"instance\":\"urn:isoworker:invocation:%s\","
             "\"invocation_id\":\"%s\"}\n",
             start, id, id);
    assert_reply(&r, status, body);
    assert_string_equal(reply_header(&r, "content-type"), "application/problem+json");
    run_fini(&r);
}

static void a_problem_is_exact_to_the_byte(void **state)
{
    (void)state;
    assert_problem(404, NULL, NULL, "\"title\":\"Not Found\",\"status\":404");
    assert_problem(409, "Order taken", "\"A\"\n",
                   "\"title\":\"Order taken\",\"status\":409,\"detail\":\"\\\"A\\\"\\n\"");
    assert_problem(418, NULL, NULL, "\"title\":\"Request Refused\",\"status\":418");
    assert_problem(507, NULL, "",
                   "\"title\":\"Insufficient Storage\",\"status\":507,\"detail\":\"\"");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_request_is_read_by_name),
    cmocka_unit_test(another_trigger_has_no_request),
    cmocka_unit_test(a_reply_is_formatted),
    cmocka_unit_test(bytes_are_sent_as_they_are_and_without_a_type),
    cmocka_unit_test(headers_stay_when_the_reply_is_replaced),
    cmocka_unit_test(headers_cannot_be_injected),
    cmocka_unit_test(a_status_out_of_range_is_no_reply),
    cmocka_unit_test(a_problem_is_exact_to_the_byte),
};

ISW_TEST_MAIN(tests)
