/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CRON_FOOTER_H
#define ISWI_CRON_FOOTER_H

/* The rule for the years behind a zone's table: a text as TZ of POSIX has it, with the hours from
 * -167 to 167 that RFC 9636 allows: "CET-1CEST,M3.5.0,M10.5.0/3". Pure; any thread. */
#include "cron/span.h"

#include <isoworker/value.h>

typedef struct iswi_footer_day {
    char kind; /* 'M': month, week (5: the last) and weekday; 'J': 1 to 365, no 29 February; 'n' */
    int month, week, day;
    int time_s; /* behind its midnight, in the local time before the change */
} iswi_footer_day;

typedef struct iswi_footer {
    int offset_s[2];           /* of standard time, of summer time */
    bool changes;              /* there is a summer time; else the rest is zero */
    iswi_footer_day begins[2]; /* of standard time, of summer time */
} iswi_footer;

/* False: it is none. */
bool iswi_footer_read(isw_str text, iswi_footer *out);

void iswi_footer_span(const iswi_footer *footer, int64_t instant_s, iswi_zone_span *out);

#endif
