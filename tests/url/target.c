/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "url/target.h"

static void a_target_is_a_path_without_what_ends_it(void **state)
{
    (void)state;
    assert_true(iswi_target_valid(isw_str_of("/")));
    assert_true(iswi_target_valid(isw_str_of("/a%20b/../c;d=e?f=g&h={i}|\"j\"")));
    assert_false(iswi_target_valid(isw_str_of("")));
    assert_false(iswi_target_valid(isw_str_of("*")));
    assert_false(iswi_target_valid(isw_str_of("a/b")));
    assert_false(iswi_target_valid(isw_str_of("/a b")));
    assert_false(iswi_target_valid(isw_str_of("/a#b")));
    assert_false(iswi_target_valid(isw_str_of("/%4")));
    assert_false(iswi_target_valid(isw_str_of("/%zz")));
    assert_false(iswi_target_valid(isw_str_of("/\x7f")));
    assert_false(iswi_target_valid(isw_str_of("/\xc3\xa9")));
    assert_int_equal(iswi_target_size(isw_str_of("/a HTTP/1.1")), 2);
    assert_int_equal(iswi_target_size((isw_str){ "/a\0b", 4 }), 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_target_is_a_path_without_what_ends_it),
};

ISW_TEST_MAIN(tests)
