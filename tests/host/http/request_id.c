/* SPDX-License-Identifier: Apache-2.0 */
/* Names of requests: taken over, or made. */
#include "support/main.h"

#include "host/http/request_id.h"

#include <string.h>

enum { HEADERS_MAX = 4 };

typedef struct naming {
    iswi_request_ids ids;
    iswi_arena arena;
    isw_pair items[HEADERS_MAX];
    isw_http data;
    isw_str id;
} naming;

static int set_up(void **state)
{
    static naming n;

    iswi_arena_init(&n.arena, 1024);
    assert_true(iswi_request_ids_init(&n.ids));
    *state = &n;
    return 0;
}

static int tear_down(void **state)
{
    iswi_arena_fini(&((naming *)*state)->arena);
    return 0;
}

/* A request with "host" and these X-Request-Id; NULL: none. */
static void name_it(naming *n, const char *one, const char *other)
{
    n->data.headers = (isw_pairs){ n->items, 0 };
    n->items[n->data.headers.count++] = (isw_pair){ { "host", 4 }, { "a", 1 } };
    if (one)
        n->items[n->data.headers.count++] = (isw_pair){ isw_str_of("x-request-id"),
                                                        isw_str_of(one) };
    if (other)
        n->items[n->data.headers.count++] = (isw_pair){ isw_str_of("x-request-id"),
                                                        isw_str_of(other) };
    assert_true(iswi_request_id_set(&n->ids, &n->data, &n->arena, &n->id));
}

/* It is the one that the function is given, and the only one. */
static void is_given(const naming *n)
{
    size_t at = 0;
    const isw_pair *found = isw_pairs_next(&n->data.headers, "x-request-id", &at);

    assert_int_equal(n->data.headers.count, 2);
    assert_non_null(found);
    assert_true(isw_str_equal(found->value, n->id));
    assert_null(isw_pairs_next(&n->data.headers, "x-request-id", &at));
    assert_true(isw_str_equal(*isw_pairs_find(&n->data.headers, "host"), isw_str_of("a")));
}

static bool is_made(const naming *n)
{
    return n->id.size == ISWI_REQUEST_ID_OWN &&
           strspn(n->id.data, "0123456789abcdef") == ISWI_REQUEST_ID_OWN;
}

static void one_that_comes_along_is_taken_over(void **state)
{
    naming *n = *state;
    char longest[ISWI_REQUEST_ID_MAX + 1];

    name_it(n, "7b1f-._~!abc", NULL);
    assert_true(isw_str_equal(n->id, isw_str_of("7b1f-._~!abc")));
    is_given(n);
    memset(longest, 'x', sizeof longest);
    longest[ISWI_REQUEST_ID_MAX] = '\0';
    name_it(n, longest, NULL);
    assert_int_equal(n->id.size, ISWI_REQUEST_ID_MAX);
    is_given(n);
}

static void what_is_none_is_replaced(void **state)
{
    static const char *const wrong[] = { "", "a b", "a\"b", "a,b", "a\tb", "\xc3\xa4", "a;b", "/" };
    naming *n = *state;
    char too_long[ISWI_REQUEST_ID_MAX + 2];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        name_it(n, wrong[i], NULL);
        assert_true(is_made(n));
        is_given(n);
    }
    memset(too_long, 'x', sizeof too_long);
    too_long[ISWI_REQUEST_ID_MAX + 1] = '\0';
    name_it(n, too_long, NULL);
    assert_true(is_made(n));
    name_it(n, "one", "other");
    assert_true(is_made(n));
    is_given(n);
}

static void no_two_that_are_made_are_the_same(void **state)
{
    naming *n = *state;
    iswi_request_ids other;
    isw_str first;

    name_it(n, NULL, NULL);
    first = n->id;
    is_given(n);
    name_it(n, NULL, NULL);
    assert_true(is_made(n));
    assert_false(isw_str_equal(first, n->id));
    assert_memory_equal(first.data, n->id.data, 16);
    assert_true(iswi_request_ids_init(&other));
    assert_memory_not_equal(other.prefix, n->ids.prefix, sizeof other.prefix);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(one_that_comes_along_is_taken_over, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_none_is_replaced, set_up, tear_down),
    cmocka_unit_test_setup_teardown(no_two_that_are_made_are_the_same, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
