/* SPDX-License-Identifier: Apache-2.0 */
/* Dates by arithmetic, against those of the C library. */
#include "support/main.h"

#include "cron/civil.h"

#include <string.h>
#include <time.h>

static void every_day_of_eight_centuries_is_the_one_of_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = -146097; day <= 146097; day++) {
        time_t seconds = (time_t)day * ISWI_DAY_SECONDS;
        iswi_civil date = iswi_civil_of(day);
        struct tm parts;

        gmtime_r(&seconds, &parts);
        assert_int_equal(date.year, parts.tm_year + 1900);
        assert_int_equal(date.month, parts.tm_mon + 1);
        assert_int_equal(date.day, parts.tm_mday);
        assert_int_equal(iswi_civil_weekday(day), parts.tm_wday);
        assert_int_equal(iswi_civil_days(date.year, date.month, date.day), day);
        assert_in_range(date.day, 1, iswi_civil_month_days(date.year, date.month));
    }
}

static void the_ends_of_the_calendar_are_its_days_too(void **state)
{
    iswi_civil first = iswi_civil_of(iswi_civil_day_of(ISWI_CIVIL_FIRST));
    iswi_civil last = iswi_civil_of(iswi_civil_day_of(ISWI_CIVIL_LAST));

    (void)state;
    assert_int_equal(first.year, 1);
    assert_int_equal(first.month * 100 + first.day, 101);
    assert_int_equal(last.year, 9999);
    assert_int_equal(last.month * 100 + last.day, 1231);
    assert_int_equal(iswi_civil_day_of(-1), -1);
    assert_int_equal(iswi_civil_day_of(ISWI_DAY_SECONDS), 1);
}

static void assert_stamp(int64_t instant_s, int offset_s, const char *expected)
{
    char text[ISWI_STAMP_BYTES];

    iswi_stamp_write(instant_s, offset_s, text);
    assert_string_equal(text, expected);
}

static void an_instant_is_written_with_its_distance_from_utc(void **state)
{
    (void)state;
    assert_stamp(0, 0, "1970-01-01T00:00:00Z");
    assert_stamp(1795788000, 3600, "2026-11-27T15:00:00+01:00");
    assert_stamp(1795788000, -12600, "2026-11-27T10:30:00-03:30");
    assert_stamp(-1, 0, "1969-12-31T23:59:59Z");
    assert_stamp(0, 3208, "1970-01-01T00:53:00+00:53");
    assert_stamp(ISWI_CIVIL_LAST, 0, "9999-12-31T23:59:59Z");
    assert_stamp(ISWI_CIVIL_LAST, 3600, "never");
    assert_stamp(INT64_MAX, 0, "never");
    assert_stamp(INT64_MIN, 0, "never");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_day_of_eight_centuries_is_the_one_of_the_c_library),
    cmocka_unit_test(the_ends_of_the_calendar_are_its_days_too),
    cmocka_unit_test(an_instant_is_written_with_its_distance_from_utc),
};

ISW_TEST_MAIN(tests)
