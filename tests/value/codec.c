/* SPDX-License-Identifier: Apache-2.0 */
/* JSON and MessagePack, there and back, and what is refused. */
#include "support/arena.h"

#include "value/value.h"

#include <math.h>
#include <stdio.h>

/* -- JSON -------------------------------------------------------------------------------------- */

static void assert_json(const char *from, const char *expected)
{
    isw_error error = { ISW_OK, "" };
    isw_value value;
    isw_str text;

    if (iswi_json_parse(&arena, isw_str_of(from), &value, &error) != ISW_OK ||
        iswi_json_write(&arena, &value, &text, &error) != ISW_OK)
        fail_msg("%s: %s", from, error.message);
    assert_int_equal(text.size, strlen(text.data));
    assert_string_equal(text.data, expected);
}

static void json_comes_back_as_it_was(void **state)
{
    (void)state;
    assert_json(" {\"b\": [1, -2.5, true, false, null, \"x\"], \"a\": {}} ",
                "{\"b\":[1,-2.5,true,false,null,\"x\"],\"a\":{}}");
    assert_json("\"J\\u00fcrgen \\\"\\n\"", "\"J\xc3\xbcrgen \\\"\\n\"");
    assert_json("9223372036854775807", "9223372036854775807");
    assert_json("[]", "[]");
}

static void doubles_are_as_short_as_they_can_be(void **state)
{
    (void)state;
    assert_json("[0.1, 1e300, 1.0, 123456789.125, 5e-324]",
                "[0.1,1e+300,1.0,123456789.125,4.94065645841247e-324]");
}

static void assert_no_json(const char *from, const char *part)
{
    isw_error error = { ISW_OK, "" };
    isw_value value;

    assert_int_equal(iswi_json_parse(&arena, isw_str_of(from), &value, &error), ISW_E_INVALID);
    if (!strstr(error.message, part))
        fail_msg("\"%s\" lacks \"%s\"", error.message, part);
}

static void assert_no_json_bytes(const char *from, size_t size, const char *part)
{
    isw_error error = { ISW_OK, "" };
    isw_value value;

    assert_int_equal(iswi_json_parse(&arena, (isw_str){ from, size }, &value, &error),
                     ISW_E_INVALID);
    if (!strstr(error.message, part))
        fail_msg("%s", error.message);
}

#define BYTES(text) text, sizeof text - 1

static void a_raw_nul_is_no_json_anywhere(void **state)
{
    (void)state;
    assert_no_json_bytes(BYTES("123\0"), "line 1, column 4: a NUL");
    assert_no_json_bytes(BYTES("[1\0,\n2]"), "line 1, column 3: a NUL");
    assert_no_json_bytes(BYTES("[1,\n2\0]"), "line 2, column 2: a NUL");
    assert_no_json_bytes(BYTES("{}\0"), "line 1, column 3: a NUL");
    assert_no_json_bytes(BYTES("\"\xc3\xa4\0\""), "line 1, column 3: a NUL");
    assert_no_json_bytes(BYTES("\0"), "line 1, column 1: a NUL");
    assert_no_json("{\"a\\u0000b\": 1}", "NUL byte in object key");
    assert_json("{\"a\": \"a\\u0000b\"}", "{\"a\":\"a\\u0000b\"}");
}

static void a_byte_order_mark_is_passed_over(void **state)
{
    (void)state;
    assert_json("\xef\xbb\xbf{\"a\": 1}", "{\"a\":1}");
    assert_json("\xef\xbb\xbf 7", "7");
    assert_json("\"\xef\xbb\xbf\"", "\"\xef\xbb\xbf\"");
    assert_no_json("\xef\xbb\xbf", "line 1");
    assert_no_json("\xef\xbb\xbf\xef\xbb\xbf{}", "line 1");
    assert_no_json("[\xef\xbb\xbf]", "line 1");
    assert_no_json("\xef\xbb{}", "line 1");
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
    char deep[2 * (ISW_CONVERT_MAX_DEPTH + 1) + 1] = "";

    (void)state;
    assert_no_json("", "line 1");
    assert_no_json("{\"a\": 1,\n \"b\" 2}", "line 2, column 6");
    assert_no_json("{\"a\": 1, \"a\": 2}", "duplicate");
    assert_no_json("[1] x", "end of file expected");
    assert_no_json("92233720368547758080", "too big integer");
    assert_no_json("\"\xff\"", "unable to decode byte 0xff");
    memset(deep, '[', ISW_CONVERT_MAX_DEPTH + 1);
    memset(deep + ISW_CONVERT_MAX_DEPTH + 1, ']', ISW_CONVERT_MAX_DEPTH + 1);
    assert_no_json(deep, "nested deeper than 64 levels");
    deep[2 * ISW_CONVERT_MAX_DEPTH + 1] = '\0';
    assert_json(deep + 1, deep + 1);
}

static void assert_written(isw_value value, const char *expected)
{
    isw_error error = { ISW_OK, "" };
    isw_str text;

    if (iswi_json_write(&arena, &value, &text, &error) != ISW_OK)
        fail_msg("%s", error.message);
    assert_string_equal(text.data, expected);
}

static void assert_unwritable(isw_value value, const char *message)
{
    isw_error error = { ISW_OK, "" };
    isw_str text;

    assert_int_equal(iswi_json_write(&arena, &value, &text, &error), ISW_E_INVALID);
    if (!strstr(error.message, message))
        fail_msg("\"%s\" lacks \"%s\"", error.message, message);
}

static void bytes_become_base64(void **state)
{
    (void)state;
    assert_written(isw_value_bytes("", 0), "\"\"");
    assert_written(isw_value_bytes("f", 1), "\"Zg==\"");
    assert_written(isw_value_bytes("fo", 2), "\"Zm8=\"");
    assert_written(isw_value_bytes("foo", 3), "\"Zm9v\"");
    assert_written(isw_value_bytes("\xff\xfe\xfd\xfc", 4), "\"//79/A==\"");
}

static void json_within_a_value_goes_in_as_it_is(void **state)
{
    const isw_value items[] = { isw_value_json("{\"a\": 1}"), isw_value_string("{\"a\": 1}") };

    (void)state;
    assert_written(isw_value_array(items, 2), "[{\"a\": 1},\"{\\\"a\\\": 1}\"]");
    assert_unwritable(isw_value_json("{\"a\""), "line 1");
    assert_written(isw_value_json("\xef\xbb\xbf{}"), "{}");
}

static void what_json_cannot_hold_is_not_written(void **state)
{
    const isw_http http = { .status = 200 };

    (void)state;
    assert_unwritable(isw_value_double(NAN), "NaN cannot be JSON");
    assert_unwritable(isw_value_double(-INFINITY), "infinity");
    assert_unwritable(isw_value_string("\xff"), "UTF-8");
    assert_unwritable((isw_value){ .type = ISW_VALUE_HTTP, .as.http = &http }, "http");
}

/* -- MessagePack ------------------------------------------------------------------------------- */

static isw_status parse(const char *bytes, size_t size, isw_value *value, isw_error *error)
{
    return iswi_msgpack_parse(&arena, (isw_bytes){ bytes, size }, value, error);
}

static void msgpack_comes_back_as_it_was(void **state)
{
    static const char bytes[] = "\x82\xa1" "a\x96\x01\xff\xc0\xc3\xa2hi\xc4\x01\x00\xa1"
                                "b\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00";
    isw_error error = { ISW_OK, "" };
    isw_value value;
    isw_bytes again;

    (void)state;
    assert_int_equal(parse(bytes, sizeof bytes - 1, &value, &error), ISW_OK);
    assert_int_equal(value.as.map.count, 2);
    assert_true(isw_value_get(&value, "b")->as.real == 1.5);
    assert_int_equal(isw_value_get(&value, "a[5]")->type, ISW_VALUE_BYTES);
    assert_int_equal(iswi_msgpack_write(&arena, &value, &again, &error), ISW_OK);
    assert_int_equal(again.size, sizeof bytes - 1);
    assert_memory_equal(again.data, bytes, again.size);
}

static void assert_bad(const char *bytes, size_t size, const char *part)
{
    isw_error error = { ISW_OK, "" };
    isw_value value;

    assert_int_equal(parse(bytes, size, &value, &error), ISW_E_INVALID);
    if (!strstr(error.message, part))
        fail_msg("\"%s\" lacks \"%s\"", error.message, part);
}

#define ASSERT_BAD(bytes, part) assert_bad(bytes, sizeof(bytes) - 1, part)

static void what_is_no_msgpack_is_refused_with_its_byte(void **state)
{
    char deep[ISW_CONVERT_MAX_DEPTH + 2];

    (void)state;
    ASSERT_BAD("", "cut short");
    ASSERT_BAD("\x92\x01", "cut short");
    ASSERT_BAD("\xdd\xff\xff\xff\xff", "cut short");
    ASSERT_BAD("\xc1", "malformed");
    ASSERT_BAD("\x01\x02", "more follows the value (at byte 1)");
    ASSERT_BAD("\x81\x01\x02", "a key of a map is no text");
    ASSERT_BAD("\xa1\xff", "UTF-8");
    ASSERT_BAD("\xd4\x01\x02", "extension");
    ASSERT_BAD("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "beyond 64 bits");
    memset(deep, 0x91, sizeof deep);
    deep[sizeof deep - 1] = 1;
    assert_bad(deep, sizeof deep, "too deep");
}

static void no_byte_that_is_changed_does_harm(void **state)
{
    char bytes[] = "\x83\xa1" "a\x93\x01\xff\xc0\xa1" "b\x82\xa1" "c\xc4\x02xy\xa1" "d\xcb"
                   "\x3f\xf8\x00\x00\x00\x00\x00\x00\xa1" "e\xd9\x03jkl";

    (void)state;
    for (size_t i = 0; i + 1 < sizeof bytes; i++) {
        char before = bytes[i];

        for (int change = 0; change < 256; change++) {
            isw_value value;

            bytes[i] = (char)change;
            iswi_msgpack_parse(&arena, (isw_bytes){ bytes, sizeof bytes - 1 }, &value, NULL);
        }
        bytes[i] = before;
        iswi_arena_reset(&arena);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(json_comes_back_as_it_was, set_up, tear_down),
    cmocka_unit_test_setup_teardown(doubles_are_as_short_as_they_can_be, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_raw_nul_is_no_json_anywhere, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_byte_order_mark_is_passed_over, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_no_json_is_refused_with_its_place, set_up, tear_down),
    cmocka_unit_test_setup_teardown(bytes_become_base64, set_up, tear_down),
    cmocka_unit_test_setup_teardown(json_within_a_value_goes_in_as_it_is, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_json_cannot_hold_is_not_written, set_up, tear_down),
    cmocka_unit_test_setup_teardown(msgpack_comes_back_as_it_was, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_no_msgpack_is_refused_with_its_byte, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(no_byte_that_is_changed_does_harm, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
