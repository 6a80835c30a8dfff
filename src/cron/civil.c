/* SPDX-License-Identifier: Apache-2.0 */
/* Years are counted from March here, so that the day that only some of them have is their last. */
#include "cron/civil.h"

#include <stdio.h>

enum {
    DAYS_OF_400_YEARS = 146097,
    DAYS_OF_100_YEARS = 36524,
    DAYS_OF_4_YEARS = 1461,
    DAYS_OF_YEAR = 365,
    DAYS_TO_1970 = 719468 /* from 0000-03-01 */
};

/* Days before a month that is counted from March: 31, 30, 31, 30, 31 and again. */
static int days_before(int month)
{
    return (153 * month + 2) / 5;
}

int64_t iswi_civil_days(int year, int month, int day)
{
    int from_march = month > 2 ? month - 3 : month + 9;
    int64_t y = month > 2 ? year : year - 1;

    return y * DAYS_OF_YEAR + y / 4 - y / 100 + y / 400 + days_before(from_march) + day - 1 -
           DAYS_TO_1970;
}

/* How often `part` is in *days, which keeps the rest; the last of so many parts may be longer. */
static int take(int64_t *days, int part, int most)
{
    int64_t count = *days / part;

    count = count > most ? most : count;
    *days -= count * part;
    return (int)count;
}

iswi_civil iswi_civil_of(int64_t days)
{
    int64_t rest = days + DAYS_TO_1970;
    int year = 400 * take(&rest, DAYS_OF_400_YEARS, INT16_MAX);
    int month;

    year += 100 * take(&rest, DAYS_OF_100_YEARS, 3);
    year += 4 * take(&rest, DAYS_OF_4_YEARS, 24);
    year += take(&rest, DAYS_OF_YEAR, 3);
    month = (int)(5 * rest + 2) / 153;
    return (iswi_civil){ .year = month < 10 ? year : year + 1,
                         .month = month < 10 ? month + 3 : month - 9,
                         .day = (int)rest - days_before(month) + 1 };
}

int iswi_civil_weekday(int64_t days)
{
    return (int)(((days + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

int iswi_civil_month_days(int year, int month)
{
    if (month == 2)
        return 28 + ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

int64_t iswi_civil_day_of(int64_t seconds)
{
    return seconds / ISWI_DAY_SECONDS - (seconds % ISWI_DAY_SECONDS < 0);
}

void iswi_stamp_write(int64_t instant_s, int offset_s, char out[ISWI_STAMP_BYTES])
{
    const int minutes = offset_s / 60;
    int64_t local_s = instant_s;
    iswi_civil date;
    int64_t day;
    unsigned clock;

    if (instant_s >= ISWI_CIVIL_FIRST && instant_s <= ISWI_CIVIL_LAST)
        local_s += minutes * 60;
    if (local_s < ISWI_CIVIL_FIRST || local_s > ISWI_CIVIL_LAST) {
        snprintf(out, ISWI_STAMP_BYTES, "never");
        return;
    }
    day = iswi_civil_day_of(local_s);
    date = iswi_civil_of(day);
    clock = (unsigned)(local_s - day * ISWI_DAY_SECONDS);
    snprintf(out, ISWI_STAMP_BYTES, "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned)date.year % 10000,
             (unsigned)date.month % 100, (unsigned)date.day % 100, clock / 3600 % 100,
             clock / 60 % 60, clock % 60);
    if (minutes == 0)
        snprintf(out + 19, ISWI_STAMP_BYTES - 19, "Z");
    else
        snprintf(out + 19, ISWI_STAMP_BYTES - 19, "%c%02u:%02u", minutes < 0 ? '-' : '+',
                 (unsigned)(minutes < 0 ? -minutes : minutes) / 60 % 100,
                 (unsigned)(minutes < 0 ? -minutes : minutes) % 60);
}
