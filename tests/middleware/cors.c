/* SPDX-License-Identifier: Apache-2.0 */
/* What a browser is told, by origin. */
#include "middleware/conformance.h"

#include <string.h>

static int runs;

static isw_status answers(isw_context *ctx)
{
    runs++;
    return isw_http_reply(ctx, 200, "text/plain", "fine");
}

static isw_status varies(isw_context *ctx)
{
    isw_http_set_header(ctx, "vary", "Accept");
    return isw_http_reply(ctx, 200, "text/plain", "fine");
}

static isw_status fails(isw_context *ctx)
{
    return isw_fail(ctx, ISW_E_NOT_FOUND, "none");
}

static const isw_function functions[] = {
    { .name = "a", .trigger = ISW_HTTP("PUT", NULL), .handler = answers },
    { .name = "varies", .trigger = ISW_HTTP("GET", NULL), .handler = varies },
    { .name = "fails", .trigger = ISW_HTTP("GET", NULL), .handler = fails },
    { .name = "plain", .trigger = ISW_HTTP("PUT", NULL), .handler = answers },
    { 0 },
};

#define SITES                                                                      \
    "middleware:\n"                                                                \
    "  - cors:\n"                                                                  \
    "      when: {except: [plain]}\n"                                              \
    "      origins: ['https://a.example', 'https://*.b.example', 'http://localhost:3000']\n" \
    "      methods: [GET, PUT]\n"                                                  \
    "      headers: [content-type, x-key]\n"                                       \
    "      expose_headers: [etag, x-count]\n"                                      \
    "      credentials: true\n"                                                    \
    "      max_age: 1h\n"                                                          \
    "  - error_handling\n"

static const isw_test_result *from(isw_test *test, const char *origin, const char *method,
                                   const char *url)
{
    if (origin)
        isw_test_header(test, "Origin", origin);
    return isw_test_http(test, method, url);
}

static const isw_test_result *preflight(isw_test *test, const char *origin, const char *method,
                                        const char *url)
{
    isw_test_header(test, "Access-Control-Request-Method", method);
    return from(test, origin, "OPTIONS", url);
}

static const char *header(const isw_test_result *result, const char *name)
{
    const char *value = isw_test_reply_header(result, name);

    return value ? value : "-";
}

#define ALLOW "access-control-allow-"

static void a_preflight_is_answered_and_runs_nothing(void **state)
{
    isw_test *test = test_of(functions, SITES);
    const isw_test_result *result = preflight(test, "https://a.example", "PUT", "/a");

    (void)state;
    assert_int_equal(result->http_status, 204);
    assert_string_equal(header(result, ALLOW "origin"), "https://a.example");
    assert_string_equal(header(result, ALLOW "methods"), "GET, PUT");
    assert_string_equal(header(result, ALLOW "headers"), "content-type, x-key");
    assert_string_equal(header(result, ALLOW "credentials"), "true");
    assert_string_equal(header(result, "access-control-max-age"), "3600");
    assert_string_equal(header(result, "vary"), "Origin");
    result = preflight(test, "https://evil.example", "PUT", "/a");
    assert_int_equal(result->http_status, 204);
    assert_string_equal(header(result, ALLOW "origin"), "-");
    assert_string_equal(header(result, ALLOW "methods"), "-");
    assert_string_equal(header(result, "vary"), "Origin");
    assert_int_equal(runs, 0);
    isw_test_destroy(test);
}

static void only_functions_behind_it_answer_preflights(void **state)
{
    isw_test *test = test_of(functions, SITES);

    (void)state;
    assert_int_equal(preflight(test, "https://a.example", "PUT", "/plain")->http_status, 405);
    assert_int_equal(preflight(test, "https://a.example", "DELETE", "/a")->http_status, 405);
    assert_int_equal(from(test, "https://a.example", "OPTIONS", "/a")->http_status, 405);
    isw_test_destroy(test);
}

static void a_request_is_answered_with_what_its_origin_may_see(void **state)
{
    isw_test *test = test_of(functions, SITES);
    const isw_test_result *result = from(test, "https://a.example", "PUT", "/a");

    (void)state;
    assert_string_equal(header(result, ALLOW "origin"), "https://a.example");
    assert_string_equal(header(result, "access-control-expose-headers"), "etag, x-count");
    assert_string_equal(header(result, ALLOW "methods"), "-");
    result = from(test, "https://evil.example", "PUT", "/a");
    assert_int_equal(result->http_status, 200);
    assert_string_equal(header(result, ALLOW "origin"), "-");
    assert_string_equal(header(result, "vary"), "Origin");
    result = from(test, NULL, "PUT", "/a");
    assert_string_equal(header(result, ALLOW "origin"), "-");
    assert_string_equal(header(result, "vary"), "Origin");
    isw_test_destroy(test);
}

static void failures_can_be_read_too(void **state)
{
    isw_test *test = test_of(functions, SITES);
    const isw_test_result *result = from(test, "https://a.example", "GET", "/fails");

    (void)state;
    assert_int_equal(result->http_status, 404);
    assert_string_equal(header(result, ALLOW "origin"), "https://a.example");
    isw_test_destroy(test);
}

static void a_functions_own_vary_does_not_hide_ours(void **state)
{
    isw_test *test = test_of(functions, SITES);
    const isw_test_result *result = from(test, "https://a.example", "GET", "/varies");
    const isw_http *reply = result->result.as.http;
    bool origin = false;

    (void)state;
    assert_string_equal(header(result, "vary"), "Accept");
    for (size_t i = 0; i < reply->headers.count; i++)
        origin = origin || strcmp(reply->headers.items[i].value.data, "Origin") == 0;
    assert_true(origin);
    isw_test_destroy(test);
}

static void origins_are_matched_as_a_whole(void **state)
{
    static const char *const allowed[] = { "https://a.example", "https://x.b.example",
                                           "https://x.y.b.example", "http://localhost:3000" };
    static const char *const others[] = {
        "http://a.example",      "https://a.example:8443",      "https://a.example.evil.example",
        "https://b.example",     "https://.b.example.evil",     "https://evil/x.b.example",
        "https://evil#.b.example", "https://EVIL@x.b.example",  "http://localhost:3001", "null", "",
    };
    isw_test *test = test_of(functions, SITES);

    (void)state;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        assert_string_equal(header(from(test, allowed[i], "PUT", "/a"), ALLOW "origin"),
                            allowed[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_string_equal(header(from(test, others[i], "PUT", "/a"), ALLOW "origin"), "-");
    isw_test_destroy(test);
}

static void any_origin_is_a_star_for_all(void **state)
{
    isw_test *test = test_of(functions, "middleware: [cors: {origins: ['*']}]\n");
    const isw_test_result *result = from(test, "https://c.example", "PUT", "/a");

    (void)state;
    assert_string_equal(header(result, ALLOW "origin"), "*");
    assert_string_equal(header(result, ALLOW "credentials"), "-");
    assert_string_equal(header(result, "vary"), "-");
    isw_test_destroy(test);
}

static void senseless_options_are_refused(void **state)
{
    (void)state;
    assert_string_equal(
        refusal_of_yaml("middleware: [cors: {origins: ['*'], credentials: true}]\n"),
        ":1:14: middleware cors did not start: credentials are for origins that are "
        "named, not for *");
    assert_string_equal(refusal_of_yaml("middleware: [cors: {origins: [a.example]}]\n"),
                        ":1:14: middleware cors did not start: \"a.example\" is no origin: write "
                        "https://host or https://host:port");
    assert_non_null(
        strstr(refusal_of_yaml("middleware: [cors: {origins: ['https://a.example/']}]\n"),
               "is no origin"));
}

const conforming subject = { .name = "cors", .options = "{origins: ['https://a.example']}",
                             .other_options = "{origins: ['*']}" };

static const struct CMUnitTest tests[] = {
    MIDDLEWARE_CONFORMANCE,
    cmocka_unit_test(a_preflight_is_answered_and_runs_nothing),
    cmocka_unit_test(only_functions_behind_it_answer_preflights),
    cmocka_unit_test(a_request_is_answered_with_what_its_origin_may_see),
    cmocka_unit_test(failures_can_be_read_too),
    cmocka_unit_test(a_functions_own_vary_does_not_hide_ours),
    cmocka_unit_test(origins_are_matched_as_a_whole),
    cmocka_unit_test(any_origin_is_a_star_for_all),
    cmocka_unit_test(senseless_options_are_refused),
};

ISW_TEST_MAIN(tests)
