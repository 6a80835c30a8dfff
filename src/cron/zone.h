/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CRON_ZONE_H
#define ISWI_CRON_ZONE_H

/*
 * A time zone of tzdata: a table that is read once from its file and owned by whoever opened it, so
 * that any number of them are in use at once. Any thread, once it is open.
 *
 * Files are those of TZDIR, or of /usr/share/zoneinfo. "UTC" needs none. "local" is the machine's
 * own: what TZ names, else /etc/localtime, else UTC.
 */
#include "cron/span.h"

#include <isoworker/status.h>

typedef struct iswi_zone iswi_zone;

/* ISW_E_CONFIG, with what to do: there is no such zone (and which was perhaps meant), tzdata is not
 * installed, the file is damaged; ISW_E_NO_MEMORY. */
isw_status iswi_zone_open(const char *name, iswi_zone **out, isw_error *error);
void iswi_zone_close(iswi_zone *zone); /* NULL is allowed */

/* As it was opened. */
const char *iswi_zone_name(const iswi_zone *zone);

/* The span that an instant is in, in seconds since 1970-01-01 UTC. */
void iswi_zone_span_of(const iswi_zone *zone, int64_t instant_s, iswi_zone_span *out);

#endif
