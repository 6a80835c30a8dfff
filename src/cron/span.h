/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CRON_SPAN_H
#define ISWI_CRON_SPAN_H

#include <stdint.h>

/* A time in which local time goes on evenly. */
typedef struct iswi_zone_span {
    int64_t from_s, until_s; /* INT64_MIN: it always did; INT64_MAX: it always will */
    int offset_s;            /* local time is this before UTC */
    int before_s;            /* the same of the span before; its own where there is none */
} iswi_zone_span;

#endif
