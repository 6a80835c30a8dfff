/* SPDX-License-Identifier: Apache-2.0 */
/* When an expression is next due: calendars, and the hours that come twice or not at all. */
#include "support/main.h"

#include "cron/civil.h"
#include "cron/next.h"

#include <stdio.h>
#include <string.h>

static int64_t utc(int year, int month, int day, int hour, int minute, int second)
{
    int64_t day_s = iswi_civil_days(year, month, day) * ISWI_DAY_SECONDS;

    return day_s + hour * 3600 + minute * 60 + second;
}

/* The times that follow `after_s`, in local time, must be these; "never" ends them. */
static void assert_due(const char *zone_name, const char *expression, int64_t after_s,
                       const char *const *expected)
{
    isw_error error = { ISW_OK, "" };
    iswi_zone *zone = NULL;
    iswi_zone_span span;
    iswi_cron cron;
    int64_t at = after_s;

    if (iswi_zone_open(zone_name, &zone, &error) != ISW_OK ||
        iswi_cron_read(expression, &cron, &error) != ISW_OK)
        fail_msg("%s", error.message);
    for (; *expected; expected++) {
        char text[ISWI_STAMP_BYTES];
        int64_t next = iswi_cron_next(&cron, zone, at);

        iswi_zone_span_of(zone, next, &span);
        iswi_stamp_write(next, span.offset_s, text);
        if (strcmp(text, *expected) != 0)
            fail_msg("%s \"%s\": %s, not %s", zone_name, expression, text, *expected);
        assert_true(next > at || next == ISWI_CRON_NEVER);
        at = next;
    }
    iswi_zone_close(zone);
}

#define DUE(zone, expression, after_s, ...) \
    assert_due(zone, expression, after_s, (const char *const[]){ __VA_ARGS__, NULL })

static void a_time_that_is_due_is_not_its_own_next(void **state)
{
    (void)state;
    DUE("UTC", "0 * * * *", utc(2026, 1, 1, 0, 0, 0), "2026-01-01T01:00:00Z");
    DUE("UTC", "0 * * * *", utc(2026, 1, 1, 0, 0, 0) - 1, "2026-01-01T00:00:00Z");
    DUE("UTC", "59 59 23 31 12 *", utc(2026, 12, 31, 23, 59, 58), "2026-12-31T23:59:59Z",
        "2027-12-31T23:59:59Z");
}

static void days_that_a_month_has_not_are_left_out(void **state)
{
    (void)state;
    DUE("UTC", "0 0 31 * *", utc(2026, 1, 31, 0, 0, 0), "2026-03-31T00:00:00Z",
        "2026-05-31T00:00:00Z");
    DUE("UTC", "0 0 29 2 *", utc(2026, 1, 1, 0, 0, 0), "2028-02-29T00:00:00Z",
        "2032-02-29T00:00:00Z");
    DUE("UTC", "0 0 29 2 *", utc(2096, 3, 1, 0, 0, 0), "2104-02-29T00:00:00Z");
}

static void what_is_in_no_year_is_never_due(void **state)
{
    (void)state;
    DUE("UTC", "0 0 30 2 *", utc(2026, 1, 1, 0, 0, 0), "never");
    DUE("Europe/Berlin", "* * * 31 4,6,9,11 *", utc(2026, 1, 1, 0, 0, 0), "never");
    DUE("UTC", "0 0 0 29 2 Mon", utc(2080, 1, 1, 0, 0, 0), "2112-02-29T00:00:00Z"); /* by 2100 */
}

static void day_and_weekday_are_both_or_either(void **state)
{
    (void)state; /* 2026-05-01 is a Friday */
    DUE("UTC", "0 0 13 * Fri", utc(2026, 5, 1, 0, 0, 0), "2026-05-08T00:00:00Z",
        "2026-05-13T00:00:00Z", "2026-05-15T00:00:00Z");
    DUE("UTC", "0 0 0 13 * Fri", utc(2026, 5, 1, 0, 0, 0), "2026-11-13T00:00:00Z",
        "2027-08-13T00:00:00Z");
    DUE("UTC", "0 0 */2 * Fri", utc(2026, 5, 1, 0, 0, 0), "2026-05-15T00:00:00Z");
}

static void every_is_counted_from_1970(void **state)
{
    (void)state;
    DUE("Europe/Berlin", "@every 90s", utc(2026, 6, 1, 0, 0, 1), "2026-06-01T02:01:30+02:00",
        "2026-06-01T02:03:00+02:00");
    DUE("UTC", "@every 1h30m", -1, "1970-01-01T00:00:00Z", "1970-01-01T01:30:00Z");
    DUE("UTC", "@every 1h30m", -5400, "1970-01-01T00:00:00Z");
    DUE("UTC", "@every 1h30m", -5401, "1969-12-31T22:30:00Z", "1970-01-01T00:00:00Z");
}

/* -- Hours that do not come: Berlin, 2026-03-29, 02:00 is 03:00 -------------------------------- */

static void a_point_in_time_of_an_hour_left_out_is_due_behind_it(void **state)
{
    (void)state;
    DUE("Europe/Berlin", "0 30 2 * * *", utc(2026, 3, 28, 0, 0, 0), "2026-03-28T02:30:00+01:00",
        "2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00");
    DUE("Europe/Berlin", "0 0 2 * * *", utc(2026, 3, 28, 12, 0, 0), "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:00:00+02:00");
}

static void points_in_time_of_one_hour_keep_their_distance(void **state)
{
    (void)state;
    DUE("Europe/Berlin", "0 0,30 2 * * *", utc(2026, 3, 28, 12, 0, 0), "2026-03-29T03:00:00+02:00",
        "2026-03-29T03:30:00+02:00", "2026-03-30T02:00:00+02:00");
    DUE("Europe/Berlin", "0 30 2,3 * * *", utc(2026, 3, 28, 12, 0, 0),
        "2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00");
    DUE("Europe/Berlin", "0 10,40 2,3 * * *", utc(2026, 3, 29, 0, 59, 59),
        "2026-03-29T03:10:00+02:00", "2026-03-29T03:40:00+02:00", "2026-03-30T02:10:00+02:00");
}

static void an_interval_leaves_out_what_does_not_come(void **state)
{
    (void)state;
    DUE("Europe/Berlin", "0 */30 * * * *", utc(2026, 3, 29, 0, 0, 0), "2026-03-29T01:30:00+01:00",
        "2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00");
    DUE("Europe/Berlin", "0 */30 2 * * *", utc(2026, 3, 28, 12, 0, 0), "2026-03-30T02:00:00+02:00");
}

/* -- Hours that come twice: Berlin, 2026-10-25, 03:00 is 02:00 --------------------------------- */

static void a_point_in_time_of_an_hour_that_comes_twice_is_due_in_the_first(void **state)
{
    (void)state;
    DUE("Europe/Berlin", "0 30 2 * * *", utc(2026, 10, 24, 12, 0, 0), "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00");
    DUE("Europe/Berlin", "0 0 3 * * *", utc(2026, 10, 24, 12, 0, 0), "2026-10-25T03:00:00+01:00");
    DUE("Europe/Berlin", "0 0 2 * * *", utc(2026, 10, 24, 12, 0, 0), "2026-10-25T02:00:00+02:00",
        "2026-10-26T02:00:00+01:00");
}

static void an_interval_goes_through_both(void **state)
{
    (void)state;
    DUE("Europe/Berlin", "0 */30 2 * * *", utc(2026, 10, 24, 12, 0, 0), "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00",
        "2026-10-26T02:00:00+01:00");
    DUE("Europe/Berlin", "@hourly", utc(2026, 10, 24, 23, 0, 0), "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00");
}

static void an_interval_of_another_month_is_found_from_the_second_hour(void **state)
{
    (void)state; /* at 02:45 of the first */
    DUE("Europe/Berlin", "0 */30 2 25 10 *", utc(2026, 10, 25, 0, 45, 0),
        "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00", "2027-10-25T02:00:00+02:00");
}

/* -- Jumps of other sizes ---------------------------------------------------------------------- */

static void half_an_hour_may_be_left_out_or_come_twice(void **state)
{
    (void)state; /* 2026-04-05 02:00 is 01:30; 2026-10-04 02:00 is 02:30 */
    DUE("Australia/Lord_Howe", "0 45 1 * * *", utc(2026, 4, 4, 0, 0, 0),
        "2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30");
    DUE("Australia/Lord_Howe", "0 15/15 1 * * *", utc(2026, 4, 4, 14, 0, 0),
        "2026-04-05T01:15:00+11:00", "2026-04-05T01:30:00+11:00", "2026-04-05T01:45:00+11:00",
        "2026-04-05T01:30:00+10:30", "2026-04-05T01:45:00+10:30", "2026-04-06T01:15:00+10:30");
    DUE("Australia/Lord_Howe", "0 10 2 * * *", utc(2026, 10, 3, 0, 0, 0),
        "2026-10-04T02:40:00+11:00", "2026-10-05T02:10:00+11:00");
}

static void a_day_may_be_left_out(void **state)
{
    (void)state; /* there was no 2011-12-30 */
    DUE("Pacific/Apia", "0 0 12 * * *", utc(2011, 12, 28, 23, 0, 0), "2011-12-29T12:00:00-10:00",
        "2011-12-31T12:00:00+14:00", "2012-01-01T12:00:00+14:00");
    DUE("Pacific/Apia", "0 0 12 30 * *", utc(2011, 12, 1, 0, 0, 0), "2011-12-31T12:00:00+14:00",
        "2012-01-30T12:00:00+14:00");
    DUE("Pacific/Apia", "0 0 */12 30 * *", utc(2011, 12, 1, 0, 0, 0), "2012-01-30T00:00:00+14:00");
}

static void midnight_may_be_left_out(void **state)
{
    (void)state; /* Cairo, 2026-04-24 00:00 is 01:00; Beirut, 2026-03-29 likewise */
    DUE("Africa/Cairo", "@daily", utc(2026, 4, 22, 23, 0, 0), "2026-04-24T01:00:00+03:00",
        "2026-04-25T00:00:00+03:00");
    DUE("Asia/Beirut", "0 0 0 * * Sun", utc(2026, 3, 23, 0, 0, 0), "2026-03-29T01:00:00+03:00",
        "2026-04-05T00:00:00+03:00");
}

static void the_same_holds_in_years_that_no_table_has(void **state)
{
    (void)state; /* 2099-03-29, 2099-10-25 */
    DUE("Europe/Berlin", "0 30 2 * * *", utc(2099, 3, 28, 12, 0, 0), "2099-03-29T03:30:00+02:00");
    DUE("Europe/Berlin", "0 30 2 * * *", utc(2099, 10, 24, 12, 0, 0), "2099-10-25T02:30:00+02:00",
        "2099-10-26T02:30:00+01:00");
}

static void the_ends_of_the_calendar_end_the_search(void **state)
{
    (void)state;
    DUE("UTC", "* * * * * *", INT64_MAX, "never");
    DUE("UTC", "* * * * * *", INT64_MAX - 1, "never");
    DUE("UTC", "* * * * * *", INT64_MIN, "0001-01-03T00:00:01Z", "0001-01-03T00:00:02Z");
    DUE("UTC", "@every 366d", INT64_MAX, "never");
    DUE("Europe/Berlin", "0 0 29 2 *", utc(9996, 3, 1, 0, 0, 0), "never");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_time_that_is_due_is_not_its_own_next),
    cmocka_unit_test(days_that_a_month_has_not_are_left_out),
    cmocka_unit_test(what_is_in_no_year_is_never_due),
    cmocka_unit_test(day_and_weekday_are_both_or_either),
    cmocka_unit_test(every_is_counted_from_1970),
    cmocka_unit_test(a_point_in_time_of_an_hour_left_out_is_due_behind_it),
    cmocka_unit_test(points_in_time_of_one_hour_keep_their_distance),
    cmocka_unit_test(an_interval_leaves_out_what_does_not_come),
    cmocka_unit_test(a_point_in_time_of_an_hour_that_comes_twice_is_due_in_the_first),
    cmocka_unit_test(an_interval_goes_through_both),
    cmocka_unit_test(an_interval_of_another_month_is_found_from_the_second_hour),
    cmocka_unit_test(half_an_hour_may_be_left_out_or_come_twice),
    cmocka_unit_test(a_day_may_be_left_out),
    cmocka_unit_test(midnight_may_be_left_out),
    cmocka_unit_test(the_same_holds_in_years_that_no_table_has),
    cmocka_unit_test(the_ends_of_the_calendar_end_the_search),
};

ISW_TEST_MAIN(tests)
