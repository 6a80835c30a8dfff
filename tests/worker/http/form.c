/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of both types as a handler reads them. */
#include "worker/support.h"

#include <stdio.h>
#include <stdlib.h>

#define URLENCODED "application/x-www-form-urlencoded"
#define MULTIPART "multipart/form-data; boundary=b"

static char said[512];

static void run_form(run *r, isw_handler_fn handler, const char *type, const char *text)
{
    const isw_pair headers[] = { { { "content-type", 12 }, isw_str_of(type) } };
    const isw_http request = { .method = { "POST", 4 },
                               .headers = { headers, type ? 1 : 0 },
                               .body = { text, strlen(text) } };

    said[0] = '\0';
    run_http(r, handler, NULL, &request);
}

static void assert_said(isw_handler_fn handler, const char *type, const char *text,
                        const char *expected)
{
    run r;

    run_form(&r, handler, type, text);
    if (r.result.failure.status != ISW_OK)
        fail_msg("%s", r.result.failure.message);
    assert_string_equal(said, expected);
    run_fini(&r);
}

static void assert_failed(isw_handler_fn handler, const char *type, const char *text,
                          isw_status status, const char *message)
{
    run r;

    run_form(&r, handler, type, text);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(r.result.failure.status, status);
    assert_string_equal(r.result.failure.message, message);
    run_fini(&r);
}

/* -- application/x-www-form-urlencoded --------------------------------------------------------- */

static isw_status reads_fields(isw_context *ctx)
{
    const isw_pairs *fields = NULL;
    const isw_pairs *again = NULL;
    isw_status status = isw_form_read(ctx, &fields);

    if (status != ISW_OK) {
        assert_null(fields);
        return status;
    }
    for (size_t i = 0; i < fields->count; i++)
        snprintf(said + strlen(said), sizeof said - strlen(said), "%.*s=%.*s;",
                 (int)fields->items[i].name.size, fields->items[i].name.data,
                 (int)fields->items[i].value.size, fields->items[i].value.data);
    assert_int_equal(isw_form_read(ctx, &again), ISW_OK);
    assert_ptr_equal(again, fields); /* read once */
    return ISW_OK;
}

static void fields_are_decoded_in_order(void **state)
{
    (void)state;
    assert_said(reads_fields, URLENCODED, "a=1&b=J%C3%BCrgen+M%2b&a=2&c&=d&&",
                "a=1;b=J\xc3\xbcrgen M+;a=2;c=;=d;");
    assert_said(reads_fields, URLENCODED "; charset=UTF-8", "", "");
    assert_said(reads_fields, "Application/X-WWW-Form-URLencoded", "a=1", "a=1;");
}

static void a_malformed_form_is_refused_with_its_place(void **state)
{
    static const char escape[] = "the form is malformed at byte %d: %% is not followed by two "
                                 "hexadecimal digits";
    static const struct {
        const char *text;
        int byte;
    } bad[] = { { "%", 0 },
                { "a=%4", 2 },
                { "a=%41%4g", 5 },
                { "a=1&%xx=1", 4 },
                { "a=b&c=%41&%&", 10 } };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char message[128];

        snprintf(message, sizeof message, escape, bad[i].byte);
        assert_failed(reads_fields, URLENCODED, bad[i].text, ISW_E_INVALID, message);
    }
    assert_failed(reads_fields, URLENCODED, "a=1&b=%00", ISW_E_INVALID,
                  "the form's field at byte 4 has a NUL");
    assert_failed(reads_fields, URLENCODED, "a=1&b=%ff", ISW_E_INVALID,
                  "the form's field at byte 4 is not UTF-8");
    assert_failed(reads_fields, URLENCODED, "%c3=%bc", ISW_E_INVALID,
                  "the form's field at byte 0 is not UTF-8");
}

static void another_type_is_no_form(void **state)
{
    (void)state;
    assert_failed(reads_fields, "text/plain", "a=1", ISW_E_INVALID,
                  "the body is not of type application/x-www-form-urlencoded but text/plain");
    assert_failed(reads_fields, NULL, "a=1", ISW_E_INVALID,
                  "the body is not of type application/x-www-form-urlencoded but of none that is "
                  "said");
}

static void a_form_has_a_limit_of_fields(void **state)
{
    static char text[ISW_FORM_FIELDS_MAX + 1];

    (void)state;
    memset(text, '&', ISW_FORM_FIELDS_MAX);
    assert_failed(reads_fields, URLENCODED, text, ISW_E_TOO_LARGE,
                  "the form has more than 4096 fields");
    text[ISW_FORM_FIELDS_MAX - 1] = '\0';
    assert_said(reads_fields, URLENCODED, text, "");
}

static void another_trigger_has_no_form(void **state)
{
    isw_value input = isw_value_string("a=1");
    run r;

    (void)state;
    run_function(&r, reads_fields, NULL, &input);
    assert_string_equal(r.result.failure.message, "there is no form: the trigger is not HTTP");
    run_fini(&r);
}

/* -- multipart/form-data ----------------------------------------------------------------------- */

#define PART(disposition, data) \
    "--b\r\nContent-Disposition: form-data; " disposition "\r\n\r\n" data "\r\n"

static isw_status reads_parts(isw_context *ctx)
{
    const isw_part *parts = NULL;
    const isw_part *again = NULL;
    size_t count = 7;
    isw_status status = isw_multipart_read(ctx, &parts, &count);

    if (status != ISW_OK) {
        assert_null(parts);
        assert_int_equal(count, 7);
        return status;
    }
    assert_int_equal(isw_multipart_read(ctx, &again, &count), ISW_OK);
    assert_ptr_equal(again, parts); /* read once */
    snprintf(said, sizeof said, "%zu", count);
    assert_null(isw_multipart_find(parts, count, "A"));
    if (count)
        assert_ptr_equal(isw_multipart_find(parts, count, "a"), &parts[0]);
    return ISW_OK;
}

static void parts_are_read_and_found(void **state)
{
    (void)state;
    assert_said(reads_parts, MULTIPART, PART("name=a", "1") PART("name=a", "2") "--b--", "2");
    assert_said(reads_parts, MULTIPART, "--b--", "0");
}

static void a_malformed_multipart_body_is_refused_with_its_place(void **state)
{
    (void)state;
    assert_failed(reads_parts, MULTIPART, PART("name=a", "1"), ISW_E_INVALID,
                  "the multipart body is malformed at byte 50: it ends before the closing "
                  "boundary");
    assert_failed(reads_parts, "multipart/form-data", "--b--", ISW_E_INVALID,
                  "the content type has no boundary");
    assert_failed(reads_parts, "multipart/mixed; boundary=b", "--b--", ISW_E_INVALID,
                  "the body is not of type multipart/form-data but multipart/mixed; boundary=b");
}

static void a_function_that_streams_has_no_form(void **state)
{
    const isw_pair headers[] = { { { "content-type", 12 }, isw_str_of(URLENCODED) } };
    const isw_http request = { .method = { "POST", 4 }, .headers = { headers, 1 } };
    const isw_value input = http_data(&request);
    const isw_function function = { .name = "sample",
                                    .trigger = ISW_HTTP("POST", NULL),
                                    .handler = reads_fields,
                                    .streams = true };
    run r;

    (void)state;
    run_captured(&r, &function, NULL, &input, ISW_LOG_WARNING);
    assert_non_null(strstr(r.log, "the function \"sample\" streams, so that its body cannot be "
                                  "read as a form"));
    run_fini(&r);
}

/* -- Fields by name ---------------------------------------------------------------------------- */

static isw_status finds_fields(isw_context *ctx)
{
    static const char *const names[] = { "a", "A", "none" };

    for (size_t i = 0; i < 3; i++) {
        const char *text = isw_form_field(ctx, names[i]);

        snprintf(said + strlen(said), sizeof said - strlen(said), "%s;", text ? text : "(none)");
    }
    return ISW_OK;
}

static void a_field_is_found_in_a_form_of_either_type(void **state)
{
    (void)state;
    assert_said(finds_fields, URLENCODED, "A=2&a=1&a=3", "1;2;(none);");
    assert_said(finds_fields, MULTIPART,
                PART("name=A", "2") PART("name=a; filename=x", "a file") PART("name=a", "1")
                "--b--",
                "1;2;(none);");
    assert_said(finds_fields, "text/plain", "a=1", "(none);(none);(none);");
    assert_said(finds_fields, NULL, "a=1", "(none);(none);(none);");
}

static void a_field_of_a_malformed_form_fails_the_invocation(void **state)
{
    (void)state;
    assert_failed(finds_fields, URLENCODED, "a=1&b=%00", ISW_E_INVALID,
                  "the form's field at byte 4 has a NUL");
    assert_failed(finds_fields, MULTIPART, PART("name=a", "\xff") "--b--", ISW_E_INVALID,
                  "the form's field \"a\" is no text in UTF-8");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(fields_are_decoded_in_order),
    cmocka_unit_test(a_malformed_form_is_refused_with_its_place),
    cmocka_unit_test(another_type_is_no_form),
    cmocka_unit_test(a_form_has_a_limit_of_fields),
    cmocka_unit_test(another_trigger_has_no_form),
    cmocka_unit_test(parts_are_read_and_found),
    cmocka_unit_test(a_malformed_multipart_body_is_refused_with_its_place),
    cmocka_unit_test(a_function_that_streams_has_no_form),
    cmocka_unit_test(a_field_is_found_in_a_form_of_either_type),
    cmocka_unit_test(a_field_of_a_malformed_form_fails_the_invocation),
};

ISW_TEST_MAIN(tests)
