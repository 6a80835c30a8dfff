/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: what they mean, and what is said of those that mean nothing. */
#include "support/main.h"

#include "cron/expression.h"

#include <string.h>

static iswi_cron read_good(const char *text)
{
    isw_error error = { ISW_OK, "" };
    iswi_cron cron;

    if (iswi_cron_read(text, &cron, &error) != ISW_OK)
        fail_msg("\"%s\": %s", text, error.message);
    return cron;
}

static void assert_same(const char *text, const char *other)
{
    iswi_cron a = read_good(text);
    iswi_cron b = read_good(other);

    if (a.seconds != b.seconds || a.minutes != b.minutes || a.hours != b.hours ||
        a.days != b.days || a.months != b.months || a.weekdays != b.weekdays ||
        a.every_s != b.every_s)
        fail_msg("\"%s\" is not \"%s\"", text, other);
}

static void assert_refused(const char *text, const char *why)
{
    isw_error error = { ISW_OK, "" };
    iswi_cron cron;

    memset(&cron, 0x5a, sizeof cron);
    assert_int_equal(iswi_cron_read(text, &cron, &error), ISW_E_CONFIG);
    if (!strstr(error.message, why))
        fail_msg("\"%s\" is refused by \"%s\", which has no \"%s\"", text, error.message, why);
    assert_int_equal(cron.weekdays, 0x5a); /* untouched */
}

static void six_fields_begin_with_the_second(void **state)
{
    iswi_cron cron = read_good("5 4 3 2 1 6");

    (void)state;
    assert_int_equal(cron.seconds, 1 << 5);
    assert_int_equal(cron.minutes, 1 << 4);
    assert_int_equal(cron.hours, 1 << 3);
    assert_int_equal(cron.days, 1 << 2);
    assert_int_equal(cron.months, 1 << 1);
    assert_int_equal(cron.weekdays, 1 << 6);
}

static void five_fields_are_at_second_0(void **state)
{
    (void)state;
    assert_same("4 3 2 1 6", "0 4 3 2 1 6");
    assert_same(" \t4  3 2 1\t6 ", "0 4 3 2 1 6");
}

static void lists_ranges_and_steps_name_the_same_numbers(void **state)
{
    (void)state;
    assert_same("0 10-40/15 * * * *", "0 10,25,40 * * * *");
    assert_same("0 */20 * * * *", "0 0,20,40 * * * *");
    assert_same("0 50/3 * * * *", "0 50,53,56,59 * * * *");
    assert_same("0 1-3,2-4,4 * * * *", "0 1-4 * * * *");
    assert_same("*/100 * * * * *", "0 * * * * *");
    assert_same("* * * */2 */6 *", "* * * 1-31/2 1,7 *");
    assert_same("0-59 0-59 0-23 1-31 1-12 0-6", "* * * * * *");
}

static void names_are_known_by_their_first_letters(void **state)
{
    (void)state;
    assert_same("0 0 * JAN-mar,Augu,DECEMBER mon", "0 0 * 1-3,8,12 1");
    assert_same("0 0 * * Wednesday-fri/2", "0 0 * * 3,5");
}

static void sunday_is_0_and_7(void **state)
{
    (void)state;
    assert_same("0 0 * * 7", "0 0 * * 0");
    assert_same("0 0 * * 5-7", "0 0 * * 0,5,6");
    assert_same("0 0 * * Sat-Sun", "0 0 * * 0,6");
    assert_same("0 0 * * Sun-Tue", "0 0 * * 0-2");
    assert_same("0 0 * * Sun", "0 0 * * 0");
    assert_same("0 0 * * 0-7", "0 0 * * *");
    assert_same("0 0 * * 1/2", "0 0 * * 1,3,5");
    assert_same("0 0 * * 7/2", "0 0 * * 0");
}

static void a_word_stands_for_fields(void **state)
{
    (void)state;
    assert_same("@hourly", "0 * * * *");
    assert_same("@daily", "0 0 * * *");
    assert_same("@Midnight", "0 0 * * *");
    assert_same(" @weekly ", "0 0 * * 0");
    assert_same("@monthly", "0 0 1 * *");
    assert_same("@yearly", "0 0 1 1 *");
    assert_same("@annually", "0 0 1 1 *");
}

static void every_takes_a_duration(void **state)
{
    (void)state;
    assert_int_equal(read_good("@every 90s").every_s, 90);
    assert_int_equal(read_good("@every 1h30m").every_s, 5400);
    assert_int_equal(read_good("@EVERY 1d1s").every_s, 86401);
    assert_int_equal(read_good("@every 366d").every_s, 366 * 86400);
}

static void a_day_is_in_either_where_five_fields_say_both(void **state)
{
    (void)state;
    assert_true(read_good("0 0 1 * 5").either);
    assert_true(read_good("0 0 1-31 * 5").either);
    assert_false(read_good("0 0 * * 5").either);
    assert_false(read_good("0 0 */2 * 5").either);
    assert_false(read_good("0 0 1 * *").either);
    assert_false(read_good("0 0 1 * */2").either);
    assert_false(read_good("0 0 0 1 * 5").either);
}

static void an_interval_is_told_from_a_point_in_time(void **state)
{
    static const char *const intervals[] = { "* 0 0 * * *", "0 */5 1 * * *", "0 0 1-3 * * *",
                                             "0 5/10 1 * * *", "0 * * * *", "@hourly", "@every 1h",
                                             "0 0-5 1 * *" };
    static const char *const points[] = { "0 30 2 * * *", "0,30 0,30 2,3 * * *", "30 2 */2 1-3 *",
                                          "@daily", "0 0 0 1 */2 Mon-Fri" };

    (void)state;
    for (size_t i = 0; i < sizeof intervals / sizeof intervals[0]; i++)
        assert_true(read_good(intervals[i]).interval);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        assert_false(read_good(points[i]).interval);
}

static void a_refusal_names_field_place_and_remedy(void **state)
{
    (void)state;
    assert_refused("0 61 * * * *", "minute \"61\" at character 3 is none: write a number from 0 to "
                                   "59, * for any");
    assert_refused("0 0 * 0 *", "month \"0\" at character 7 is none: write a number from 1 to 12 "
                                "or the first letters of a name");
    assert_refused("0 1,2,x * * * *", "minute \"x\" at character 7");
    assert_refused("0 1,,2 * * * *", "minute \"\" at character 5 is an empty entry");
    assert_refused("0 1, * * * *", "minute \"\" at character 5");
    assert_refused("0 0 22-2 * * *", "hour \"22-2\" at character 5 runs backwards: to go round the "
                                     "end, write \"22-23,0-2\"");
    assert_refused("0 0 * * Fri-Mon", "write \"5-6,0-1\"");
    assert_refused("0 0 * 12-1 *", "write \"12,1,1\"");
    assert_refused("0 */0 * * * *", "minute \"*/0\" at character 3 has no step");
    assert_refused("0 */ * * * *", "has no step");
    assert_refused("0 */x * * * *", "has no step");
    assert_refused("0 1- * * * *", "minute \"\" at character 5 is none");
    assert_refused("0 -1 * * * *", "minute \"\" at character 3 is none");
    assert_refused("0 *5 * * * *", "minute \"*5\" at character 3 is none");
    assert_refused("0 1-2-3 * * * *", "minute \"2-3\" at character 5 is none");
    assert_refused("0 0 * * Mo", "weekday \"Mo\" at character 9 is none");
    assert_refused("0 0 * Januar1 *", "month \"Januar1\"");
    assert_refused("0 0 L * ?", "day \"L\" at character 5 is none");
    assert_refused("0 0 L * *", "?, L, W and # of other crons are not known here");
    assert_refused("99999999999999999999 * * * *", "minute");
}

static void a_number_of_fields_that_is_none_is_told(void **state)
{
    (void)state;
    assert_refused("", "there are 0 fields: write six");
    assert_refused("   ", "there are 0 fields");
    assert_refused("* * * *", "there are 4 fields");
    assert_refused("* * * * * * *", "there are 7 fields or more");
    assert_refused("* * * * * * * * * *", "there are 7 fields or more");
}

static void a_word_that_is_none_is_told(void **state)
{
    (void)state;
    assert_refused("@dialy", "\"@dialy\" at character 1 is not known: there are @hourly");
    assert_refused("@daily 5", "is not known");
    assert_refused("@reboot", "run_on_startup");
    assert_refused("@every", "at character 7 is no duration");
    assert_refused("@every 90", "@every \"90\" at character 8");
    assert_refused("@every 0s", "is no duration");
    assert_refused("@every 367d", "is no duration");
    assert_refused("@every 1m1h", "is no duration");
    assert_refused("@every 1s1s", "is no duration");
    assert_refused("@every 1.5s", "is no duration");
    assert_refused("@every 500ms", "is no duration");
    assert_refused("@every -5s", "is no duration");
    assert_refused("@every 99999999999999999999s", "is no duration");
    assert_refused("@every 1h 5m", "is no duration");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(six_fields_begin_with_the_second),
    cmocka_unit_test(five_fields_are_at_second_0),
    cmocka_unit_test(lists_ranges_and_steps_name_the_same_numbers),
    cmocka_unit_test(names_are_known_by_their_first_letters),
    cmocka_unit_test(sunday_is_0_and_7),
    cmocka_unit_test(a_word_stands_for_fields),
    cmocka_unit_test(every_takes_a_duration),
    cmocka_unit_test(a_day_is_in_either_where_five_fields_say_both),
    cmocka_unit_test(an_interval_is_told_from_a_point_in_time),
    cmocka_unit_test(a_refusal_names_field_place_and_remedy),
    cmocka_unit_test(a_number_of_fields_that_is_none_is_told),
    cmocka_unit_test(a_word_that_is_none_is_told),
};

ISW_TEST_MAIN(tests)
