/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as a secret, wherever it stands. */
#include "support/main.h"

#include "host/debug/redact.h"
#include "value/typed.h"

static const char *const own_names[] = { "IBAN*" };
static const isw_option_strings own_patterns = { (const char **)own_names, 1 };
static const iswi_secrets own = { &own_patterns, NULL };
static const iswi_secrets none;

static void names_tell_secrets(void **state)
{
    static const char *const secrets[] = {
        "Authorization", "proxy-authorization", "Cookie", "set-cookie", "x-functions-key", "code",
        "KEY", "access_token", "client_secret", "newPassword", "api-key", "sessionid", "IBAN_from",
    };
    static const char *const others[] = { "keyboard", "encode", "accept", "id", "signed", "barcode",
                                          "" };

    (void)state;
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        assert_true(iswi_is_secret(isw_str_of(secrets[i]), &own));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(iswi_is_secret(isw_str_of(others[i]), &own));
    assert_false(iswi_is_secret(isw_str_of("iban"), &none));
}

static void assert_redacted(const char *type, const char *body, const char *expected)
{
    const isw_pair headers[] = { { isw_str_of("content-type"), isw_str_of(type) } };
    const isw_http http = { .headers = { headers, 1 }, .body = { body, strlen(body) } };
    isw_value value = { .type = ISW_VALUE_HTTP, .as.http = &http };
    isw_value out;
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    assert_int_equal(iswi_redact(&arena, &value, &own, &out), ISW_OK);
    assert_int_equal(out.as.http->body.size, strlen(expected));
    assert_memory_equal(out.as.http->body.data, expected, strlen(expected));
    iswi_arena_fini(&arena);
}

static void bodies_are_read_by_their_type(void **state)
{
    (void)state;
    assert_redacted("application/json", "{\"a\":1, \"password\":\"p\"}",
                    "{\"a\":1,\"password\":\"[redacted]\"}");
    assert_redacted("application/problem+json; charset=utf-8",
                    "[{\"b\":{\"token\":{\"x\":[1,2]}}},{\"key\":7}]",
                    "[{\"b\":{\"token\":\"[redacted]\"}},{\"key\":\"[redacted]\"}]");
    assert_redacted("application/json", "{\"a\": 1 }", "{\"a\": 1 }"); /* as it was */
    assert_redacted("application/x-www-form-urlencoded", "a=1&code=2&p%61ssword=3&code&x=",
                    "a=1&code=%5Bredacted%5D&p%61ssword=%5Bredacted%5D&code&x=");
    assert_redacted("application/x-www-form-urlencoded", "key=&key=1&",
                    "key=%5Bredacted%5D&key=%5Bredacted%5D&");
    assert_redacted("text/plain", "a=2&password=1", "a=2&password=%5Bredacted%5D");
    assert_redacted("text/plain", "the password=1", "the password=1"); /* no form */
    assert_redacted("text/plain", " {\"pin\":1}", "{\"pin\":\"[redacted]\"}");
}

static void headers_parameters_and_the_url_are_too(void **state)
{
    const isw_pair headers[] = { { isw_str_of("authorization"), isw_str_of("Bearer hush") },
                                 { isw_str_of("accept"), isw_str_of("*/*") },
                                 { isw_str_of("baggage"), isw_str_of("a=1, code=hush,b=2") },
                                 { isw_str_of("tracestate"), isw_str_of("a=1,token=hush") },
                                 { isw_str_of("referer"), isw_str_of("http://a/b?code=hush") } };
    const isw_pair query[] = { { isw_str_of("code"), isw_str_of("hush") } };
    const isw_pair params[] = { { isw_str_of("token"), isw_str_of("hush") } };
    const isw_http http = { .url = isw_str_of("/a?x=1&code=hush"), .headers = { headers, 5 },
                            .query = { query, 1 }, .params = { params, 1 } };
    isw_value value = { .type = ISW_VALUE_HTTP, .as.http = &http };
    isw_error error = { 0 };
    isw_value plain, typed;
    iswi_arena arena;
    isw_str json;

    (void)state;
    iswi_arena_init(&arena, 1024);
    assert_int_equal(iswi_redact(&arena, &value, &none, &plain), ISW_OK);
    assert_int_equal(iswi_typed_encode(&arena, &plain, &typed), ISW_OK);
    assert_int_equal(iswi_json_write(&arena, &typed, &json, &error), ISW_OK);
    assert_null(memmem(json.data, json.size, "hush", 4));
    assert_non_null(memmem(json.data, json.size, "/a?x=1&code=%5Bredacted%5D", 26));
    assert_non_null(memmem(json.data, json.size, "[\"accept\",\"*/*\"]", 16));
    assert_non_null(memmem(json.data, json.size, "a=1, code=%5Bredacted%5D,b=2", 28));
    assert_string_equal(headers[0].value.data, "Bearer hush"); /* a copy was changed */
    iswi_arena_fini(&arena);
}

static void a_url_is_searched_as_a_whole(void **state)
{
    static const struct {
        const char *name, *value, *expected;
    } rows[] = {
        { "location", "/a#access_token=k&b=1", "/a#access_token=%5Bredacted%5D&b=1" },
        { "referer", "http://u:k@x/p?a=1", "http://%5Bredacted%5D@x/p?a=1" },
        { "x-from", "a://u:p@k@x b//k@y", "a://%5Bredacted%5D@x b//%5Bredacted%5D@y" },
        { "referer", "http://x/p@k", "http://x/p@k" },
        { "referer", "/?a=1;pin=k;c", "/?a=1;pin=%5Bredacted%5D" },
        { "referer", "/?+pin=k&b", "/?+pin=%5Bredacted%5D&b" },
        { "referer", "/?%20p%69n+=k", "/?%20p%69n+=%5Bredacted%5D" },
        { "referer", "/?a=1#b?pin=k", "/?a=1#b?pin=%5Bredacted%5D" },
        { "baggage", "a=1;pin=k,b=2", "a=1;pin=%5Bredacted%5D,b=2" },
        { "x-auth", "k", "[redacted]" },
        { "X-Auth-Key", "k", "[redacted]" },
    };
    isw_value out;
    iswi_arena arena;

    (void)state;
    iswi_arena_init(&arena, 1024);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const isw_pair header = { isw_str_of(rows[i].name), isw_str_of(rows[i].value) };
        const isw_http http = { .url = isw_str_of("/"), .headers = { &header, 1 } };
        isw_value value = { .type = ISW_VALUE_HTTP, .as.http = &http };

        assert_int_equal(iswi_redact(&arena, &value, &none, &out), ISW_OK);
        if (!isw_str_equal(out.as.http->headers.items[0].value, isw_str_of(rows[i].expected)))
            fail_msg("row %zu: %.*s", i, (int)out.as.http->headers.items[0].value.size,
                     out.as.http->headers.items[0].value.data);
    }
    iswi_arena_fini(&arena);
}

static void what_a_function_tells_of_is_a_secret(void **state)
{
    const isw_pair told[] = { { isw_str_of("header"), isw_str_of("X-Shop") },
                              { isw_str_of("query"), isw_str_of("k") } };
    const isw_pairs all = { told, 2 };
    const iswi_secrets secrets = { NULL, &all };

    (void)state;
    assert_true(iswi_is_secret(isw_str_of("x-shop"), &secrets));
    assert_false(iswi_is_secret(isw_str_of("x-shops"), &secrets));
    assert_true(iswi_is_secret(isw_str_of("K"), &secrets));
    assert_false(iswi_is_secret(isw_str_of(""), &secrets));
}

#define PART(name, content) \
    "--b-7\r\nContent-Disposition: form-data; name=" name "\r\n\r\n" content "\r\n"

static void the_parts_of_a_form_are_read(void **state)
{
    static const char type[] = "multipart/form-data; boundary=\"b-7\"";

    (void)state;
    assert_redacted(type, PART("\"user\"", "ada") PART("\"password\"; filename=\"a\"", "hush\r\n")
                          PART("pin", "7") "--b-7--\r\n",
                    PART("\"user\"", "ada") PART("\"password\"; filename=\"a\"", "[redacted]")
                    PART("pin", "[redacted]") "--b-7--\r\n");
    assert_redacted(type, "--b-7\r\nname=\"password\"", "--b-7\r\nname=\"password\"");
    assert_redacted("multipart/form-data", PART("pin", "7"), PART("pin", "7"));
    assert_redacted(type, "", "");
}

static void a_body_that_is_encoded_cannot_be_searched(void **state)
{
    isw_pair headers[] = { { isw_str_of("content-type"), isw_str_of("application/json") },
                           { isw_str_of("content-encoding"), isw_str_of("gzip") } };
    const isw_http http = { .headers = { headers, 2 } };
    iswi_arena arena;

    (void)state;
    iswi_arena_init(&arena, 1024);
    assert_true(iswi_is_sealed(&arena, &http));
    headers[1].value = isw_str_of("identity");
    assert_false(iswi_is_sealed(&arena, &http));
    headers[1].value = isw_str_of("gzip");
    headers[0].value = isw_str_of("image/png");
    assert_false(iswi_is_sealed(&arena, &http));
    iswi_arena_fini(&arena);
}

static void what_may_be_json_and_cannot_be_read_is_sealed(void **state)
{
    static const struct {
        const char *type, *body;
        bool sealed;
    } rows[] = {
        { "application/json", "{\"password\":\"k\",\"password\":\"k\"}", true },
        { "application/json", "{\"n\":1e999,\"password\":\"k\"}", true },
        { "application/json", "{\"n\":\"\\ud800\",\"password\":\"k\"}", true },
        { "application/json", "{\"password\":\"k\",}", true },
        { "Application/Problem+JSON", "{\"mycred\":\"k\"", true },
        { "application/x-ndjson", "{\"pin\":1}\n{\"pin\":2}\n", true },
        { "text/plain", "\n[{\"pin\":1}", true },
        { "", "{'pin': 1}", true },
        { "application/xml", "<password>k</password>", true },
        { "", "<?xml version='1.0'?><pin>1</pin>", true },
        { "application/json", "", false },
        { "application/json", "{\"pin\":1}", false },
        { "text/plain", "words {", false },
    };
    iswi_arena arena;

    (void)state;
    iswi_arena_init(&arena, 1024);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const isw_pair type = { isw_str_of("content-type"), isw_str_of(rows[i].type) };
        const isw_http http = { .headers = { &type, *rows[i].type != 0 },
                                .body = { rows[i].body, strlen(rows[i].body) } };

        if (iswi_is_sealed(&arena, &http) != rows[i].sealed)
            fail_msg("row %zu: %s", i, rows[i].body);
    }
    iswi_arena_fini(&arena);
}

static void values_within_each_other_are_too(void **state)
{
    const isw_named_value inner[] = { isw_named("pin", isw_value_int(7)),
                                      isw_named("n", isw_value_int(8)) };
    const isw_value list[] = { isw_value_map(inner, 2), isw_value_json("{\"secret\":1}"),
                               isw_value_string(" {\"secret\":1}"),
                               isw_value_json("{\"pin\":1") };
    isw_value value = isw_value_array(list, 4);
    iswi_arena arena;
    isw_value out;

    (void)state;
    iswi_arena_init(&arena, 1024);
    assert_int_equal(iswi_redact(&arena, &value, &none, &out), ISW_OK);
    assert_int_equal(out.as.array.items[0].as.map.items[0].value.type, ISW_VALUE_STRING);
    assert_int_equal(out.as.array.items[0].as.map.items[1].value.as.integer, 8);
    assert_memory_equal(out.as.array.items[1].as.string.data, "{\"secret\":\"[redacted]\"}", 23);
    assert_memory_equal(out.as.array.items[2].as.string.data, "{\"secret\":\"[redacted]\"}", 23);
    assert_memory_equal(out.as.array.items[3].as.string.data, "\"[redacted]\"", 12);
    iswi_arena_fini(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(names_tell_secrets),
    cmocka_unit_test(bodies_are_read_by_their_type),
    cmocka_unit_test(headers_parameters_and_the_url_are_too),
    cmocka_unit_test(a_url_is_searched_as_a_whole),
    cmocka_unit_test(what_a_function_tells_of_is_a_secret),
    cmocka_unit_test(the_parts_of_a_form_are_read),
    cmocka_unit_test(a_body_that_is_encoded_cannot_be_searched),
    cmocka_unit_test(what_may_be_json_and_cannot_be_read_is_sealed),
    cmocka_unit_test(values_within_each_other_are_too),
};

ISW_TEST_MAIN(tests)
