/* SPDX-License-Identifier: Apache-2.0 */
/* What a host tells of the connection that a request came by. */
#include "support/app_test.h"

static void print(isw_context *ctx, isw_str text)
{
    isw_log(ctx, ISW_LOG_INFO, "%.*s", (int)text.size, text.data);
}

static isw_status tell(isw_context *ctx)
{
    const isw_client_certificate *certificate = isw_http_client_certificate(ctx);

    if (certificate) {
        print(ctx, certificate->subject);
        print(ctx, certificate->issuer);
        print(ctx, certificate->sha256);
        isw_log(ctx, ISW_LOG_INFO, "%lld, %zu names", (long long)certificate->expires_s,
                certificate->name_count);
    }
    for (size_t i = 0; certificate && i < certificate->name_count; i++)
        print(ctx, certificate->names[i]);
    return isw_http_reply(ctx, 200, NULL, "%s, %s", isw_http_scheme(ctx),
                          certificate ? "known" : "nobody");
}

static const isw_function functions[] = {
    { .name = "tell", .trigger = ISW_HTTP("GET", NULL), .handler = tell },
    { 0 },
};

static const isw_app app = { .functions = functions };
static isw_test *test;

static int set_up(void **state)
{
    (void)state;
    test = app_test(&app, "{}");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    isw_test_destroy(test);
    return 0;
}

static void assert_told(const char *expected)
{
    assert_string_equal(isw_test_http(test, "GET", "tell")->body, expected);
}

static void a_request_of_which_nothing_is_told_is_plain_and_nobodys(void **state)
{
    (void)state;
    assert_told("http, nobody");
}

static void headers_tell_nothing_of_a_connection(void **state)
{
    (void)state;
    isw_test_header(test, "scheme", "https");
    isw_test_header(test, "client_certificate", "CN=Ada");
    isw_test_header(test, "x-client-certificate", "CN=Ada");
    assert_told("http, nobody");
}

static void the_scheme_is_one_of_two(void **state)
{
    const isw_value secure = isw_value_string("https");
    const isw_value plain = isw_value_string("http");
    const isw_value other = isw_value_string("ftp");

    (void)state;
    isw_test_trigger_metadata(test, "scheme", &secure);
    assert_told("https, nobody");
    isw_test_trigger_metadata(test, "scheme", &plain);
    assert_told("http, nobody");
    isw_test_trigger_metadata(test, "scheme", &other);
    assert_told("http, nobody");
}

static void a_certificate_is_read_whole(void **state)
{
    static const char *const lines[] = { "CN=Ada,O=Example", "CN=ca", "abcd", "1700000000, 2 names",
                                         "DNS:a.example", "URI:spiffe://a/b" };
    const isw_value names[] = { isw_value_string("DNS:a.example"), isw_value_int(1),
                                isw_value_string("URI:spiffe://a/b") };
    const isw_named_value members[] = {
        isw_named("subject", isw_value_string("CN=Ada,O=Example")),
        isw_named("issuer", isw_value_string("CN=ca")),
        isw_named("names", isw_value_array(names, 3)),
        isw_named("sha256", isw_value_string("abcd")),
        isw_named("expires", isw_value_int(1700000000)),
        isw_named("later", isw_value_string("passed over")),
    };
    const isw_value certificate = isw_value_map(members, 6);
    const isw_test_result *result;

    (void)state;
    isw_test_trigger_metadata(test, "client_certificate", &certificate);
    result = isw_test_http(test, "GET", "tell");
    assert_string_equal(result->body, "http, known");
    assert_int_equal(result->line_count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(result->lines[i].message, lines[i]);
}

static void what_is_no_certificate_is_none_and_what_lacks_is_empty(void **state)
{
    const isw_named_value members[] = { isw_named("subject", isw_value_int(1)),
                                        isw_named("names", isw_value_string("DNS:a.example")) };
    const isw_value text = isw_value_string("CN=Ada");
    const isw_value odd = isw_value_map(members, 2);
    const isw_test_result *result;

    (void)state;
    isw_test_trigger_metadata(test, "client_certificate", &text);
    assert_told("http, nobody");
    isw_test_trigger_metadata(test, "client_certificate", &odd);
    result = isw_test_http(test, "GET", "tell");
    assert_string_equal(result->body, "http, known");
    assert_string_equal(result->lines[0].message, "");
    assert_string_equal(result->lines[3].message, "0, 0 names");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_request_of_which_nothing_is_told_is_plain_and_nobodys, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(headers_tell_nothing_of_a_connection, set_up, tear_down),
    cmocka_unit_test_setup_teardown(the_scheme_is_one_of_two, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_certificate_is_read_whole, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_no_certificate_is_none_and_what_lacks_is_empty, set_up,
                                    tear_down),
};

ISW_TEST_MAIN(tests)
