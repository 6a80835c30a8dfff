/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CRON_CIVIL_H
#define ISWI_CRON_CIVIL_H

/* Dates of the Gregorian calendar by arithmetic, for any year from 1 to 9999, and how an instant is
 * written. Pure; any thread. */
#include <stdint.h>

enum { ISWI_DAY_SECONDS = 86400, ISWI_STAMP_BYTES = 32 };

#define ISWI_CIVIL_FIRST INT64_C(-62135596800) /* 0001-01-01T00:00:00, since 1970 */
#define ISWI_CIVIL_LAST INT64_C(253402300799)  /* 9999-12-31T23:59:59 */

typedef struct iswi_civil {
    int year, month, day; /* months and days from 1 */
} iswi_civil;

/* Days since 1970-01-01, and back. */
int64_t iswi_civil_days(int year, int month, int day);
iswi_civil iswi_civil_of(int64_t days);

/* 0 is Sunday. */
int iswi_civil_weekday(int64_t days);

int iswi_civil_month_days(int year, int month);

/* The day that a second of local time is in; rounds down. */
int64_t iswi_civil_day_of(int64_t seconds);

/* Write an instant, in seconds since 1970-01-01 UTC, as RFC 3339 has it, in the local time which is
 * `offset_s` before UTC; "Z" for UTC itself. Seconds of an offset, of old local times, are left out
 * of both. "never" for what is not in the years above. */
void iswi_stamp_write(int64_t instant_s, int offset_s, char out[ISWI_STAMP_BYTES]);

#endif
