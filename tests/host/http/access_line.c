/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the access log in their three forms, and what a client cannot do to them. */
#include "support/main.h"

#include "host/http/access_line.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const iswi_access whole = {
    .begun_us = INT64_C(1795770014123456), /* 2026-11-27 09:00:14 UTC */
    .client = { "192.0.2.1", 9 },
    .principal = { "ada", 3 },
    .method = { "GET", 3 },
    .target = { "/api/orders?key=secret", 22 },
    .protocol = { "HTTP/1.1", 8 },
    .invocation_id = { "i1", 2 },
    .request_id = { "r1", 2 },
    .agent = { "curl/8.5 (x)", 12 },
    .referer = { "https://a/", 10 },
    .status = 200,
    .received = 310,
    .sent = 1204,
    .body_sent = 1000,
    .took_us = 1250,
    .worker_us = 12,
};

static void writes(const iswi_access *access, iswi_access_form form, bool query, const char *line)
{
    iswi_buffer out = { 0 };

    iswi_access_write(access, form, query, &out);
    assert_string_equal(iswi_buffer_text(&out), line);
    iswi_buffer_fini(&out);
}

static void in_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static void a_line_has_all_that_is_known(void **state)
{
    (void)state;
    in_zone("UTC");
    writes(&whole, ISWI_ACCESS_TEXT, false,
           "2026-11-27T09:00:14.123+00:00 192.0.2.1 ada \"GET /api/orders HTTP/1.1\" 200 in=310 "
           "out=1204 took=1.250ms worker=0.012ms invocation=i1 request=r1 agent=\"curl/8.5 (x)\" "
           "referer=\"https://a/\"\n");
    writes(&whole, ISWI_ACCESS_JSON, false,
           "{\"time\":\"2026-11-27T09:00:14.123+00:00\",\"client\":\"192.0.2.1\",\"principal\":"
           "\"ada\",\"method\":\"GET\",\"path\":\"/api/orders\",\"protocol\":\"HTTP/1.1\","
           "\"status\":200,\"received\":310,\"sent\":1204,\"took_us\":1250,\"worker_us\":12,"
           "\"invocation\":\"i1\",\"request\":\"r1\",\"agent\":\"curl/8.5 (x)\",\"referer\":"
           "\"https://a/\"}\n");
    writes(&whole, ISWI_ACCESS_COMBINED, false,
           "192.0.2.1 - ada [27/Nov/2026:09:00:14 +0000] \"GET /api/orders HTTP/1.1\" 200 1000 "
           "\"https://a/\" \"curl/8.5 (x)\"\n");
}

static void what_was_refused_has_its_reason(void **state)
{
    iswi_access refused = { .begun_us = whole.begun_us,
                            .reason = { "It is \"full\".\n", 14 },
                            .status = 503,
                            .worker_us = -1 };

    (void)state;
    in_zone("UTC");
    writes(&refused, ISWI_ACCESS_TEXT, false,
           "2026-11-27T09:00:14.123+00:00 - - \"-\" 503 in=0 out=0 took=0.000ms "
           "reason=\"It is \\\"full\\\".\\x0a\"\n");
    writes(&refused, ISWI_ACCESS_JSON, false,
           "{\"time\":\"2026-11-27T09:00:14.123+00:00\",\"status\":503,\"received\":0,"
           "\"sent\":0,\"took_us\":0,\"reason\":\"It is \\\"full\\\".\\n\"}\n");
}

static void a_query_is_shown_where_that_is_asked_for(void **state)
{
    (void)state;
    in_zone("UTC");
    writes(&whole, ISWI_ACCESS_COMBINED, true,
           "192.0.2.1 - ada [27/Nov/2026:09:00:14 +0000] \"GET /api/orders?key=secret HTTP/1.1\" "
           "200 1000 \"https://a/\" \"curl/8.5 (x)\"\n");
}

static void times_have_their_zone(void **state)
{
    iswi_access bare = { .begun_us = whole.begun_us, .worker_us = -1, .status = 204 };

    (void)state;
    in_zone("IST-5:30");
    writes(&bare, ISWI_ACCESS_TEXT, false,
           "2026-11-27T14:30:14.123+05:30 - - \"-\" 204 in=0 out=0 took=0.000ms\n");
    in_zone("NST3:30");
    writes(&bare, ISWI_ACCESS_COMBINED, false,
           "- - - [27/Nov/2026:05:30:14 -0330] \"-\" 204 - \"-\" \"-\"\n");
    in_zone("UTC");
}

static void what_is_not_known_is_left_out(void **state)
{
    iswi_access bare = { .begun_us = whole.begun_us,
                         .client = { "unix", 4 },
                         .worker_us = -1,
                         .status = 408,
                         .cut = true };

    (void)state;
    in_zone("UTC");
    writes(&bare, ISWI_ACCESS_TEXT, false,
           "2026-11-27T09:00:14.123+00:00 unix - \"-\" 408 in=0 out=0 took=0.000ms cut\n");
    writes(&bare, ISWI_ACCESS_JSON, false,
           "{\"time\":\"2026-11-27T09:00:14.123+00:00\",\"client\":\"unix\",\"status\":408,"
           "\"received\":0,\"sent\":0,\"took_us\":0,\"cut\":true}\n");
}

/* Every byte in every text: one line comes of it, of printable ASCII but in JSON, with as many
 * quotes and spaces outside of quotes as any other line has. */
static void a_client_forges_neither_lines_nor_columns(void **state)
{
    char every[255];
    isw_str text = { every, sizeof every };
    iswi_access hostile = whole;

    (void)state;
    for (size_t i = 0; i < sizeof every; i++)
        every[i] = (char)(i + 1);
    hostile.client = hostile.principal = hostile.method = hostile.target = hostile.protocol = text;
    hostile.invocation_id = hostile.request_id = hostile.agent = hostile.referer = text;
    for (int form = ISWI_ACCESS_TEXT; form <= ISWI_ACCESS_COMBINED; form++) {
        iswi_buffer out = { 0 };
        size_t quotes = 0;
        size_t columns = 0;

        iswi_access_write(&hostile, (iswi_access_form)form, true, &out);
        assert_int_equal(out.data[out.size - 1], '\n');
        for (size_t i = 0; i + 1 < out.size; i++) {
            assert_true(out.data[i] >= ' ');
            assert_true(form == ISWI_ACCESS_JSON || out.data[i] < 0x7f);
            if (out.data[i] == '\\')
                i++;
            else if (out.data[i] == '"')
                quotes++;
            else if (out.data[i] == ' ')
                columns += quotes % 2 == 0;
        }
        if (form != ISWI_ACCESS_JSON) {
            assert_int_equal(quotes, 6);
            assert_int_equal(columns, form == ISWI_ACCESS_TEXT ? 12 : 9);
        }
        iswi_buffer_fini(&out);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_line_has_all_that_is_known),
    cmocka_unit_test(what_was_refused_has_its_reason),
    cmocka_unit_test(a_query_is_shown_where_that_is_asked_for),
    cmocka_unit_test(times_have_their_zone),
    cmocka_unit_test(what_is_not_known_is_left_out),
    cmocka_unit_test(a_client_forges_neither_lines_nor_columns),
};

ISW_TEST_MAIN(tests)
