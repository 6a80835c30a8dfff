/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "url/fields.h"

static void equals(isw_str text, const char *wanted)
{
    if (!isw_str_equal(text, isw_str_of(wanted)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)text.size, text.data, wanted);
}

static void a_token_is_visible_and_has_no_separator(void **state)
{
    static const char separators[] = "\"(),/:;<=>?@[\\]{} \t\x7f\x80\xff";

    (void)state;
    assert_true(iswi_field_is_token(isw_str_of("X-Request_id.2")));
    assert_true(iswi_field_is_token(isw_str_of("!#$%&'*+-.^_`|~")));
    assert_false(iswi_field_is_token(isw_str_of("")));
    for (size_t i = 0; i < sizeof separators; i++) /* with the NUL behind them */
        assert_false(iswi_field_is_token((isw_str){ &separators[i], 1 }));
}

static void the_token_that_a_text_begins_with_is_measured_and_made_small(void **state)
{
    char text[] = "X-Request_ID: A";

    (void)state;
    assert_int_equal(iswi_field_token_size(isw_str_of(text)), 12);
    assert_int_equal(iswi_field_token_size(isw_str_of(" a")), 0);
    assert_int_equal(iswi_field_lower_token(text, 9), 9);
    assert_string_equal(text, "x-request_ID: A");
    assert_int_equal(iswi_field_lower_token(text, sizeof text - 1), 12);
    assert_string_equal(text, "x-request_id: A");
}

static void a_value_has_no_control_character_but_the_tab(void **state)
{
    (void)state;
    assert_true(iswi_field_is_value(isw_str_of("")));
    assert_true(iswi_field_is_value(isw_str_of("one\ttwo \xe4")));
    for (char c = 1; c < ' '; c++)
        assert_int_equal(iswi_field_is_value((isw_str){ &c, 1 }), c == '\t');
    assert_false(iswi_field_is_value((isw_str){ "", 1 }));
    assert_int_equal(iswi_field_bad_byte(isw_str_of("ab\r\n")), 2);
    assert_int_equal(iswi_field_bad_byte(isw_str_of("\x7f")), 0);
    for (size_t at = 0; at < 24; at++) { /* eight are looked at together */
        char text[] = "012345\t789\x80\xff\xa0\x9f~~ abcdefgh";

        text[at] = '\x1f';
        assert_int_equal(iswi_field_bad_byte(isw_str_of(text)), at);
        text[at] = '\x7f';
        assert_int_equal(iswi_field_bad_byte((isw_str){ text, at + 1 }), at);
        assert_int_equal(iswi_field_bad_byte((isw_str){ text, at }), at);
    }
}

static void parts_come_without_the_space_around_them(void **state)
{
    isw_str list = isw_str_of(" a\t, ,b c");

    (void)state;
    equals(iswi_field_trim(isw_str_of("\t x y ")), "x y");
    equals(iswi_field_trim(isw_str_of(" \t")), "");
    equals(iswi_field_split(&list, ','), "a");
    equals(iswi_field_split(&list, ','), "");
    equals(iswi_field_split(&list, ','), "b c");
    equals(list, "");
    equals(iswi_field_split(&list, ','), "");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_token_is_visible_and_has_no_separator),
    cmocka_unit_test(the_token_that_a_text_begins_with_is_measured_and_made_small),
    cmocka_unit_test(a_value_has_no_control_character_but_the_tab),
    cmocka_unit_test(parts_come_without_the_space_around_them),
};

ISW_TEST_MAIN(tests)
