/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "config/scalar.h"

#include <string.h>

static void integers_have_one_spelling(void **state)
{
    static const char *const wrong[] = { "",
                                         "-",
                                         "+1",
                                         "010",
                                         "00",
                                         "-01",
                                         "0x10",
                                         "12x",
                                         "1 ",
                                         " 1",
                                         "1.0",
                                         "1e3",
                                         "1_000",
                                         "--1",
                                         "9223372036854775808",
                                         "-9223372036854775809",
                                         "99999999999999999999999" };
    int64_t out = 7;

    (void)state;
    assert_null(iswi_scalar_int("0", &out));
    assert_int_equal(out, 0);
    assert_null(iswi_scalar_int("-0", &out));
    assert_int_equal(out, 0);
    assert_null(iswi_scalar_int("9223372036854775807", &out));
    assert_true(out == INT64_MAX);
    assert_null(iswi_scalar_int("-9223372036854775808", &out));
    assert_true(out == INT64_MIN);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_non_null(iswi_scalar_int(wrong[i], &out));
    assert_true(out == INT64_MIN);
}

static void doubles_are_finite_decimals(void **state)
{
    static const char *const wrong[] = { "",    "-",   "+1.5",  ".5",  "5.",   "1e",    "1e+",
                                         "nan", "inf", "0x1p3", "1,5", "01.5", "1e999", "1.5 " };
    double out = 0;

    (void)state;
    assert_null(iswi_scalar_double("-12.5e-1", &out));
    assert_true(out > -1.2501 && out < -1.2499);
    assert_null(iswi_scalar_double("0.25", &out));
    assert_null(iswi_scalar_double("1E3", &out));
    assert_true(out > 999 && out < 1001);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_non_null(iswi_scalar_double(wrong[i], &out));
}

static void bools_are_two_words(void **state)
{
    static const char *const wrong[] = { "", "True", "TRUE", "yes", "no", "on", "1", "0", "truex" };
    bool out = false;

    (void)state;
    assert_null(iswi_scalar_bool("true", &out));
    assert_true(out);
    assert_null(iswi_scalar_bool("false", &out));
    assert_false(out);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_non_null(iswi_scalar_bool(wrong[i], &out));
}

static void durations_have_a_unit(void **state)
{
    static const char *const wrong[] = {
        "",    "10",   "s",  "1.5s",  "-1s", "10 s",
        "10S", "010s", "1d", "1m30s", "00",  "9223372036854775807h"
    };
    int64_t out = 0;

    (void)state;
    assert_null(iswi_scalar_duration("250ms", &out));
    assert_int_equal(out, 250);
    assert_null(iswi_scalar_duration("10s", &out));
    assert_int_equal(out, 10000);
    assert_null(iswi_scalar_duration("5m", &out));
    assert_int_equal(out, 300000);
    assert_null(iswi_scalar_duration("1h", &out));
    assert_int_equal(out, 3600000);
    assert_null(iswi_scalar_duration("0", &out));
    assert_int_equal(out, 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_non_null(iswi_scalar_duration(wrong[i], &out));
}

static void of_people_plain_numbers_are_seconds(void **state)
{
    static const char *const wrong[] = { "", "-1", "s", "5 s", "1.5s", "010", "1d", "nan", "1e300" };
    int64_t out = 0;

    (void)state;
    assert_null(iswi_scalar_seconds("5", &out));
    assert_int_equal(out, 5000);
    assert_null(iswi_scalar_seconds("0.25", &out));
    assert_int_equal(out, 250);
    assert_null(iswi_scalar_seconds("0", &out));
    assert_int_equal(out, 0);
    assert_null(iswi_scalar_seconds("250ms", &out));
    assert_int_equal(out, 250);
    assert_null(iswi_scalar_seconds("10m", &out));
    assert_int_equal(out, 600000);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_non_null(iswi_scalar_seconds(wrong[i], &out));
}

static void sizes_are_powers_of_1024(void **state)
{
    static const char *const wrong[] = { "",       "-1",   "64KB", "64K", "64kib",
                                         "1.5MiB", "1TiB", "010",  "KiB", "8589934592GiB" };
    int64_t out = 0;

    (void)state;
    assert_null(iswi_scalar_size("512", &out));
    assert_int_equal(out, 512);
    assert_null(iswi_scalar_size("64KiB", &out));
    assert_int_equal(out, 65536);
    assert_null(iswi_scalar_size("16MiB", &out));
    assert_int_equal(out, 16 << 20);
    assert_null(iswi_scalar_size("1GiB", &out));
    assert_int_equal(out, 1 << 30);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_non_null(iswi_scalar_size(wrong[i], &out));
}

static void units_are_written_as_they_are_read(void **state)
{
    static const char *const durations[] = { "0", "1ms", "1500ms", "90s", "90m", "36h" };
    static const char *const sizes[] = { "0", "1", "1025", "3KiB", "1536MiB", "7GiB" };
    char text[ISWI_SCALAR_TEXT_BYTES];
    int64_t value;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        assert_null(iswi_scalar_duration(durations[i], &value));
        iswi_scalar_duration_text(value, text);
        assert_string_equal(text, durations[i]);
        assert_null(iswi_scalar_size(sizes[i], &value));
        iswi_scalar_size_text(value, text);
        assert_string_equal(text, sizes[i]);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(integers_have_one_spelling),
    cmocka_unit_test(doubles_are_finite_decimals),
    cmocka_unit_test(bools_are_two_words),
    cmocka_unit_test(durations_have_a_unit),
    cmocka_unit_test(of_people_plain_numbers_are_seconds),
    cmocka_unit_test(sizes_are_powers_of_1024),
    cmocka_unit_test(units_are_written_as_they_are_read),
};

ISW_TEST_MAIN(tests)
