/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TIMER_SCHEDULE_H
#define ISWI_HOST_TIMER_SCHEDULE_H

/* An expression in its zone, as a function gives both. Any thread, once it is open. */
#include "cron/civil.h"
#include "cron/next.h"

typedef struct iswi_schedule {
    const char *text, *zone_name; /* as they were given, and borrowed */
    iswi_cron cron;
    iswi_zone *zone;
} iswi_schedule;

/* Errors: ISW_E_CONFIG, which begins with the property that is wrong, also for what no year has;
 * ISW_E_NO_MEMORY. */
isw_status iswi_schedule_open(const char *text, const char *zone_name, iswi_schedule *out,
                              isw_error *error);
void iswi_schedule_close(iswi_schedule *schedule); /* a zeroed one, too */

/* The first one behind `after_s`; ISWI_CRON_NEVER. */
int64_t iswi_schedule_next(const iswi_schedule *schedule, int64_t after_s);

/* What has passed of it. */
typedef struct iswi_passed {
    int64_t last_s; /* the last one */
    unsigned count; /* ISWI_PASSED_MOST: or more */
} iswi_passed;

enum { ISWI_PASSED_MOST = 10000 };

/* Those from `first_s`, which is one, to `now_s`. */
iswi_passed iswi_schedule_passed(const iswi_schedule *schedule, int64_t first_s, int64_t now_s);

/* The `count`th last of them, from 1 on, if there are so many. */
int64_t iswi_schedule_back(const iswi_schedule *schedule, int64_t first_s, int64_t now_s,
                           unsigned count);

/* The instant as its zone has it: civil.h. */
void iswi_schedule_stamp(const iswi_schedule *schedule, int64_t instant_s,
                         char out[ISWI_STAMP_BYTES]);

#endif
