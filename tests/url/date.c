/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of HTTP in their three forms. */
#include "support/main.h"

#include "url/date.h"

static const int64_t now = INT64_C(1767225600); /* 2026 */

static void assert_read(const char *text, int64_t expected)
{
    int64_t seconds = 0;

    if (!iswi_http_date_read(isw_str_of(text), now, &seconds))
        fail_msg("\"%s\" is not read", text);
    assert_int_equal(seconds, expected);
}

static void assert_refused(const char *text)
{
    int64_t seconds = 7;

    if (iswi_http_date_read(isw_str_of(text), now, &seconds))
        fail_msg("\"%s\" is read as %lld", text, (long long)seconds);
    assert_int_equal(seconds, 7);
}

static void assert_written(int64_t seconds, const char *expected)
{
    char text[ISWI_HTTP_DATE_BYTES];

    assert_true(iswi_http_date_write(seconds, text));
    assert_string_equal(text, expected);
}

static void all_three_forms_are_read(void **state)
{
    (void)state;
    assert_read("Sun, 06 Nov 1994 08:49:37 GMT", 784111777);
    assert_read("Sunday, 06-Nov-94 08:49:37 GMT", 784111777);
    assert_read("Sun Nov  6 08:49:37 1994", 784111777);
    assert_read("Thu, 29 Feb 2024 23:59:59 GMT", 1709251199);
    assert_read("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800); /* a leap second */
    assert_read("Thu, 01 Jan 1970 00:00:00 GMT", 0);
}

static void a_year_of_two_digits_is_at_most_50_years_ahead(void **state)
{
    (void)state;
    assert_read("Wednesday, 01-Jan-76 00:00:00 GMT", 3345062400); /* 2076 */
    assert_read("Saturday, 01-Jan-77 00:00:00 GMT", 220924800);   /* 1977 */
}

static void anything_else_is_no_date(void **state)
{
    static const char *const bad[] = {
        "", " GMT", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 2023 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994", "Sun, 06 Nov 19941 08:49:37 GMT",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(bad[i]);
}

static void a_date_is_written_in_the_preferred_form(void **state)
{
    char text[ISWI_HTTP_DATE_BYTES] = "x";

    (void)state;
    assert_written(784111777, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_written(0, "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_written(-1, "Wed, 31 Dec 1969 23:59:59 GMT");
    assert_written(INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
    assert_false(iswi_http_date_write(INT64_C(253402300800), text));
    assert_string_equal(text, "");
    assert_false(iswi_http_date_write(INT64_MAX, text));
    assert_false(iswi_http_date_write(INT64_MIN, text));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(all_three_forms_are_read),
    cmocka_unit_test(a_year_of_two_digits_is_at_most_50_years_ahead),
    cmocka_unit_test(anything_else_is_no_date),
    cmocka_unit_test(a_date_is_written_in_the_preferred_form),
};

ISW_TEST_MAIN(tests)
