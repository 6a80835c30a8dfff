/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-encoding, and the paths that are made with it. */
#include "support/main.h"

#include "url/percent.h"
#include "url/route_pattern.h"

static const char *encoded(isw_str text, const char *also, iswi_buffer *out)
{
    iswi_buffer_reset(out);
    iswi_percent_encode(text, also, out);
    return iswi_buffer_text(out);
}

static void what_is_encoded_decodes_to_what_it_was(void **state)
{
    iswi_buffer out = { 0 };
    char all[256];
    char back[256];

    (void)state;
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    encoded((isw_str){ all, sizeof all }, "", &out);
    assert_true(iswi_percent_valid((isw_str){ (const char *)out.data, out.size }));
    assert_int_equal(iswi_percent_decode((isw_str){ (const char *)out.data, out.size }, true, back),
                     sizeof all);
    assert_memory_equal(back, all, sizeof all);
    iswi_buffer_fini(&out);
}

static void what_needs_no_escape_has_none(void **state)
{
    iswi_buffer out = { 0 };

    (void)state;
    assert_string_equal(encoded(isw_str_of("aZ9-._~"), "", &out), "aZ9-._~");
    assert_string_equal(encoded(isw_str_of("a b/c%"), "", &out), "a%20b%2Fc%25");
    assert_string_equal(encoded(isw_str_of("a/b=c"), "/", &out), "a/b%3Dc");
    iswi_buffer_fini(&out);
}

static const char *path_of(const char *route, const isw_pairs *params, iswi_buffer *out)
{
    iswi_route_pattern pattern;
    isw_error error = { 0 };

    iswi_buffer_reset(out);
    assert_int_equal(iswi_route_pattern_parse(route, &pattern, &error), ISW_OK);
    iswi_route_pattern_path(&pattern, params, out);
    return iswi_buffer_text(out);
}

static void a_route_and_its_parameters_make_a_path(void **state)
{
    static const isw_pair items[] = { { { "id", 2 }, { "a/b c", 5 } },
                                      { { "rest", 4 }, { "x/y?", 4 } } };
    const isw_pairs params = { items, 2 };
    const isw_pairs none = { NULL, 0 };
    iswi_buffer out = { 0 };

    (void)state;
    assert_string_equal(path_of("orders/{id}", &params, &out), "orders/a%2Fb%20c");
    assert_string_equal(path_of("files/{*rest}", &params, &out), "files/x/y%3F");
    assert_string_equal(path_of("list/{page?}", &none, &out), "list");
    assert_string_equal(path_of("", &none, &out), "");
    iswi_buffer_fini(&out);
}

static void a_path_lacks_only_what_it_cannot_do_without(void **state)
{
    static const isw_pair items[] = { { { "a", 1 }, { "1", 1 } }, { { "B", 1 }, { "2", 1 } } };
    const isw_pairs params = { items, 2 };
    iswi_route_pattern pattern;
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(iswi_route_pattern_parse("{a}/{b}/{c?}", &pattern, &error), ISW_OK);
    assert_true(isw_str_equal(iswi_route_pattern_lacks(&pattern, &params), isw_str_of("b")));
    assert_int_equal(iswi_route_pattern_parse("{a}/{B}/{*c}", &pattern, &error), ISW_OK);
    assert_int_equal(iswi_route_pattern_lacks(&pattern, &params).size, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_encoded_decodes_to_what_it_was),
    cmocka_unit_test(what_needs_no_escape_has_none),
    cmocka_unit_test(a_route_and_its_parameters_make_a_path),
    cmocka_unit_test(a_path_lacks_only_what_it_cannot_do_without),
};

ISW_TEST_MAIN(tests)
