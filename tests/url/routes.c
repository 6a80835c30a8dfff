/* SPDX-License-Identifier: Apache-2.0 */
#include "support/memory.h"

#include "base/alloc.h"
#include "url/routes.h"

#include <stdio.h>
#include <stdlib.h>

/* Targets are the patterns' own texts, so that a match reads as text. */
typedef struct table {
    iswi_routes *routes;
    iswi_arena arena;
    iswi_route_match match;
} table;

static int make_table(void **state)
{
    table *t = calloc(1, sizeof *t);

    t->routes = iswi_routes_create();
    iswi_arena_init(&t->arena, 4096);
    *state = t;
    return 0;
}

static int drop_table(void **state)
{
    table *t = *state;

    iswi_routes_destroy(t->routes);
    iswi_arena_fini(&t->arena);
    free(t);
    return 0;
}

static void add(table *t, const char *methods, const char *pattern)
{
    isw_error error = { 0 };

    if (iswi_routes_add(t->routes, methods, pattern, (void *)pattern, &error))
        fail_msg("%s", error.message);
}

static void assert_refused(table *t, const char *methods, const char *pattern, isw_status status,
                           const char *part)
{
    isw_error error = { 0 };

    assert_int_equal(iswi_routes_add(t->routes, methods, pattern, NULL, &error), status);
    if (!strstr(error.message, part))
        fail_msg("\"%s\" is not in \"%s\"", part, error.message);
}

static iswi_route_result match(table *t, const char *method, const char *path)
{
    iswi_arena_reset(&t->arena);
    memset(&t->match, 0, sizeof t->match);
    return iswi_routes_match(t->routes, isw_str_of(method), isw_str_of(path), &t->arena, &t->match);
}

static void assert_leads(table *t, const char *method, const char *path, const char *pattern)
{
    if (match(t, method, path) != ISWI_ROUTE_FOUND)
        fail_msg("%s %s leads nowhere", method, path);
    assert_string_equal(t->match.target, pattern);
}

static void assert_param(const table *t, const char *name, const char *value)
{
    const isw_str *found = isw_pairs_find(&t->match.params, name);

    assert_non_null(found);
    assert_true(isw_str_equal(*found, isw_str_of(value)));
}

static void a_literal_beats_a_parameter_beats_a_catch_all(void **state)
{
    table *t = *state;

    add(t, "GET", "orders/{*rest}");
    add(t, "GET", "orders/{id}");
    add(t, "GET", "orders/latest");
    assert_leads(t, "GET", "/orders/latest", "orders/latest");
    assert_leads(t, "GET", "/orders/17", "orders/{id}");
    assert_param(t, "id", "17");
    assert_leads(t, "GET", "/orders/17/items", "orders/{*rest}");
    assert_param(t, "rest", "17/items");
}

static void matching_turns_back_from_a_dead_end(void **state)
{
    table *t = *state;

    add(t, "GET", "a/b/c");
    add(t, "GET", "a/{x}/d");
    add(t, "GET", "{*all}");
    assert_leads(t, "GET", "/a/b/d", "a/{x}/d");
    assert_param(t, "x", "b");
    assert_leads(t, "GET", "/a/b/e", "{*all}");
    assert_param(t, "all", "a/b/e");
}

static void a_better_path_with_the_wrong_method_is_no_better(void **state)
{
    table *t = *state;

    add(t, "GET", "orders/special");
    add(t, "POST", "orders/{id}");
    assert_leads(t, "POST", "/orders/special", "orders/{id}");
    assert_int_equal(match(t, "DELETE", "/orders/special"), ISWI_ROUTE_WRONG_METHOD);
    assert_string_equal(t->match.allow, "GET, HEAD, POST");
}

static void a_catch_all_takes_any_number_of_segments(void **state)
{
    table *t = *state;

    add(t, NULL, "files/{*path}");
    assert_leads(t, "GET", "/files", "files/{*path}");
    assert_param(t, "path", "");
    assert_leads(t, "PUT", "/files/a", "files/{*path}");
    assert_param(t, "path", "a");
    assert_leads(t, "GET", "/files/a%20b/c", "files/{*path}");
    assert_param(t, "path", "a b/c");
}

static void an_optional_parameter_may_be_absent(void **state)
{
    table *t = *state;

    add(t, "GET", "list/{page?}");
    assert_leads(t, "GET", "/list", "list/{page?}");
    assert_int_equal(t->match.params.count, 0);
    assert_leads(t, "GET", "/list/3", "list/{page?}");
    assert_param(t, "page", "3");
    assert_int_equal(match(t, "GET", "/list/3/4"), ISWI_ROUTE_NOT_FOUND);
}

static void an_empty_pattern_is_the_root(void **state)
{
    table *t = *state;

    add(t, "GET", "");
    assert_leads(t, "GET", "", "");
    assert_leads(t, "GET", "/", "");
    assert_int_equal(match(t, "GET", "/x"), ISWI_ROUTE_NOT_FOUND);
}

static void paths_are_case_sensitive(void **state)
{
    table *t = *state;

    add(t, "GET", "Orders");
    assert_int_equal(match(t, "GET", "/orders"), ISWI_ROUTE_NOT_FOUND);
    assert_int_equal(match(t, "get", "/Orders"), ISWI_ROUTE_WRONG_METHOD);
}

static void empty_segments_match_nothing(void **state)
{
    table *t = *state;

    add(t, "GET", "a/b");
    add(t, "GET", "files/{*path}");
    assert_int_equal(match(t, "GET", "/a//b"), ISWI_ROUTE_NOT_FOUND);
    assert_int_equal(match(t, "GET", "//a/b"), ISWI_ROUTE_NOT_FOUND);
    assert_int_equal(match(t, "GET", "/a/b/"), ISWI_ROUTE_NOT_FOUND);
    assert_int_equal(match(t, "GET", "/files/a/"), ISWI_ROUTE_NOT_FOUND);
}

static void segments_are_decoded_after_the_split(void **state)
{
    table *t = *state;

    add(t, "GET", "caf\xc3\xa9/{name}");
    assert_leads(t, "GET", "/caf%C3%a9/J%C3%BCrgen+1%25", "caf\xc3\xa9/{name}");
    assert_param(t, "name", "J\xc3\xbcrgen+1%");
}

static void paths_that_hide_structure_are_refused(void **state)
{
    static const char *const paths[] = {
        "/a%2Fb", "/a/%00", "/a/..", "/a/%2e%2e/b", "/.",         "/a/%2E",
        "/a/%zz", "/a/%",   "/a/%4", "/a/%c0%af",   "/%ed%a0%80", "/a//%2e%2e",
    };
    table *t = *state;

    add(t, NULL, "{*all}");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_int_equal(match(t, "GET", paths[i]), ISWI_ROUTE_BAD_PATH);
        assert_non_null(t->match.detail);
    }
    assert_leads(t, "GET", "/...", "{*all}");
}

static void get_answers_head_unless_head_is_named(void **state)
{
    table *t = *state;

    add(t, "GET", "both");
    add(t, "GET", "apart");
    assert_int_equal(iswi_routes_add(t->routes, "HEAD", "apart", "the head", NULL), ISW_OK);
    assert_leads(t, "HEAD", "/both", "both");
    assert_leads(t, "HEAD", "/apart", "the head");
    assert_leads(t, "GET", "/apart", "apart");
    assert_int_equal(match(t, "OPTIONS", "/both"), ISWI_ROUTE_WRONG_METHOD);
}

static void method_lists_take_spaces_and_commas(void **state)
{
    table *t = *state;

    add(t, "PUT,PATCH DELETE", "x");
    assert_leads(t, "PATCH", "/x", "x");
    assert_leads(t, "DELETE", "/x", "x");
    assert_int_equal(match(t, "GET", "/x"), ISWI_ROUTE_WRONG_METHOD);
    assert_string_equal(t->match.allow, "DELETE, PATCH, PUT");
}

static void two_routes_for_the_same_requests_conflict(void **state)
{
    table *t = *state;

    add(t, "GET", "orders/{id}");
    add(t, "POST", "orders/{order}");
    assert_refused(t, "PUT GET", "orders/{number}", ISW_E_CONFLICT, "\"GET orders/{id}\"");
    assert_refused(t, NULL, "orders/{number}", ISW_E_CONFLICT, "\"(any method) orders/{number}\"");
    add(t, "GET", "list");
    assert_refused(t, "GET", "list/{page?}", ISW_E_CONFLICT, "\"GET list\"");
    assert_int_equal(match(t, "GET", "/list/3"), ISWI_ROUTE_NOT_FOUND);
    add(t, "GET", "files/{*a}");
    assert_refused(t, "GET", "files/{*b}", ISW_E_CONFLICT, "files/{*b}");
}

static void bad_patterns_are_refused_with_a_remedy(void **state)
{
    table *t = *state;

    assert_refused(t, "GET", "a/{}", ISW_E_CONFIG, "write {name}");
    assert_refused(t, "GET", "a/{1}", ISW_E_CONFIG, "write {name}");
    assert_refused(t, "GET", "a/{*}", ISW_E_CONFIG, "write {name}");
    assert_refused(t, "GET", "{id}/b/{id}", ISW_E_CONFIG, "rename one");
    assert_refused(t, "GET", "a/:id", ISW_E_CONFIG, "write {id} for a parameter");
    assert_refused(t, "GET", "a/x{id}", ISW_E_CONFIG, "a whole segment");
    assert_refused(t, "GET", "a/{id", ISW_E_CONFIG, "a whole segment");
    assert_refused(t, "GET", "{*rest}/b", ISW_E_CONFIG, "{*rest} must be the last");
    assert_refused(t, "GET", "{page?}/{b}", ISW_E_CONFIG, "{page?} must be the last");
    assert_refused(t, "GET", "a/../b", ISW_E_CONFIG, "cannot be a segment");
    assert_refused(t, "GET", "a//b", ISW_E_CONFIG, "empty segment");
    assert_refused(t, "GET", "a/", ISW_E_CONFIG, "empty segment");
    assert_refused(t, "GET", "a b", ISW_E_CONFIG, "has a character");
    assert_refused(t, "GET", "a%20b", ISW_E_CONFIG, "unencoded");
    assert_refused(t, "GET", "a?b", ISW_E_CONFIG, "has a character");
    assert_refused(t, "GET", "\xff", ISW_E_CONFIG, "has a character");
    assert_refused(t, "get", "a", ISW_E_CONFIG, "capitals");
    assert_int_equal(match(t, "GET", "/a"), ISWI_ROUTE_NOT_FOUND);
}

static void ten_thousand_routes_are_each_found(void **state)
{
    enum { ROUTES = 10000 };
    static char patterns[ROUTES][24];
    table *t = *state;

    for (int i = 0; i < ROUTES; i++) {
        snprintf(patterns[i], sizeof patterns[i], "function-%d/{id}", i * 7919 % ROUTES);
        add(t, "GET", patterns[i]);
    }
    for (int i = 0; i < ROUTES; i++) {
        char path[32];

        snprintf(path, sizeof path, "/function-%d/x", i);
        assert_int_equal(match(t, "GET", path), ISWI_ROUTE_FOUND);
    }
}

static void hostile_paths_stay_cheap(void **state)
{
    static char path[16 * 1024 + 1];
    table *t = *state;

    add(t, "GET", "{a}/{b}/{c}/{*rest}");
    for (size_t i = 0; i < sizeof path - 1; i++)
        path[i] = i % 2 ? 'x' : '/';
    assert_int_equal(match(t, "GET", path), ISWI_ROUTE_NOT_FOUND);
}

static void no_failed_allocation_breaks_the_table(void **state)
{
    (void)state;
    for (size_t n = 1; n < 60; n++) {
        counter count;
        iswi_routes *routes;

        counter_init(&count, n);
        routes = iswi_routes_create();
        if (routes) {
            iswi_routes_add(routes, "GET", "a/{id}", NULL, NULL);
            iswi_routes_add(routes, "GET", "b/{page?}", NULL, NULL);
            iswi_routes_add(routes, NULL, "c/d/{*rest}", NULL, NULL);
        }
        iswi_routes_destroy(routes);
        counter_fini(&count);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_literal_beats_a_parameter_beats_a_catch_all, make_table,
                                    drop_table),
    cmocka_unit_test_setup_teardown(matching_turns_back_from_a_dead_end, make_table, drop_table),
    cmocka_unit_test_setup_teardown(a_better_path_with_the_wrong_method_is_no_better, make_table,
                                    drop_table),
    cmocka_unit_test_setup_teardown(a_catch_all_takes_any_number_of_segments, make_table,
                                    drop_table),
    cmocka_unit_test_setup_teardown(an_optional_parameter_may_be_absent, make_table, drop_table),
    cmocka_unit_test_setup_teardown(an_empty_pattern_is_the_root, make_table, drop_table),
    cmocka_unit_test_setup_teardown(paths_are_case_sensitive, make_table, drop_table),
    cmocka_unit_test_setup_teardown(empty_segments_match_nothing, make_table, drop_table),
    cmocka_unit_test_setup_teardown(segments_are_decoded_after_the_split, make_table, drop_table),
    cmocka_unit_test_setup_teardown(paths_that_hide_structure_are_refused, make_table, drop_table),
    cmocka_unit_test_setup_teardown(get_answers_head_unless_head_is_named, make_table, drop_table),
    cmocka_unit_test_setup_teardown(method_lists_take_spaces_and_commas, make_table, drop_table),
    cmocka_unit_test_setup_teardown(two_routes_for_the_same_requests_conflict, make_table,
                                    drop_table),
    cmocka_unit_test_setup_teardown(bad_patterns_are_refused_with_a_remedy, make_table, drop_table),
    cmocka_unit_test_setup_teardown(ten_thousand_routes_are_each_found, make_table, drop_table),
    cmocka_unit_test_setup_teardown(hostile_paths_stay_cheap, make_table, drop_table),
    cmocka_unit_test(no_failed_allocation_breaks_the_table),
};

ISW_TEST_MAIN(tests)
