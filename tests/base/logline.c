/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "base/logline.h"

#include <stdlib.h>
#include <time.h>

static const iswi_logline sample = { .level = ISW_LOG_WARNING,
                                     .time_us = 1795782896789123, /* 2026-11-27T12:34:56.789 UTC */
                                     .source = { "orders", 6 },
                                     .category = { "Stock", 5 },
                                     .message = { "low\non tea", 10 },
                                     .invocation_id = { "4f", 2 } };

static void set_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static void assert_text(const char *zone, const char *expected)
{
    iswi_buffer out = { 0 };

    set_zone(zone);
    iswi_logline_text(&sample, false, &out);
    assert_string_equal(iswi_buffer_text(&out), expected);
    iswi_buffer_fini(&out);
}

static void a_line_for_people_has_date_and_zone(void **state)
{
    (void)state;
    assert_text("UTC0", "2026-11-27T12:34:56.789+00:00 warning  orders Stock: low\\non tea (4f)\n");
    assert_text("XXX-5:30", "2026-11-27T18:04:56.789+05:30 warning  orders Stock: low\\non tea (4f)\n");
    assert_text("XXX+3:30", "2026-11-27T09:04:56.789-03:30 warning  orders Stock: low\\non tea (4f)\n");
    set_zone("UTC0");
}

static void a_line_for_the_journal_has_a_priority_and_no_time(void **state)
{
    static const char *const begins[] = { "<7>orders", "<7>orders", "<6>orders",
                                          "<4>orders", "<3>orders", "<2>orders" };
    iswi_logline line = sample;
    iswi_buffer out = { 0 };

    (void)state;
    iswi_logline_journald(&line, &out);
    assert_string_equal(iswi_buffer_text(&out), "<4>orders Stock: low\\non tea (4f)\n");
    for (int level = ISW_LOG_TRACE; level <= ISW_LOG_CRITICAL; level++) {
        line.level = (isw_log_level)level;
        iswi_buffer_reset(&out);
        iswi_logline_journald(&line, &out);
        assert_memory_equal(out.data, begins[level], strlen(begins[level]));
    }
    iswi_buffer_fini(&out);
}

static void json_is_in_utc_wherever_it_is_written(void **state)
{
    iswi_buffer out = { 0 };

    (void)state;
    set_zone("XXX-5:30");
    iswi_logline_json(&sample, &out);
    assert_non_null(strstr(iswi_buffer_text(&out), "\"time\":\"2026-11-27T12:34:56.789Z\""));
    iswi_buffer_fini(&out);
    set_zone("UTC0");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_line_for_people_has_date_and_zone),
    cmocka_unit_test(a_line_for_the_journal_has_a_priority_and_no_time),
    cmocka_unit_test(json_is_in_utc_wherever_it_is_written),
};

ISW_TEST_MAIN(tests)
