/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Local time is searched span by span: within one it goes on evenly, so that a local time is one
 * instant. Invariant: each step of a search is to a later month, day or span, and there is a last
 * of each, so that it ends; and what it gives is behind `after_s` in any case.
 */
#include "cron/next.h"

#include "cron/civil.h"

enum { YEARS_MOST = 400, SPANS_MOST = 4 * YEARS_MOST + 400 };

/* -- Local time -------------------------------------------------------------------------------- */

/* The lowest number of a set from `from` on; -1: none. */
static int lowest(uint64_t set, unsigned from)
{
    uint64_t rest = from > 63 ? 0 : set >> from << from;

    return rest ? __builtin_ctzll(rest) : -1;
}

/* The first second of an hour from `from` on; -1: none. */
static int next_in_hour(const iswi_cron *cron, unsigned from)
{
    int minute = lowest(cron->minutes, from / 60);
    int second;

    if (minute < 0)
        return -1;
    second = lowest(cron->seconds, minute == (int)from / 60 ? from % 60 : 0);
    if (second < 0) {
        minute = lowest(cron->minutes, (unsigned)minute + 1);
        second = lowest(cron->seconds, 0);
    }
    return minute < 0 ? -1 : minute * 60 + second;
}

/* The first second of a day from `from` on; -1: none. */
static int next_in_day(const iswi_cron *cron, unsigned from)
{
    int hour = lowest(cron->hours, from / 3600);
    int rest;

    if (hour < 0)
        return -1;
    rest = next_in_hour(cron, hour == (int)from / 3600 ? from % 3600 : 0);
    if (rest < 0) {
        hour = lowest(cron->hours, (unsigned)hour + 1);
        rest = next_in_hour(cron, 0);
    }
    return hour < 0 ? -1 : hour * 3600 + rest;
}

static bool has_day(const iswi_cron *cron, int64_t day, const iswi_civil *date)
{
    bool by_day = cron->days >> date->day & 1;
    bool by_weekday = cron->weekdays >> iswi_civil_weekday(day) & 1;

    return cron->either ? by_day || by_weekday : by_day && by_weekday;
}

/* From *day on; false where there is none until `last_year`. */
static bool next_day(const iswi_cron *cron, int64_t *day, int last_year)
{
    iswi_civil date = iswi_civil_of(*day);

    while (date.year <= last_year) {
        int days = iswi_civil_month_days(date.year, date.month);

        for (; (cron->months >> date.month & 1) && date.day <= days; date.day++) {
            *day = iswi_civil_days(date.year, date.month, date.day);
            if (has_day(cron, *day, &date))
                return true;
        }
        date = (iswi_civil){ date.year + date.month / 12, date.month % 12 + 1, 1 };
    }
    return false;
}

/* The first local second from `from_s` on; ISWI_CRON_NEVER. */
static int64_t next_local(const iswi_cron *cron, int64_t from_s)
{
    int64_t first = iswi_civil_day_of(from_s);
    int64_t day = first;
    int last_year = iswi_civil_of(first).year + YEARS_MOST;
    int second;

    last_year = last_year > 9999 ? 9999 : last_year;
    if (!next_day(cron, &day, last_year))
        return ISWI_CRON_NEVER;
    second = next_in_day(cron, day == first ? (unsigned)(from_s - day * ISWI_DAY_SECONDS) : 0);
    if (second < 0) { /* that day's last is over */
        day++;
        if (!next_day(cron, &day, last_year))
            return ISWI_CRON_NEVER;
        second = next_in_day(cron, 0);
    }
    return day * ISWI_DAY_SECONDS + second;
}

/* -- Spans ------------------------------------------------------------------------------------- */

/* The first from `from_s` on in the span, or ISWI_CRON_NEVER. A point in time is not due again in
 * an hour that comes once more. *never: there is none in later spans either. */
static int64_t next_even(const iswi_cron *cron, const iswi_zone_span *span, int64_t from_s,
                         bool *never)
{
    int64_t local_s = from_s + span->offset_s;
    int64_t found_s;

    if (!cron->interval && span->from_s != INT64_MIN && local_s < span->from_s + span->before_s)
        local_s = span->from_s + span->before_s; /* it was there before */
    found_s = next_local(cron, local_s);
    *never = found_s == ISWI_CRON_NEVER;
    if (*never || found_s - span->offset_s >= span->until_s)
        return ISWI_CRON_NEVER;
    return found_s - span->offset_s;
}

/* The first point in time of the local times that its begin left out, as if it had not. */
static int64_t next_left_out(const iswi_cron *cron, const iswi_zone_span *span, int64_t from_s)
{
    int64_t found_s;

    if (cron->interval || span->from_s == INT64_MIN || span->offset_s <= span->before_s ||
        from_s >= span->from_s + span->offset_s - span->before_s)
        return ISWI_CRON_NEVER;
    found_s = next_local(cron, from_s + span->before_s);
    return found_s < span->from_s + span->offset_s ? found_s - span->before_s : ISWI_CRON_NEVER;
}

static int64_t next_of_fields(const iswi_cron *cron, const iswi_zone *zone, int64_t from_s)
{
    for (int i = 0; i < SPANS_MOST; i++) {
        iswi_zone_span span;
        int64_t even_s, left_out_s;
        bool never;

        iswi_zone_span_of(zone, from_s, &span);
        even_s = next_even(cron, &span, from_s, &never);
        left_out_s = next_left_out(cron, &span, from_s);
        if (left_out_s < even_s)
            return left_out_s;
        if (even_s != ISWI_CRON_NEVER || never || span.until_s > ISWI_CIVIL_LAST)
            return even_s;
        from_s = span.until_s;
    }
    return ISWI_CRON_NEVER;
}

int64_t iswi_cron_next(const iswi_cron *cron, const iswi_zone *zone, int64_t after_s)
{
    int64_t every_s = cron->every_s;
    int64_t next_s;

    /* A day is left at each end, for local time. */
    if (after_s >= ISWI_CIVIL_LAST - 2 * ISWI_DAY_SECONDS)
        return ISWI_CRON_NEVER;
    if (after_s < ISWI_CIVIL_FIRST + 2 * ISWI_DAY_SECONDS)
        after_s = ISWI_CIVIL_FIRST + 2 * ISWI_DAY_SECONDS;
    if (!every_s)
        return next_of_fields(cron, zone, after_s + 1);
    next_s = after_s / every_s * every_s;
    return next_s > after_s ? next_s : next_s + every_s;
}
