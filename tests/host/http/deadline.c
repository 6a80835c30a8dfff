/* SPDX-License-Identifier: Apache-2.0 */
/* How long a caller waits, by its own word. */
#include "support/main.h"

#include "base/clock.h"
#include "host/http/deadline.h"

#include <isoworker/outgoing.h>

/* Milliseconds from `before_ns`, -1 for a refusal, 0 for none. */
static int64_t ms_of(const char *one, const char *other)
{
    isw_pair items[] = { { isw_str_of("x-other"), isw_str_of("1") },
                         { isw_str_of(ISW_HEADER_TIMEOUT), isw_str_of(one) },
                         { isw_str_of(ISW_HEADER_TIMEOUT), isw_str_of(other) } };
    const isw_pairs headers = { items, other ? 3 : one ? 2 : 1 };
    const int64_t before_ns = iswi_now_ns();
    int64_t until_ns = 0;

    if (iswi_http_deadline_read(&headers, &until_ns))
        return -1;
    return until_ns ? (until_ns - before_ns) / 1000000 : 0;
}

static void is_about(int64_t ms, int64_t expected)
{
    assert_in_range(ms, expected, expected + 60000);
}

static void milliseconds_are_counted_from_now(void **state)
{
    (void)state;
    is_about(ms_of("1", NULL), 1);
    is_about(ms_of("90000", NULL), 90000);
    is_about(ms_of("999999999999", NULL), 999999999999);
}

static void none_and_too_many_are_no_limit(void **state)
{
    (void)state;
    assert_int_equal(ms_of(NULL, NULL), 0);
    assert_int_equal(ms_of("0", NULL), 0);
    assert_int_equal(ms_of("1000000000000", NULL), 0);
    assert_int_equal(ms_of("99999999999999999999999999999", NULL), 0);
}

static void the_soonest_of_several_counts(void **state)
{
    (void)state;
    is_about(ms_of("900000", "90000"), 90000);
    is_about(ms_of("90000", "900000"), 90000);
    is_about(ms_of("0", "90000"), 90000);
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const bad[] = { "", " 1", "1 ", "-1", "+1", "1m", "0x1", "1.0", "1,2" };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(ms_of(bad[i], NULL), -1);
    assert_int_equal(ms_of("1", "x"), -1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(milliseconds_are_counted_from_now),
    cmocka_unit_test(none_and_too_many_are_no_limit),
    cmocka_unit_test(the_soonest_of_several_counts),
    cmocka_unit_test(what_is_no_number_is_refused),
};

ISW_TEST_MAIN(tests)
