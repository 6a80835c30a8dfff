/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "base/text.h"

static void globs_match_names(void **state)
{
    (void)state;
    assert_true(iswi_glob_match("admin_*", "admin_users"));
    assert_true(iswi_glob_match("*", ""));
    assert_true(iswi_glob_match("a*b*c", "axxbyyc"));
    assert_true(iswi_glob_match("h?llo", "hello"));
    assert_false(iswi_glob_match("admin_*", "user"));
    assert_false(iswi_glob_match("a*b", "a"));
}

static void edit_distance_counts_swaps_as_one(void **state)
{
    (void)state;
    assert_int_equal(iswi_edit_distance("logging", "logging"), 0);
    assert_int_equal(iswi_edit_distance("loging", "logging"), 1);
    assert_int_equal(iswi_edit_distance("lgoging", "logging"), 1);
    assert_int_equal(iswi_edit_distance("ab", "ba"), 1);
    assert_int_equal(iswi_edit_distance("", "abc"), 3);
}

static void assert_mended(const char *from, const char *expected)
{
    char out[64];
    size_t size = iswi_utf8_mend(isw_str_of(from), out);

    out[size] = '\0';
    assert_string_equal(out, expected);
    assert_true(iswi_utf8_valid(out, size));
}

static void bytes_that_are_no_utf8_are_taken_for_latin_1(void **state)
{
    (void)state;
    assert_mended("", "");
    assert_mended("plain", "plain");
    assert_mended("a=\xfc; b=\xc3\xbc", "a=\xc3\xbc; b=\xc3\xbc");
    assert_mended("\xff\x80", "\xc3\xbf\xc2\x80");
    assert_mended("\xe2\x82", "\xc3\xa2\xc2\x82");
    assert_mended("\xe2\x82\xac\xe2", "\xe2\x82\xac\xc3\xa2");
    assert_mended("\xed\xa0\x80", "\xc3\xad\xc2\xa0\xc2\x80");
}

static void malformed_utf8_is_refused(void **state)
{
    (void)state;
    assert_true(iswi_utf8_valid("gr\xc3\xbc\xc3\x9f dich, \xe2\x82\xac", 16));
    assert_true(iswi_utf8_valid("\xf0\x9f\x98\x80", 4));
    assert_false(iswi_utf8_valid("\xc0\x80", 2));
    assert_false(iswi_utf8_valid("\xed\xa0\x80", 3));
    assert_false(iswi_utf8_valid("\xf4\x90\x80\x80", 4));
    assert_false(iswi_utf8_valid("12345678\xe2\x82", 10));
}

static void json_strings_are_always_valid_json(void **state)
{
    iswi_buffer out = { 0 };

    (void)state;
    iswi_json_string(&out, (isw_str){ "a\"\\\n\x01\xff\0z", 8 });
    assert_string_equal(iswi_buffer_text(&out), "\"a\\\"\\\\\\n\\u0001\\ufffd\\u0000z\"");
    iswi_buffer_fini(&out);
}

static void terminal_text_cannot_forge_lines_or_colours(void **state)
{
    iswi_buffer out = { 0 };

    (void)state;
    iswi_terminal_text(&out, isw_str_of("ok\n\x1b[31mred\xe2\x80\xae\xc2\x9bx\xff\xc3\xbc"));
    assert_string_equal(iswi_buffer_text(&out),
                        "ok\\n\\x1b[31mred\\u202e\\x9bx\\xff\xc3\xbc");
    iswi_buffer_fini(&out);
}

static void words_are_found_whole(void **state)
{
    (void)state;
    assert_true(iswi_word_in("GET POST", isw_str_of("POST")));
    assert_true(iswi_word_in("read,write", isw_str_of("write")));
    assert_false(iswi_word_in("reader", isw_str_of("read")));
    assert_false(iswi_word_in(NULL, isw_str_of("read")));
}

static void what_follows_a_reason_is_none(void **state)
{
    static const char *const reasons[] = { "RuntimeError: no beans", "no beans", "78",
                                           "panic: x", "\xc3\xbc" };
    static const char *const followers[] = { "", "    at f (a.js:8)", "\tat A.f(A.java:1)", "}", "^",
                                             "Node.js v20.20.2", "Require stack:", "- /a.js" };

    (void)state;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        assert_true(iswi_may_be_reason(isw_str_of(reasons[i])));
    for (size_t i = 0; i < sizeof followers / sizeof followers[0]; i++)
        assert_false(iswi_may_be_reason(isw_str_of(followers[i])));
}

static void hexadecimal_digits_and_nothing_else_have_a_value(void **state)
{
    const char *const digits = "0123456789abcdef";

    (void)state;
    for (int c = -128; c < 128; c++) {
        const char *at = c > 0 ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

        assert_int_equal(iswi_hex_digit((char)c), at ? at - digits : -1);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(globs_match_names),
    cmocka_unit_test(edit_distance_counts_swaps_as_one),
    cmocka_unit_test(malformed_utf8_is_refused),
    cmocka_unit_test(bytes_that_are_no_utf8_are_taken_for_latin_1),
    cmocka_unit_test(json_strings_are_always_valid_json),
    cmocka_unit_test(terminal_text_cannot_forge_lines_or_colours),
    cmocka_unit_test(words_are_found_whole),
    cmocka_unit_test(what_follows_a_reason_is_none),
    cmocka_unit_test(hexadecimal_digits_and_nothing_else_have_a_value),
};

ISW_TEST_MAIN(tests)
