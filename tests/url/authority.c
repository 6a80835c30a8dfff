/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "url/authority.h"

static void hosts_names_addresses_and_ports_are_valid(void **state)
{
    static const char *const valid[] = {
        "a",
        "example.org",
        "example.org:80",
        "EXAMPLE.org:",
        "a_b-c~d!$&'()*+;=",
        "%c3%bc",
        "127.0.0.1",
        "127.0.0.1:0",
        "a:65535",
        "a:00080",
        "[::1]",
        "[::1]:80",
        "[::1]:",
        "[2001:DB8::1:0]:65535",
        "[::ffff:1.2.3.4]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++)
        if (!iswi_authority_valid(isw_str_of(valid[i])))
            fail_msg("%s is not valid", valid[i]);
}

static void what_else_stands_there_is_not(void **state)
{
    static const char *const invalid[] = {
        "",         ":",          ":80",
        "a:80:90",  "a:65536",    "a:8x",
        "a:-1",     "[::1",       "[::1]80",
        "[::1]x:8", "[]",         "[1.2.3.4]",
        "[::g]",    "[::1%25lo]", "[v1.a]",
        "::1",      "a b",        "a,b",
        "a/b",      "a?b",        "a#b",
        "u@a",      "\xc3\xbc",   "a%",
        "a%4",      "a%zz",       "a\tb",
        "a\"b",     "[:::1]",     "a[b]",
        "[::1]]",   "[[::1]]:8",  "a:99999999999999999999",
    };

    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        if (iswi_authority_valid(isw_str_of(invalid[i])))
            fail_msg("%s is valid", invalid[i]);
    assert_false(iswi_authority_valid((isw_str){ "a\0b", 3 }));
    assert_false(iswi_authority_valid((isw_str){ "[::1\0]", 6 }));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(hosts_names_addresses_and_ports_are_valid),
    cmocka_unit_test(what_else_stands_there_is_not),
};

ISW_TEST_MAIN(tests)
