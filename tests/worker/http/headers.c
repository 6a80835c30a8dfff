/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of requests with many values, headers of replies, JSON and redirects. */
#include "worker/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PAIR(name, value)                             \
    {                                                 \
        { name, sizeof(name) - 1 },                   \
        {                                             \
            value, sizeof(value) - 1                  \
        }                                             \
    }

static const isw_pair headers[] = { PAIR("x-tag", "one"), PAIR("x-other", "-"),
                                    PAIR("x-tag", "two"),
                                    PAIR("content-type", "Application/JSON ; charset=utf-8") };
static const isw_pair query[] = { PAIR("a", "1"), PAIR("A", "2"), PAIR("a", "") };
static const isw_http request = { .method = { "GET", 3 },
                                  .url = { "/api/sample", 11 },
                                  .headers = { headers, 4 },
                                  .query = { query, 3 } };

static void run_ok(run *r, isw_handler_fn handler)
{
    run_http(r, handler, NULL, &request);
    if (r->result.outcome != ISW_OUTCOME_SUCCESS)
        fail_msg("%s", r->result.failure.message);
}

static void assert_fails(isw_handler_fn handler, const char *message)
{
    run r;

    run_http(&r, handler, NULL, &request);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(r.result.failure.status, ISW_E_FAILED);
    assert_string_equal(r.result.failure.message, message);
    run_fini(&r);
}

/* The reply's headers as "name=value;". */
static void assert_headers(const run *r, const char *expected)
{
    const isw_pairs *sent = &r->result.result.as.http->headers;
    char all[1024] = "";

    for (size_t i = 0; i < sent->count; i++) {
        strncat(all, sent->items[i].name.data, sent->items[i].name.size);
        strcat(all, "=");
        strncat(all, sent->items[i].value.data, sent->items[i].value.size);
        strcat(all, ";");
    }
    assert_string_equal(all, expected);
}

/* -- Requests ---------------------------------------------------------------------------------- */

static void assert_values(const isw_pairs *pairs, const char *name, const char *expected)
{
    const isw_pair *pair;
    char all[128] = "";
    size_t at = 0;

    while ((pair = isw_pairs_next(pairs, name, &at))) {
        strncat(all, pair->name.data, pair->name.size);
        strcat(all, "=");
        strncat(all, pair->value.data, pair->value.size);
        strcat(all, ";");
    }
    assert_null(isw_pairs_next(pairs, name, &at));
    assert_string_equal(all, expected);
}

static isw_status goes_through_pairs(isw_context *ctx)
{
    const isw_http *http = isw_http_request(ctx);

    assert_values(&http->headers, "X-Tag", "x-tag=one;x-tag=two;");
    assert_values(&http->headers, "x-ta", "");
    assert_values(&http->query, "a", "a=1;A=2;a=;");
    assert_values(&http->query, NULL, "a=1;A=2;a=;");
    assert_values(&http->params, NULL, "");
    return ISW_OK;
}

static void every_value_of_a_name_is_given_in_order(void **state)
{
    run r;

    (void)state;
    run_ok(&r, goes_through_pairs);
    run_fini(&r);
}

static isw_status knows_its_type(isw_context *ctx)
{
    assert_true(isw_http_content_type_is(ctx, "application/json"));
    assert_false(isw_http_content_type_is(ctx, "application/jso"));
    assert_false(isw_http_content_type_is(ctx, "application/json ; charset=utf-8"));
    return ISW_OK;
}

static isw_status knows_no_type(isw_context *ctx)
{
    assert_false(isw_http_content_type_is(ctx, "text/plain"));
    assert_false(isw_http_content_type_is(ctx, ""));
    return ISW_OK;
}

static void a_content_type_is_known_without_its_parameters(void **state)
{
    run r;

    (void)state;
    run_ok(&r, knows_its_type);
    run_fini(&r);
    run_http(&r, knows_no_type, NULL, NULL);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_SUCCESS);
    run_fini(&r);
}

/* -- Replies ----------------------------------------------------------------------------------- */

static isw_status sets_and_adds(isw_context *ctx)
{
    isw_http_add_header(ctx, "Vary", "accept");
    isw_http_add_header(ctx, "X-Last", "1");
    isw_http_add_header(ctx, "vary", "cookie");
    isw_http_reply(ctx, 200, NULL, "x");
    isw_http_add_header(ctx, "Vary", "origin");
    assert_int_equal(isw_http_response(ctx)->headers.count, 4);
    isw_http_set_header(ctx, "VARY", "*");
    isw_http_set_header(ctx, "x-new", "2");
    assert_int_equal(isw_http_response(ctx)->headers.count, 3);
    return ISW_OK;
}

static void set_takes_the_place_of_all_of_a_name_and_add_leaves_them(void **state)
{
    run r;

    (void)state;
    run_ok(&r, sets_and_adds);
    assert_headers(&r, "vary=*;x-last=1;x-new=2;");
    run_fini(&r);
}

static isw_status sets_cookies_by_hand(isw_context *ctx)
{
    isw_http_set_header(ctx, "Set-Cookie", "a=1");
    isw_http_set_header(ctx, "set-cookie", "b=2");
    return isw_http_reply(ctx, 200, NULL, "x");
}

static void a_cookie_never_takes_the_place_of_another(void **state)
{
    run r;

    (void)state;
    run_ok(&r, sets_cookies_by_hand);
    assert_headers(&r, "set-cookie=a=1;set-cookie=b=2;");
    run_fini(&r);
}

static isw_status removes(isw_context *ctx)
{
    assert_int_equal(isw_http_remove_header(ctx, "x-none"), ISW_OK);
    isw_http_add_header(ctx, "a", "1");
    isw_http_add_header(ctx, "b", "2");
    isw_http_add_header(ctx, "a", "3");
    isw_http_reply(ctx, 200, NULL, "x");
    return isw_http_remove_header(ctx, "A");
}

static void a_header_can_be_taken_back(void **state)
{
    run r;

    (void)state;
    run_ok(&r, removes);
    assert_headers(&r, "b=2;");
    run_fini(&r);
}

static void changes_headers_too_late(isw_context *ctx, void *user)
{
    const isw_cookie cookie = { .name = "a", .value = "1" };
    int *conflicts = user;

    *conflicts += isw_http_set_header(ctx, "a", "1") == ISW_E_CONFLICT;
    *conflicts += isw_http_add_header(ctx, "a", "1") == ISW_E_CONFLICT;
    *conflicts += isw_http_remove_header(ctx, "content-type") == ISW_E_CONFLICT;
    *conflicts += isw_http_set_cookie(ctx, &cookie) == ISW_E_CONFLICT;
    *conflicts += isw_http_redirect(ctx, 303, "/") == ISW_E_CONFLICT;
}

static int conflicts;

static isw_status leaves_something_for_later(isw_context *ctx)
{
    isw_context_after(ctx, changes_headers_too_late, &conflicts);
    return isw_http_reply(ctx, 200, "text/plain", "x");
}

static void no_header_changes_after_the_answer(void **state)
{
    run r;

    (void)state;
    conflicts = 0;
    run_ok(&r, leaves_something_for_later);
    assert_int_equal(conflicts, 5);
    assert_headers(&r, "content-type=text/plain;");
    run_fini(&r);
}

static isw_status names_a_header_badly(isw_context *ctx)
{
    return isw_http_set_header(ctx, "a b", "1");
}

static isw_status breaks_a_line(isw_context *ctx)
{
    return isw_http_add_header(ctx, "x-a", "1\r\nset-cookie: a=b");
}

static isw_status sends_latin_1(isw_context *ctx)
{
    return isw_http_add_header(ctx, "x-a", "J\xfcrgen");
}

static void what_is_wrong_with_a_header_is_said(void **state)
{
    (void)state;
    assert_fails(names_a_header_badly, "\"a b\" is no name of a header; it takes letters, digits "
                                       "and !#$%&'*+-.^_`|~ (RFC 9110, section 5.6.2)");
    assert_fails(breaks_a_line, "the value of the reply header \"x-a\" has a control character, "
                                "0x0d, at byte 1");
    assert_fails(sends_latin_1, "the value of the reply header \"x-a\" is not UTF-8");
}

/* -- JSON and redirects ------------------------------------------------------------------------ */

static isw_value json_value;

static isw_status replies_with_json(isw_context *ctx)
{
    return isw_http_reply_json(ctx, 201, &json_value);
}

static void assert_json(isw_value value, const char *expected)
{
    run r;

    json_value = value;
    run_ok(&r, replies_with_json);
    assert_reply(&r, 201, expected);
    assert_string_equal(reply_header(&r, "content-type"), "application/json");
    run_fini(&r);
}

static void a_value_is_sent_as_json(void **state)
{
    const isw_value items[] = { isw_value_int(-1), isw_value_none(), isw_value_string("\"\n") };
    const isw_named_value members[] = { isw_named("a", isw_value_array(items, 3)),
                                        isw_named("b", isw_value_bool(true)) };

    (void)state;
    assert_json(isw_value_map(members, 2), "{\"a\":[-1,null,\"\\\"\\n\"],\"b\":true}");
    assert_json(isw_value_json("{\"as\": \"it is\"}"), "{\"as\": \"it is\"}");
}

static void a_value_that_json_cannot_say_is_refused(void **state)
{
    (void)state;
    json_value = isw_value_double(HUGE_VAL);
    assert_fails(replies_with_json, "an infinity or NaN cannot be JSON");
}

static int redirect_status;
static const char *redirect_location;

static isw_status redirects(isw_context *ctx)
{
    return isw_http_redirect(ctx, redirect_status, redirect_location);
}

static void a_redirect_has_a_location_and_no_body(void **state)
{
    static const int statuses[] = { 301, 302, 303, 307, 308 };
    static const char *const locations[] = { "/api/next?a=%C3%BC&b=1#top", "../up",
                                             "https://[::1]:80/~a/(b);c=d,e", "?q" };

    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        run r;

        redirect_status = statuses[i];
        redirect_location = locations[i % 4];
        run_ok(&r, redirects);
        assert_reply(&r, redirect_status, "");
        assert_string_equal(reply_header(&r, "location"), redirect_location);
        run_fini(&r);
    }
}

static void assert_redirect_fails(int status, const char *location, const char *message)
{
    redirect_status = status;
    redirect_location = location;
    assert_fails(redirects, message);
}

static void a_location_is_a_uri_and_nothing_else(void **state)
{
    (void)state;
    assert_redirect_fails(200, "/", "200 does not redirect; use 301, 302, 303, 307 or 308");
    assert_redirect_fails(304, "/", "304 does not redirect; use 301, 302, 303, 307 or 308");
    assert_redirect_fails(303, "", "a redirect needs a location");
    assert_redirect_fails(303, "/a b", "the location of a redirect is no URI: 0x20 at byte 2; "
                                       "percent-encode it (RFC 3986, section 2.1)");
    assert_redirect_fails(303, "/\r\nx: y", "the location of a redirect is no URI: 0x0d at byte 1; "
                                            "percent-encode it (RFC 3986, section 2.1)");
    assert_redirect_fails(303, "\\\\evil", "the location of a redirect is no URI: 0x5c at byte 0; "
                                           "percent-encode it (RFC 3986, section 2.1)");
    assert_redirect_fails(303, "/100%", "the location of a redirect is no URI: 0x25 at byte 4; "
                                        "percent-encode it (RFC 3986, section 2.1)");
    assert_redirect_fails(303, "/%2x", "the location of a redirect is no URI: 0x25 at byte 1; "
                                       "percent-encode it (RFC 3986, section 2.1)");
    assert_redirect_fails(303, "/\xc3\xbc", "the location of a redirect is no URI: 0xc3 at byte 1; "
                                            "percent-encode it (RFC 3986, section 2.1)");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_value_of_a_name_is_given_in_order),
    cmocka_unit_test(a_content_type_is_known_without_its_parameters),
    cmocka_unit_test(set_takes_the_place_of_all_of_a_name_and_add_leaves_them),
    cmocka_unit_test(a_cookie_never_takes_the_place_of_another),
    cmocka_unit_test(a_header_can_be_taken_back),
    cmocka_unit_test(no_header_changes_after_the_answer),
    cmocka_unit_test(what_is_wrong_with_a_header_is_said),
    cmocka_unit_test(a_value_is_sent_as_json),
    cmocka_unit_test(a_value_that_json_cannot_say_is_refused),
    cmocka_unit_test(a_redirect_has_a_location_and_no_body),
    cmocka_unit_test(a_location_is_a_uri_and_nothing_else),
};

ISW_TEST_MAIN(tests)
