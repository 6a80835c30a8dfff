/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies both ways, to the byte. */
#include "worker/support.h"

#include <string.h>

/* -- From the client --------------------------------------------------------------------------- */

static const char *wanted;
static char found[256];

static isw_status finds_a_cookie(isw_context *ctx)
{
    const char *value = isw_http_cookie(ctx, wanted);

    strcpy(found, value ? value : "(none)");
    return ISW_OK;
}

static const char *cookie_of(const char *first, const char *second, const char *name)
{
    const isw_pair headers[] = { { { "cookie", 6 }, isw_str_of(first) },
                                 { { "cookie", 6 }, isw_str_of(second) } };
    const isw_http request = { .method = { "GET", 3 }, .headers = { headers, second ? 2 : 1 } };
    run r;

    wanted = name;
    run_http(&r, finds_a_cookie, NULL, &request);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_SUCCESS);
    run_fini(&r);
    return found;
}

static void a_cookie_is_found_by_its_exact_name(void **state)
{
    (void)state;
    assert_string_equal(cookie_of("a=1; ab=2; A=3", NULL, "ab"), "2");
    assert_string_equal(cookie_of("a=1; ab=2; A=3", NULL, "A"), "3");
    assert_string_equal(cookie_of("a=1; ab=2; A=3", NULL, "b"), "(none)");
    assert_string_equal(cookie_of("a=1; ab=2; A=3", NULL, ""), "(none)");
}

static void the_first_of_a_name_counts_in_all_headers(void **state)
{
    (void)state;
    assert_string_equal(cookie_of("a=long path; a=short", NULL, "a"), "long path");
    assert_string_equal(cookie_of("a=1", "b=2; a=3", "b"), "2");
    assert_string_equal(cookie_of("a=1", "b=2; a=3", "a"), "1");
}

static void a_value_may_hold_what_the_grammar_forbids(void **state)
{
    (void)state;
    assert_string_equal(cookie_of("a=b=c==; d=1", NULL, "a"), "b=c==");
    assert_string_equal(cookie_of("a={\"x\",1}", NULL, "a"), "{\"x\",1}");
    assert_string_equal(cookie_of("a=J\xc3\xbcrgen", NULL, "a"), "J\xc3\xbcrgen");
}

static void space_and_quotes_around_are_dropped(void **state)
{
    (void)state;
    assert_string_equal(cookie_of(" \ta =\t 1 ;b=2", NULL, "a"), "1");
    assert_string_equal(cookie_of("a=\"q\"; b=\"; c=\"\"", NULL, "a"), "q");
    assert_string_equal(cookie_of("a=\"q\"; b=\"; c=\"\"", NULL, "b"), "\"");
    assert_string_equal(cookie_of("a=\"q\"; b=\"; c=\"\"", NULL, "c"), "");
}

static void parts_that_are_no_cookie_are_passed_over(void **state)
{
    (void)state;
    assert_string_equal(cookie_of(";; ;a; =x; b=2;", NULL, "b"), "2");
    assert_string_equal(cookie_of("a; b=2", NULL, "a"), "(none)");
    assert_string_equal(cookie_of("", NULL, "a"), "(none)");
    assert_string_equal(cookie_of("=", NULL, "a"), "(none)");
}

/* -- To the client ----------------------------------------------------------------------------- */

static const isw_cookie *cookies;
static size_t cookie_count;

static isw_status sets_cookies(isw_context *ctx)
{
    for (size_t i = 0; i < cookie_count; i++)
        if (isw_http_set_cookie(ctx, &cookies[i]) != ISW_OK)
            return ISW_E_INVALID;
    return isw_http_reply(ctx, 204, NULL, "%s", "");
}

static void assert_set(isw_cookie cookie, const char *expected)
{
    run r;

    cookies = &cookie;
    cookie_count = 1;
    run_http(&r, sets_cookies, NULL, NULL);
    assert_reply(&r, 204, "");
    assert_string_equal(reply_header(&r, "set-cookie"), expected);
    run_fini(&r);
}

static void assert_refused(isw_cookie cookie, const char *fault)
{
    run r;

    cookies = &cookie;
    cookie_count = 1;
    run_http(&r, sets_cookies, NULL, NULL);
    assert_int_equal(r.result.failure.status, ISW_E_FAILED);
    if (!strstr(r.result.failure.message, fault))
        fail_msg("\"%s\" does not say \"%s\"", r.result.failure.message, fault);
    run_fini(&r);
}

static void a_cookie_is_written_with_all_that_it_says(void **state)
{
    (void)state;
    assert_set((isw_cookie){ .name = "a", .value = "" }, "a=");
    assert_set((isw_cookie){ .name = "id", .value = "x1", .path = "/api", .domain = "a-b.example",
                             .max_age_s = 3600, .expires_s = 784111777, .secure = true,
                             .http_only = true, .same_site = ISW_SAME_SITE_NONE },
               "id=x1; Path=/api; Domain=a-b.example; Max-Age=3600; "
               "Expires=Sun, 06 Nov 1994 08:49:37 GMT; Secure; HttpOnly; SameSite=None");
    assert_set((isw_cookie){ .name = "a", .value = "1", .same_site = ISW_SAME_SITE_LAX },
               "a=1; SameSite=Lax");
    assert_set((isw_cookie){ .name = "a", .value = "1", .same_site = ISW_SAME_SITE_STRICT },
               "a=1; SameSite=Strict");
}

static void a_negative_age_has_the_client_forget_it(void **state)
{
    (void)state;
    assert_set((isw_cookie){ .name = "a", .value = "", .max_age_s = -1 }, "a=; Max-Age=0");
}

static void several_cookies_are_headers_of_their_own(void **state)
{
    static const isw_cookie two[] = { { .name = "a", .value = "1" },
                                      { .name = "a", .value = "2" } };
    run r;

    (void)state;
    cookies = two;
    cookie_count = 2;
    run_http(&r, sets_cookies, NULL, NULL);
    assert_int_equal(r.result.result.as.http->headers.count, 2);
    assert_string_equal(r.result.result.as.http->headers.items[1].value.data, "a=2");
    run_fini(&r);
}

static void a_name_is_a_token(void **state)
{
    static const char *const bad[] = { "", "a=b", "a b", "a;b", "a\r\nb", "\xc3\xbc", "\"a\"" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused((isw_cookie){ .name = bad[i], .value = "1" }, "is no name of a cookie");
}

static void a_value_cannot_bring_attributes_or_headers(void **state)
{
    static const char *const bad[] = { "a; Domain=evil", "a b", "a\r\nx: y", "a\"b", "a,b",
                                       "a\\b",           "\t",  "\x7f",      "\xc3\xbc" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused((isw_cookie){ .name = "a", .value = bad[i] }, "its value takes");
}

static void a_path_and_a_domain_are_what_they_say(void **state)
{
    static const char *const bad_paths[] = { "", "api", "/a;b", "/a\r\nb", "/\xc3\xbc" };
    static const char *const bad_domains[] = { "", ".", ".a", "a.", "a..b", "-a", "a-.b",
                                               "a b", "a;b", "a:80" };

    (void)state;
    for (size_t i = 0; i < sizeof bad_paths / sizeof bad_paths[0]; i++)
        assert_refused((isw_cookie){ .name = "a", .value = "1", .path = bad_paths[i] },
                       "its path begins with /");
    for (size_t i = 0; i < sizeof bad_domains / sizeof bad_domains[0]; i++)
        assert_refused((isw_cookie){ .name = "a", .value = "1", .domain = bad_domains[i] },
                       "its domain is no name");
}

static void what_clients_would_drop_is_refused(void **state)
{
    static char big[4097];

    (void)state;
    memset(big, 'x', 4096);
    assert_refused((isw_cookie){ .name = "a", .value = big }, "more than 4096 bytes");
    assert_refused((isw_cookie){ .name = "a", .value = "1", .same_site = ISW_SAME_SITE_NONE },
                   "same_site none needs secure");
    assert_refused((isw_cookie){ .name = "a", .value = "1", .same_site = (isw_same_site)4 },
                   "its same_site");
    assert_refused((isw_cookie){ .name = "a", .value = "1", .expires_s = INT64_MAX },
                   "its expires_s");
    big[1024] = '\0';
    big[0] = '/';
    assert_refused((isw_cookie){ .name = "a", .value = "1", .path = strcat(big, "x") },
                   "its path begins with /");
}

static void a_prefix_is_kept_to_its_promise(void **state)
{
    (void)state;
    assert_refused((isw_cookie){ .name = "__Secure-a", .value = "1" }, "needs secure");
    assert_refused((isw_cookie){ .name = "__host-a", .value = "1", .path = "/" }, "needs secure");
    assert_refused((isw_cookie){ .name = "__Host-a", .value = "1", .secure = true },
                   "needs the path / and no domain");
    assert_refused((isw_cookie){ .name = "__Host-a", .value = "1", .secure = true, .path = "/",
                                 .domain = "a.example" },
                   "needs the path / and no domain");
    assert_set((isw_cookie){ .name = "__Host-a", .value = "1", .secure = true, .path = "/" },
               "__Host-a=1; Path=/; Secure");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_cookie_is_found_by_its_exact_name),
    cmocka_unit_test(the_first_of_a_name_counts_in_all_headers),
    cmocka_unit_test(a_value_may_hold_what_the_grammar_forbids),
    cmocka_unit_test(space_and_quotes_around_are_dropped),
    cmocka_unit_test(parts_that_are_no_cookie_are_passed_over),
    cmocka_unit_test(a_cookie_is_written_with_all_that_it_says),
    cmocka_unit_test(a_negative_age_has_the_client_forget_it),
    cmocka_unit_test(several_cookies_are_headers_of_their_own),
    cmocka_unit_test(a_name_is_a_token),
    cmocka_unit_test(a_value_cannot_bring_attributes_or_headers),
    cmocka_unit_test(a_path_and_a_domain_are_what_they_say),
    cmocka_unit_test(what_clients_would_drop_is_refused),
    cmocka_unit_test(a_prefix_is_kept_to_its_promise),
};

ISW_TEST_MAIN(tests)
