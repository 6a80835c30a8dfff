/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for years that no table has. */
#include "support/main.h"

#include "cron/footer.h"

static void assert_span(const char *rule, int64_t instant_s, int64_t from_s, int64_t until_s,
                        int offset_s, int before_s)
{
    iswi_footer footer;
    iswi_zone_span span;

    if (!iswi_footer_read(isw_str_of(rule), &footer))
        fail_msg("\"%s\" is not read", rule);
    iswi_footer_span(&footer, instant_s, &span);
    assert_int_equal(span.from_s, from_s);
    assert_int_equal(span.until_s, until_s);
    assert_int_equal(span.offset_s, offset_s);
    assert_int_equal(span.before_s, before_s);
}

static void a_rule_says_when_summer_begins_and_ends(void **state)
{
    const char *berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
    int64_t begin_s = INT64_C(4078429200); /* 2099-03-29 01:00 UTC */
    int64_t end_s = INT64_C(4096573200);   /* 2099-10-25 01:00 UTC */

    (void)state;
    assert_span(berlin, begin_s, begin_s, end_s, 7200, 3600);
    assert_span(berlin, end_s - 1, begin_s, end_s, 7200, 3600);
    assert_span(berlin, begin_s - 1, INT64_C(4065123600), begin_s, 3600, 7200);
}

static void summer_may_be_in_two_years(void **state)
{
    iswi_footer footer;
    iswi_zone_span span;

    (void)state;
    assert_true(iswi_footer_read(isw_str_of("NZST-12NZDT,M9.5.0,M4.1.0/3"), &footer));
    iswi_footer_span(&footer, INT64_C(4102444800), &span); /* 2100-01-01 */
    assert_int_equal(span.offset_s, 13 * 3600);
    assert_int_equal(span.before_s, 12 * 3600);
    assert_true(span.from_s < INT64_C(4102444800) && span.until_s > INT64_C(4102444800));
}

static void a_rule_without_summer_goes_on_for_ever(void **state)
{
    (void)state;
    assert_span("<+0530>-5:30", 0, INT64_MIN, INT64_MAX, 19800, 19800);
    assert_span("UTC0", INT64_MAX, INT64_MIN, INT64_MAX, 0, 0);
    assert_span("EST5", INT64_MIN, INT64_MIN, INT64_MAX, -18000, -18000);
}

static void days_are_counted_with_and_without_the_29_of_february(void **state)
{
    int64_t day = 86400, year_2096 = INT64_C(3976214400); /* a leap year */

    (void)state;
    assert_span("AAA0BBB,J60/0,J300/0", year_2096 + 60 * day, year_2096 + 60 * day,
                year_2096 + 300 * day - 3600, 3600, 0); /* 1 March */
    assert_span("AAA0BBB,59/0,299/0", year_2096 + 59 * day, year_2096 + 59 * day,
                year_2096 + 299 * day - 3600, 3600, 0); /* 29 February */
}

static void hours_may_be_of_another_day(void **state)
{
    iswi_footer footer;

    (void)state; /* Nuuk, Gaza */
    assert_true(iswi_footer_read(isw_str_of("<-02>2<-01>,M3.5.0/-1,M10.5.0/0"), &footer));
    assert_int_equal(footer.begins[1].time_s, -3600);
    assert_true(iswi_footer_read(isw_str_of("EET-2EEST,M3.4.4/50,M10.4.4/50"), &footer));
    assert_int_equal(footer.begins[0].time_s, 180000);
}

static void anything_else_is_no_rule(void **state)
{
    static const char *const bad[] = {
        "", "UTC", "UT0", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J5", "CET-1CEST,366,5", "<+05-5", "CET-27", "CET-1:60",
        "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,M3.5.0/,M10.5.0", "CET-1CEST,M3.0.0,M10.5.0",
    };
    iswi_footer footer;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (iswi_footer_read(isw_str_of(bad[i]), &footer))
            fail_msg("\"%s\" is read", bad[i]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_rule_says_when_summer_begins_and_ends),
    cmocka_unit_test(summer_may_be_in_two_years),
    cmocka_unit_test(a_rule_without_summer_goes_on_for_ever),
    cmocka_unit_test(days_are_counted_with_and_without_the_29_of_february),
    cmocka_unit_test(hours_may_be_of_another_day),
    cmocka_unit_test(anything_else_is_no_rule),
};

ISW_TEST_MAIN(tests)
