/* SPDX-License-Identifier: Apache-2.0 */
#include "host/timer/schedule.h"

#include <string.h>

#define YEAR_2000 INT64_C(946684800)

enum { WINDOW_S = 60, BACK_MOST = 128 };

isw_status iswi_schedule_open(const char *text, const char *zone_name, iswi_schedule *out,
                              isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    iswi_schedule made = { .text = text, .zone_name = zone_name };

    if (iswi_cron_read(text, &made.cron, &own) != ISW_OK)
        return isw_error_set(error, own.status, "schedule \"%s\": %s", text, own.message);
    if (iswi_zone_open(zone_name, &made.zone, &own) != ISW_OK)
        return isw_error_set(error, own.status, "zone: %s", own.message);
    if (iswi_cron_next(&made.cron, made.zone, YEAR_2000) == ISWI_CRON_NEVER) {
        iswi_schedule_close(&made);
        return isw_error_set(error, ISW_E_CONFIG, "schedule \"%s\" never comes: no year has such a "
                             "day; change day, month or weekday", text);
    }
    *out = made;
    return ISW_OK;
}

void iswi_schedule_close(iswi_schedule *schedule)
{
    iswi_zone_close(schedule->zone);
    schedule->zone = NULL;
}

int64_t iswi_schedule_next(const iswi_schedule *schedule, int64_t after_s)
{
    return iswi_cron_next(&schedule->cron, schedule->zone, after_s);
}

/* The first one of a time that ends at `now_s` and has one, as short as possible; so that years
 * that have passed are not gone through one by one. */
static int64_t near_now(const iswi_schedule *schedule, int64_t first_s, int64_t now_s)
{
    for (int64_t window_s = WINDOW_S; now_s - window_s > first_s; window_s *= 2) {
        int64_t at_s = iswi_schedule_next(schedule, now_s - window_s);

        if (at_s <= now_s)
            return at_s;
    }
    return first_s;
}

iswi_passed iswi_schedule_passed(const iswi_schedule *schedule, int64_t first_s, int64_t now_s)
{
    iswi_passed passed = { .last_s = first_s, .count = 1 };
    int64_t next_s;

    while (passed.count < ISWI_PASSED_MOST &&
           (next_s = iswi_schedule_next(schedule, passed.last_s)) <= now_s) {
        passed.last_s = next_s;
        passed.count++;
    }
    if (passed.count < ISWI_PASSED_MOST)
        return passed;
    passed.last_s = near_now(schedule, first_s, now_s);
    while ((next_s = iswi_schedule_next(schedule, passed.last_s)) <= now_s)
        passed.last_s = next_s;
    return passed;
}

int64_t iswi_schedule_back(const iswi_schedule *schedule, int64_t first_s, int64_t now_s,
                           unsigned count)
{
    int64_t ring[BACK_MOST];
    unsigned seen = 0;

    count = count > BACK_MOST ? BACK_MOST : count;
    /* Twice the span of one is the half of another: far enough back there are so many. */
    for (int64_t window_s = WINDOW_S; seen < count; window_s *= 4) {
        bool all = now_s - window_s <= first_s;
        int64_t at_s = all ? first_s : iswi_schedule_next(schedule, now_s - window_s);

        for (seen = 0; at_s <= now_s; at_s = iswi_schedule_next(schedule, at_s))
            ring[seen++ % count] = at_s;
        if (all)
            break;
    }
    return seen < count ? first_s : ring[seen % count];
}

void iswi_schedule_stamp(const iswi_schedule *schedule, int64_t instant_s,
                         char out[ISWI_STAMP_BYTES])
{
    iswi_zone_span span;

    iswi_zone_span_of(schedule->zone, instant_s, &span);
    iswi_stamp_write(instant_s, span.offset_s, out);
}
