/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "url/query.h"

typedef struct read_query {
    iswi_arena arena;
    iswi_query_result result;
    isw_pairs pairs;
    size_t bad;
} read_query;

static void read_text(read_query *r, const char *text)
{
    memset(r, 0, sizeof *r);
    iswi_arena_init(&r->arena, 256);
    r->result = iswi_query_read(isw_str_of(text), &r->arena, &r->pairs, &r->bad);
}

/* The pairs as "name=value;". */
static void assert_pairs(const char *text, const char *expected)
{
    read_query r;
    char all[256] = "";

    read_text(&r, text);
    assert_int_equal(r.result, ISWI_QUERY_OK);
    for (size_t i = 0; i < r.pairs.count; i++) {
        strncat(all, r.pairs.items[i].name.data, r.pairs.items[i].name.size);
        strcat(all, "=");
        strncat(all, r.pairs.items[i].value.data, r.pairs.items[i].value.size);
        strcat(all, ";");
    }
    assert_string_equal(all, expected);
    iswi_arena_fini(&r.arena);
}

static void assert_bad(const char *text, iswi_query_result result, size_t bad)
{
    read_query r;

    read_text(&r, text);
    assert_int_equal(r.result, result);
    assert_int_equal(r.bad, bad);
    iswi_arena_fini(&r.arena);
}

static void names_and_values_are_decoded_in_order(void **state)
{
    (void)state;
    assert_pairs("", "");
    assert_pairs("a=1&b=2&a=3", "a=1;b=2;a=3;");
    assert_pairs("full+name=J%C3%BCrgen+M%2B", "full name=J\xc3\xbcrgen M+;");
}

static void a_part_may_have_no_value_and_no_name(void **state)
{
    (void)state;
    assert_pairs("a&b=&=c", "a=;b=;=c;");
    assert_pairs("&&a=1&", "a=1;");
    assert_pairs("a=b=c", "a=b=c;");
}

static void what_cannot_be_decoded_is_refused_with_its_place(void **state)
{
    (void)state;
    assert_bad("a=1&b=%4", ISWI_QUERY_BAD_ESCAPE, 4);
    assert_bad("a=%zz", ISWI_QUERY_BAD_ESCAPE, 0);
    assert_bad("x=1&%00=2", ISWI_QUERY_NUL, 4);
    assert_bad("x=%ff", ISWI_QUERY_NOT_UTF8, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(names_and_values_are_decoded_in_order),
    cmocka_unit_test(a_part_may_have_no_value_and_no_name),
    cmocka_unit_test(what_cannot_be_decoded_is_refused_with_its_place),
};

ISW_TEST_MAIN(tests)
