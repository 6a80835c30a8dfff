/* SPDX-License-Identifier: Apache-2.0 */
/* Callers that are known by the certificate of their connection. */
#include "support/app_test.h"

#include "../../middleware/auth_grant.h"

#include <stdio.h>

static const char yaml[] =
    "middleware:\n"
    "  - auth:\n"
    "      keys:\n"
    "        - name: ann\n" /* key-of-ann */
    "          hash: sha256:00112233445566778899aabbccddeeff:"
    "bc9f7383b52d9e99dff17485235bca5e86cf42606d4c1ce63a499917c7b11f30\n"
    "      certificates:\n"
    "        - { name: 'CN=orders,O=Example', roles: [buyer], scopes: [read] }\n"
    "        - { name: 'URI:spiffe://example/jobs/*', functions: [\"pl*\"] }\n"
    "        - { name: 'DNS:admin.example', level: admin }\n";

static isw_status tell(isw_context *ctx)
{
    const isw_principal *who = isw_context_principal(ctx);

    return isw_http_reply(ctx, 200, NULL, "%.*s|%.*s|%.*s|%zu|%zu", (int)who->scheme.size,
                          who->scheme.data, (int)who->subject.size, who->subject.data,
                          (int)who->issuer.size, who->issuer.data, who->role_count,
                          who->scope_count);
}

static const isw_property for_admins[] = { { "auth_level", "admin" }, { NULL, NULL } };
static const isw_property for_buyers[] = { { "roles", "buyer" },
                                           { "scopes", "read" },
                                           { NULL, NULL } };
static const isw_function functions[] = {
    { .name = "plain", .trigger = ISW_HTTP("GET", NULL), .handler = tell },
    { .name = "boss", .trigger = ISW_HTTP("GET", NULL), .handler = tell, .metadata = for_admins },
    { .name = "buy", .trigger = ISW_HTTP("GET", NULL), .handler = tell, .metadata = for_buyers },
    { 0 },
};

static const isw_middleware *const known[] = { &isw_middleware_auth, NULL };
static const isw_app app = { .functions = functions, .middleware = known };
static isw_test *test;

static int set_up(void **state)
{
    (void)state;
    test = app_test(&app, yaml);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    isw_test_destroy(test);
    return 0;
}

/* One call by a client of such a certificate; its answer, or why not. */
static void assert_call(const char *function, const char *subject, const char *name, int status,
                        const char *expected)
{
    const isw_value names[] = { isw_value_string("DNS:other.example"), isw_value_string(name) };
    const isw_named_value members[] = { isw_named("subject", isw_value_string(subject)),
                                        isw_named("issuer", isw_value_string("CN=ca")),
                                        isw_named("names", isw_value_array(names, 2)) };
    const isw_value certificate = isw_value_map(members, 3);
    const isw_test_result *result;
    const char *told;

    isw_test_trigger_metadata(test, "client_certificate", &certificate);
    result = isw_test_http(test, "GET", function);
    told = result->failure ? result->failure->message : result->body;
    if (result->http_status != status || !strstr(told, expected))
        fail_msg("%s, %s: %d %s", subject, name, result->http_status, told);
}

static void a_certificate_is_known_by_its_subject_or_a_name(void **state)
{
    (void)state;
    assert_call("plain", "CN=orders,O=Example", "DNS:a", 200,
                "certificate|CN=orders,O=Example|CN=ca|1|1");
    assert_call("plain", "CN=x", "URI:spiffe://example/jobs/7", 200, "certificate|CN=x|CN=ca|0|0");
    assert_call("plain", "", "URI:spiffe://example/jobs/7", 200,
                "certificate|DNS:other.example|CN=ca|0|0");
    assert_call("plain", "CN=orders", "DNS:a", 403, "the certificate has none of the names");
    assert_call("plain", "CN=orders,O=Example,C=DE", "DNS:a", 403, "none of the names");
    assert_call("plain", "CN=x", "URI:spiffe://other/jobs/7", 403, "none of the names");
    assert_call("plain", "CN=x", "dns:admin.example", 403, "none of the names");
    assert_call("plain", "URI:spiffe://example/jobs/*", "DNS:a", 403, "none of the names");
}

static void it_opens_what_its_entry_says(void **state)
{
    (void)state;
    assert_call("buy", "CN=orders,O=Example", "DNS:a", 200, "certificate");
    assert_call("boss", "CN=orders,O=Example", "DNS:a", 403, "no admin");
    assert_call("boss", "CN=x", "DNS:admin.example", 200, "certificate|CN=x|CN=ca|0|0");
    assert_call("buy", "CN=x", "DNS:admin.example", 403, "none of the roles");
    assert_call("buy", "CN=x", "URI:spiffe://example/jobs/7", 403, "is for other functions");
}

static void without_one_a_caller_is_nobody(void **state)
{
    const isw_test_result *result = isw_test_http(test, "GET", "plain");

    (void)state;
    assert_int_equal(result->http_status, 401);
    assert_string_equal(result->failure->message, "auth: no credentials");
}

static void a_key_that_is_shown_counts_before_the_certificate(void **state)
{
    (void)state;
    isw_test_header(test, "x-functions-key", "key-of-ann");
    assert_call("plain", "CN=orders,O=Example", "DNS:a", 200, "key|ann||0|0");
    isw_test_header(test, "x-functions-key", "wrong");
    assert_call("plain", "CN=orders,O=Example", "DNS:a", 401, "the key is not one of ours");
}

static void a_pattern_matches_the_whole_text(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {
        { "", "", true },         { "", "a", false },       { "a", "", false },
        { "*", "", true },        { "*", "abc", true },     { "a*c", "abbc", true },
        { "a*c", "abcb", false }, { "a?c", "abc", true },   { "a?c", "ac", false },
        { "*b*", "abc", true },   { "**a", "ba", true },    { "a*b*c", "aXbYbZc", true },
        { "abc", "ab", false },   { "ab", "abc", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (auth_pattern_matches(rows[i].pattern, isw_str_of(rows[i].text)) != rows[i].matches)
            fail_msg("\"%s\" and \"%s\"", rows[i].pattern, rows[i].text);
    /* A view is not read past its end, and NUL is a byte like others. */
    assert_true(auth_pattern_matches("ab", (isw_str){ "abc", 2 }));
    assert_false(auth_pattern_matches("ab", (isw_str){ "ab\0c", 4 }));
    assert_true(auth_pattern_matches("ab*", (isw_str){ "ab\0c", 4 }));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_certificate_is_known_by_its_subject_or_a_name, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(it_opens_what_its_entry_says, set_up, tear_down),
    cmocka_unit_test_setup_teardown(without_one_a_caller_is_nobody, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_key_that_is_shown_counts_before_the_certificate, set_up,
                                    tear_down),
    cmocka_unit_test(a_pattern_matches_the_whole_text),
};

ISW_TEST_MAIN(tests)
