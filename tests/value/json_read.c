/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that is read at once, beside the same text within something that is rare, which jansson reads. */
#include "support/arena.h"

#include "value/json_read.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

enum { CHANGES = 20000, TEXT_BYTES = 512 };

static bool reads(const char *text, isw_value *out)
{
    return iswi_json_read(&arena, isw_str_of(text), out);
}

static const char *written(const isw_value *value)
{
    isw_str text = { NULL, 0 };

    assert_int_equal(iswi_json_write(&arena, value, &text, NULL), ISW_OK);
    return text.data;
}

/* A number with an exponent before it leaves all of it to jansson. */
static void assert_same(const char *text, const isw_value *value)
{
    char longer[TEXT_BYTES + 16];
    isw_error error = { ISW_OK, "" };
    isw_value list;

    snprintf(longer, sizeof longer, "[1e0,%s]", text);
    assert_false(reads(longer, &list));
    if (iswi_json_parse(&arena, isw_str_of(longer), &list, &error) != ISW_OK)
        fail_msg("%s: %s", text, error.message);
    assert_int_equal(list.as.array.count, 2);
    assert_int_equal(value->type, list.as.array.items[1].type);
    assert_string_equal(written(value), written(&list.as.array.items[1]));
}

static const char *const usual[] = {
    "{\"name\":\"Ada\",\"many\":[1,-2,3.25,-0.5,0,-0],\"none\":null,\"so\":[true,false]}",
    " [ ] ", "{ }", "\"\"", "7", "\"J\\u00fcrgen \\\"\\\\\\/\\b\\f\\n\\r\\t \\u20ac\"",
    "\"\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80\"", "999999999999999999", "-999999999999999999",
    "[[[[[]]]],{\"a\":{\"b\":{}}}]", "{\"a\":1,\"b\":2,\"aa\":3,\"\":4}", "[0.1,123456789.125]",
    "\t{\r\n\"a\" : [ 1 , 2 ] , \"b\" : \"c\" }\n",
};

static void what_is_usual_is_read_as_jansson_reads_it(void **state)
{
    isw_value value;

    (void)state;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if (!reads(usual[i], &value))
            fail_msg("not read: %s", usual[i]);
        assert_same(usual[i], &value);
    }
}

static void what_is_rare_or_wrong_is_left_to_others(void **state)
{
    static const char *const others[] = {
        "", " ", "{\"a\":1,\"a\":2}", "1e5", "1.5e3", "1234567890123456789", "01", "-", "1.", ".5",
        "\"\\ud83d\\ude00\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\x\"", "\"\\u12", "\"\\", "\"a",
        "\"\n\"", "\"\xff\"", "\"\xed\xa0\x80\"", "[1,]", "[1 2]", "{\"a\":1,}", "{\"a\"}",
        "{1:2}", "[}", "{]", "nul", "truex", "[1]]", "1 2", "+1", "[1,,2]", "NaN",
    };
    isw_value value;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (reads(others[i], &value))
            fail_msg("read: %s", others[i]);
    assert_false(iswi_json_read(&arena, (isw_str){ "[1]\0", 4 }, &value));
}

/* Deeper, and wider, than values may be or names are compared. */
static void bounds_are_those_of_values(void **state)
{
    char text[TEXT_BYTES];
    isw_value value;
    int size = 0;

    (void)state;
    memset(text, '[', ISW_CONVERT_MAX_DEPTH);
    memset(text + ISW_CONVERT_MAX_DEPTH, ']', ISW_CONVERT_MAX_DEPTH);
    text[2 * ISW_CONVERT_MAX_DEPTH] = '\0';
    assert_true(reads(text, &value));
    memset(text, '[', ISW_CONVERT_MAX_DEPTH + 1);
    memset(text + ISW_CONVERT_MAX_DEPTH + 1, ']', ISW_CONVERT_MAX_DEPTH + 1);
    text[2 * ISW_CONVERT_MAX_DEPTH + 2] = '\0';
    assert_false(reads(text, &value));
    for (int i = 0; i < 33; i++)
        size += snprintf(text + size, sizeof text - (size_t)size, "%s\"%d\":0", i ? "," : "{", i);
    snprintf(text + size, sizeof text - (size_t)size, "}");
    assert_false(reads(text, &value));
    assert_int_equal(iswi_json_parse(&arena, isw_str_of(text), &value, NULL), ISW_OK);
    assert_int_equal(value.as.map.count, 33);
}

/* Whatever becomes of a text by changes, no more is taken than jansson takes, and as the same. */
static void no_change_makes_it_read_otherwise(void **state)
{
    static const char bytes[] = "{}[],:\"\\ \n0123456789-+.eEtrufalsn\x01\xc3\xbc\xff";
    char text[TEXT_BYTES];
    isw_value value;
    unsigned taken = 0;

    (void)state;
    srand(16);
    for (int i = 0; i < CHANGES; i++) {
        const char *from = usual[(size_t)rand() % (sizeof usual / sizeof *usual)];
        const size_t size = strlen(from);

        snprintf(text, sizeof text, "%s", from);
        for (int changes = 1 + rand() % 3; changes; changes--)
            text[(size_t)rand() % size] = bytes[(size_t)rand() % (sizeof bytes - 1)];
        if (reads(text, &value)) {
            assert_same(text, &value);
            taken++;
        }
        iswi_arena_reset(&arena);
    }
    assert_true(taken > CHANGES / 20);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(what_is_usual_is_read_as_jansson_reads_it, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_rare_or_wrong_is_left_to_others, set_up, tear_down),
    cmocka_unit_test_setup_teardown(bounds_are_those_of_values, set_up, tear_down),
    cmocka_unit_test_setup_teardown(no_change_makes_it_read_otherwise, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
