/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CRON_EXPRESSION_H
#define ISWI_CRON_EXPRESSION_H

/*
 * When a timer is due, as people write it. Pure; any thread.
 *
 *     second minute hour day month weekday    six fields, NCRONTAB: "0 30 9 * * Mon-Fri"
 *            minute hour day month weekday    five, as in a crontab; at second 0
 *     @hourly @daily @midnight @weekly @monthly @yearly @annually
 *     @every 90s, @every 1h30m    counted from 1970-01-01 UTC, so that it is the same on each host
 *                                 and no restart begins it anew
 *
 * A field is a list with commas of: `*` for any, a number, a range `a-b`, and any of these with a
 * step behind it, `/n`; `a/n` begins at a and goes to the end. Months and weekdays have names, the
 * first three letters or more of them, in any case. Sunday is 0 and 7; at the end of a range, where
 * the begin is another day, SUN is 7.
 *
 * Day and weekday. With six fields a day must be in both, as NCrontab has it. With five it may be
 * in either, where both are said, as in every crontab since System V: a field that begins with `*`
 * says nothing ("0 0 1,15 * Fri" is every Friday, each 1st and each 15th).
 */
#include <isoworker/status.h>
#include <stdint.h>

typedef struct iswi_cron {
    uint64_t seconds, minutes; /* sets: the bit of each number that is in it */
    uint32_t hours, days;
    uint16_t months;
    uint8_t weekdays; /* 0 is Sunday; 7 is not used */
    bool either;      /* a day is in it by day or weekday */
    bool interval;    /* there is a `*`, `-` or `/` in seconds, minutes or hours: next.h */
    int64_t every_s;  /* @every; 0: it is none */
} iswi_cron;

/* Read `text`, of which spaces around count for nothing. ISW_E_CONFIG, with a sentence which names
 * the field, where it is (characters from 1), and what to write instead. */
isw_status iswi_cron_read(const char *text, iswi_cron *out, isw_error *error);

#endif
