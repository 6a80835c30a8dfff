/* SPDX-License-Identifier: Apache-2.0 */
#include "support/arena.h"

#include "host/http/trace.h"

#include <stdio.h>

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

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

/* The trace of a request with this traceparent and these lines of tracestate (up to 3, then NULL).
 */
static iswi_wire_trace trace_of(const char *parent, const char *const *lines)
{
    isw_pair headers[4] = { { isw_str_of("traceparent"), isw_str_of(parent) } };
    isw_http request = { .headers = { headers, 1 } };

    for (size_t i = 0; i < 3 && lines[i]; i++)
        headers[request.headers.count++] =
            (isw_pair){ isw_str_of("tracestate"), isw_str_of(lines[i]) };
    return iswi_trace_of(&request, &arena);
}

static void assert_state(const char *first, const char *second, const char *expected)
{
    const char *const lines[] = { first, second, NULL };
    iswi_wire_trace trace = trace_of(PARENT, lines);

    assert_true(isw_str_equal(trace.parent, isw_str_of(PARENT)));
    if (trace.state.size != strlen(expected) ||
        (trace.state.size && memcmp(trace.state.data, expected, trace.state.size) != 0))
        fail_msg("%s | %s: %.*s", first, second ? second : "", (int)trace.state.size,
                 trace.state.data);
}

static void lines_of_state_are_combined_in_their_order(void **state)
{
    (void)state;
    assert_state("foo=1,bar=2", "baz=3", "foo=1,bar=2,baz=3");
    assert_state("foo=1 \t , \t bar=2,,", "", "foo=1,bar=2");
    assert_state("", "foo=1", "foo=1");
    assert_state("", NULL, "");
    assert_state("a@b=x:y;z,0/*-_@@=~! a", NULL, "a@b=x:y;z,0/*-_@@=~! a");
    assert_state("foo= 1", NULL, "foo= 1");
    assert_state("foo=1,bar=2,foo=3", "foo=4", "foo=1,bar=2");
}

static void a_state_that_is_not_valid_is_left_out_whole(void **state)
{
    static const char *const wrong[] = {
        "FOO=1", "foo", "foo=", "=1", "foo =1", "foo.bar=1", "@foo=1", "_foo=1", "-a=1", "foo=a=b",
        "foo=\x7f", "foo=a\tb", "foo=\xc3\xa4", "f\xc3\xa4=1", "foo",
    };
    char lines[2][700] = { "", "" };
    char part[300];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_state(wrong[i], NULL, "");
        assert_state("bar=1", wrong[i], "");
        assert_state(wrong[i], "bar=1", "");
    }
    memset(part, 'z', sizeof part);
    for (size_t size = 256; size <= 257; size++) {
        snprintf(lines[0], sizeof lines[0], "%.*s=1", (int)size, part);
        assert_state(lines[0], NULL, size == 256 ? lines[0] : "");
        snprintf(lines[0], sizeof lines[0], "k=%.*s", (int)size, part);
        assert_state(lines[0], NULL, size == 256 ? lines[0] : "");
    }
    lines[0][0] = '\0';
    for (int i = 0; i < 32; i++)
        snprintf(lines[0] + strlen(lines[0]), sizeof lines[0] - strlen(lines[0]), "%sk%d=v",
                 i ? "," : "", i);
    assert_state(lines[0], NULL, lines[0]);
    assert_state(lines[0], "k32=v", "");
}

/* Long members first, and from the end. */
static void a_state_that_is_too_long_loses_whole_members(void **state)
{
    static char line[2048], expected[2048];

    (void)state;
    for (int i = 0; i < 20; i++) {
        const int size = i == 3 ? 250 : 40;

        snprintf(line + strlen(line), sizeof line - strlen(line), "%sk%02d=%0*d", i ? "," : "", i,
                 size, i);
        if (i != 3)
            snprintf(expected + strlen(expected), sizeof expected - strlen(expected),
                     "%sk%02d=%0*d", i ? "," : "", i, size, i);
    }
    assert_in_range(strlen(line), 1025, 2000);
    assert_in_range(strlen(expected), 700, 1024);
    assert_state(line, NULL, expected);
    for (int i = 20; i < 25; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), ",k%02d=%040d", i, i);
    for (int i = 20; i < 23; i++)
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), ",k%02d=%040d",
                 i, i);
    assert_in_range(strlen(expected), 1024 - 44, 1024);
    assert_state(line, NULL, expected);
}

static void a_state_goes_with_one_valid_parent_alone(void **state)
{
    static const char *const lines[] = { "v=1", NULL };
    static const char *const wrong[] = {
        "", "00-1-2-01", PARENT "0", PARENT "-00",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    };
    isw_pair headers[] = { { isw_str_of("tracestate"), isw_str_of("v=1") },
                           { isw_str_of("traceparent"), isw_str_of(PARENT) },
                           { isw_str_of("traceparent"), isw_str_of(PARENT) } };
    isw_http request = { .headers = { headers, 3 } };

    (void)state;
    assert_int_equal(trace_of(PARENT, lines).state.size, 3);
    assert_int_equal(trace_of("cc" PARENT "-what", lines).state.size, 0);
    assert_int_equal(
        trace_of("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what", lines).state.size,
        3);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(trace_of(wrong[i], lines).parent.size, 0);
        assert_int_equal(trace_of(wrong[i], lines).state.size, 0);
    }
    assert_int_equal(iswi_trace_of(&request, &arena).parent.size, 0);
    assert_int_equal(iswi_trace_of(&request, &arena).state.size, 0);
    request.headers.count = 1;
    assert_int_equal(iswi_trace_of(&request, &arena).state.size, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(members_of_baggage_are_decoded_in_order, set_up, tear_down),
    cmocka_unit_test_setup_teardown(malformed_members_are_left_out_and_cost_nothing_else, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(baggage_beyond_its_limits_is_left_out, set_up, tear_down),
    cmocka_unit_test_setup_teardown(lines_of_state_are_combined_in_their_order, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_state_that_is_not_valid_is_left_out_whole, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_state_that_is_too_long_loses_whole_members, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_state_goes_with_one_valid_parent_alone, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
