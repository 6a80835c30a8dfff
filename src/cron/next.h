/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CRON_NEXT_H
#define ISWI_CRON_NEXT_H

/*
 * The next time of an expression in a zone. Pure; any thread.
 *
 * Where local time jumps (summer time, a zone that moves), it depends on what an expression says:
 *
 * - An interval, with a `*`, `-` or `/` in seconds, minutes or hours, goes on evenly: what an hour
 *   that comes twice has is due in both, what an hour that does not come has is left out. One of
 *   "each 15 minutes" is due every 15 minutes of real time.
 * - A point in time, "0 30 2 * * *", is due once a day: in an hour that comes twice in the first;
 *   in one that does not come as much behind the jump as it would have been, 02:30 at 03:30. So
 *   have Azure Functions and RFC 5545 it; cronie would run it at 03:00. Two timers of one such hour
 *   keep their order and distance that way.
 *
 * This goes for jumps of any size, in either direction: where a whole day is left out, as
 * 2011-12-30 in Apia, what is due on that date is so a day later, which is one run with that day's
 * own.
 */
#include "cron/expression.h"
#include "cron/zone.h"

#define ISWI_CRON_NEVER INT64_MAX

/* The first instant behind `after_s` that is due, in seconds since 1970-01-01 UTC; ISWI_CRON_NEVER:
 * there is none in 400 years, of which the calendar repeats itself, nor before the year 10000. */
int64_t iswi_cron_next(const iswi_cron *cron, const iswi_zone *zone, int64_t after_s);

#endif
