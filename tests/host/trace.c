/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "host/trace.h"

#include <stdio.h>

static iswi_arena arena;

static int set_up(void **state)
{
    (void)state;
    iswi_arena_init(&arena, 1024);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    iswi_arena_fini(&arena);
    return 0;
}

/* The baggage of a request with these two headers (NULL: none), as "name=value;". */
static void assert_baggage(const char *first, const char *second, const char *expected)
{
    isw_pair headers[] = { { isw_str_of("baggage"), isw_str_of(first) },
                           { isw_str_of("accept"), isw_str_of("x=y") },
                           { isw_str_of("baggage"), isw_str_of(second) } };
    isw_http request = { .headers = { headers, second ? 3 : 2 } };
    isw_pairs baggage = iswi_trace_of(&request, &arena).baggage;
    char all[256] = "";

    for (size_t i = 0; i < baggage.count; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%.*s=%.*s;",
                 (int)baggage.items[i].name.size, baggage.items[i].name.data,
                 (int)baggage.items[i].value.size, baggage.items[i].value.data);
    assert_string_equal(all, expected);
}

static void members_of_baggage_are_decoded_in_order(void **state)
{
    (void)state;
    assert_baggage("user=7, tier = gold%20plus;ttl=3;x ,empty=", NULL,
                   "user=7;tier=gold plus;empty=;");
    assert_baggage("a=1", "b=2", "a=1;b=2;");
}

static void malformed_members_are_left_out_and_cost_nothing_else(void **state)
{
    (void)state;
    assert_baggage("no value,=x,a=%zz,b=%ff,c=%,ok=1,,", NULL, "ok=1;");
    assert_baggage("", NULL, "");
}

static void baggage_beyond_its_limits_is_left_out(void **state)
{
    static char long_value[8300];
    static char many[64 * 4 + 16];

    (void)state;
    memset(long_value, 'a', sizeof long_value - 1);
    long_value[1] = '=';
    assert_baggage("first=1", long_value, "first=1;");
    for (int i = 0; i < 66; i++)
        strcat(many, "k=v,");
    isw_pair header = { isw_str_of("baggage"), isw_str_of(many) };
    isw_http request = { .headers = { &header, 1 } };
    assert_int_equal(iswi_trace_of(&request, &arena).baggage.count, 64);
}

static void a_state_without_a_parent_is_left_out(void **state)
{
    isw_pair headers[] = { { isw_str_of("tracestate"), isw_str_of("v=1") },
                           { isw_str_of("traceparent"), isw_str_of("00-1-2-01") } };
    isw_http request = { .headers = { headers, 2 } };

    (void)state;
    assert_true(isw_str_equal(iswi_trace_of(&request, &arena).state, isw_str_of("v=1")));
    request.headers.count = 1;
    assert_int_equal(iswi_trace_of(&request, &arena).state.size, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(members_of_baggage_are_decoded_in_order, set_up, tear_down),
    cmocka_unit_test_setup_teardown(malformed_members_are_left_out_and_cost_nothing_else, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(baggage_beyond_its_limits_is_left_out, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_state_without_a_parent_is_left_out, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
