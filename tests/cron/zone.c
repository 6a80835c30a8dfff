/* SPDX-License-Identifier: Apache-2.0 */
/* Zones: what their files say, against the C library, and files that say nothing. */
#include "support/main.h"

#include "cron/tzif.h"
#include "cron/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static iswi_zone *open_good(const char *name)
{
    isw_error error = { ISW_OK, "" };
    iswi_zone *zone = NULL;

    if (iswi_zone_open(name, &zone, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return zone;
}

static int offset_by_libc(int64_t instant_s)
{
    time_t at = (time_t)instant_s;
    struct tm parts;

    localtime_r(&at, &parts);
    return (int)parts.tm_gmtoff;
}

static void compare(const char *name)
{
    iswi_zone *zone = open_good(name);
    iswi_zone_span span;

    setenv("TZ", name, 1);
    tzset();
    /* From 1910 to 2150, in steps that meet each hour of a day and each day of a week. */
    for (int64_t at = -1893456000; at < INT64_C(5680281600); at += 1234567) {
        iswi_zone_span_of(zone, at, &span);
        assert_true(span.from_s <= at && at < span.until_s);
        if (span.offset_s != offset_by_libc(at))
            fail_msg("%s at %lld: %d, not %d", name, (long long)at, span.offset_s,
                     offset_by_libc(at));
        if (span.from_s != INT64_MIN && span.before_s != offset_by_libc(span.from_s - 1))
            fail_msg("%s before %lld: %d", name, (long long)span.from_s, span.before_s);
        if (span.offset_s != offset_by_libc(span.from_s == INT64_MIN ? at : span.from_s) ||
            (span.until_s != INT64_MAX && span.offset_s != offset_by_libc(span.until_s - 1)))
            fail_msg("%s around %lld", name, (long long)at);
    }
    unsetenv("TZ");
    iswi_zone_close(zone);
}

static void every_zone_has_the_offsets_of_the_c_library(void **state)
{
    FILE *list = fopen("/usr/share/zoneinfo/zone.tab", "r");
    char line[512], name[64];
    int count = 0;

    (void)state;
    assert_non_null(list);
    while (fgets(line, sizeof line, list)) {
        if (*line == '#' || sscanf(line, "%*s\t%*s\t%63s", name) != 1)
            continue;
        compare(name);
        count++;
    }
    fclose(list);
    assert_true(count > 300);
}

static void utc_needs_no_file(void **state)
{
    iswi_zone *zone;
    iswi_zone_span span;

    (void)state;
    setenv("TZDIR", "/nonexistent", 1);
    zone = open_good("UTC");
    unsetenv("TZDIR");
    iswi_zone_span_of(zone, 1234567890, &span);
    assert_int_equal(span.offset_s, 0);
    assert_true(span.from_s == INT64_MIN && span.until_s == INT64_MAX);
    assert_string_equal(iswi_zone_name(zone), "UTC");
    iswi_zone_close(zone);
}

static void local_is_what_tz_names(void **state)
{
    iswi_zone *zone;
    iswi_zone_span span;

    (void)state;
    setenv("TZ", ":Asia/Kolkata", 1);
    zone = open_good("local");
    iswi_zone_span_of(zone, 1234567890, &span);
    assert_int_equal(span.offset_s, 19800);
    iswi_zone_close(zone);
    setenv("TZ", "", 1);
    zone = open_good("local");
    iswi_zone_span_of(zone, 1234567890, &span);
    assert_int_equal(span.offset_s, 0);
    iswi_zone_close(zone);
    unsetenv("TZ");
    iswi_zone_close(open_good("local"));
}

static void assert_refused(const char *name, const char *why)
{
    isw_error error = { ISW_OK, "" };
    iswi_zone *zone = NULL;

    assert_int_equal(iswi_zone_open(name, &zone, &error), ISW_E_CONFIG);
    assert_null(zone);
    if (!strstr(error.message, why))
        fail_msg("\"%s\" has no \"%s\"", error.message, why);
}

static void a_name_that_is_none_is_told_with_the_one_that_was_meant(void **state)
{
    (void)state;
    assert_refused("Europe/Berln", "there is no time zone \"Europe/Berln\"; is \"Europe/Berlin\" "
                                   "meant?");
    assert_refused("Moon/Tranquility", "write UTC, local, or a name of /usr/share/zoneinfo");
    assert_refused("", "there is no time zone \"\"");
    assert_refused("../../../etc/localtime", "there is no time zone");
    assert_refused("/etc/localtime", "there is no time zone");
    assert_refused("Europe", "cannot be read"); /* a folder */
    assert_refused("zone.tab", "there is no time zone");
    assert_refused("leapseconds", "no file of tzdata");
}

static void a_machine_without_tzdata_is_told_what_to_install(void **state)
{
    (void)state;
    setenv("TZDIR", "/nonexistent", 1);
    assert_refused("Europe/Berlin", "install the package tzdata");
    unsetenv("TZDIR");
}

/* -- Files ------------------------------------------------------------------------------------- */

static size_t load(const char *path, unsigned char *bytes, size_t most)
{
    FILE *file = fopen(path, "r");
    size_t size;

    assert_non_null(file);
    size = fread(bytes, 1, most, file);
    fclose(file);
    return size;
}

static void a_file_that_is_cut_anywhere_is_refused(void **state)
{
    unsigned char whole[8192];
    size_t size = load("/usr/share/zoneinfo/Europe/Berlin", whole, sizeof whole);
    iswi_tzif file;

    (void)state;
    for (size_t part = 0; part < size; part++) {
        unsigned char *bytes = malloc(part + 1); /* so that a reader that goes on is found out */

        memcpy(bytes, whole, part);
        assert_non_null(iswi_tzif_read(bytes, part, &file));
        free(bytes);
    }
    assert_null(iswi_tzif_read(whole, size, &file));
    assert_true(file.count > 100 && file.has_footer);
    iswi_tzif_fini(&file);
}

static void a_file_with_any_byte_changed_is_refused_or_read(void **state)
{
    unsigned char whole[8192];
    size_t size = load("/usr/share/zoneinfo/Africa/Cairo", whole, sizeof whole);
    iswi_tzif file;

    (void)state;
    for (size_t at = 0; at < size; at++) {
        unsigned char kept = whole[at];

        for (int bit = 0; bit < 8; bit++) {
            whole[at] = (unsigned char)(kept ^ 1 << bit);
            if (!iswi_tzif_read(whole, size, &file))
                iswi_tzif_fini(&file);
        }
        whole[at] = kept;
    }
    whole[0] = 'X';
    assert_string_equal(iswi_tzif_read(whole, size, &file), "it is no file of tzdata");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_zone_has_the_offsets_of_the_c_library),
    cmocka_unit_test(utc_needs_no_file),
    cmocka_unit_test(local_is_what_tz_names),
    cmocka_unit_test(a_name_that_is_none_is_told_with_the_one_that_was_meant),
    cmocka_unit_test(a_machine_without_tzdata_is_told_what_to_install),
    cmocka_unit_test(a_file_that_is_cut_anywhere_is_refused),
    cmocka_unit_test(a_file_with_any_byte_changed_is_refused_or_read),
};

ISW_TEST_MAIN(tests)
