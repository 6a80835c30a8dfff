/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_HTTP_CONDITIONS_H
#define ISWI_WORKER_HTTP_CONDITIONS_H

/* What a GET or HEAD is answered with, by its conditions (RFC 9110, section 13) and its range
 * (section 14). Pure; any thread. */
#include <isoworker/value.h>

/* What there is to be sent. */
typedef struct iswi_representation {
    isw_str etag;       /* strong, with its quotes */
    int64_t modified_s; /* since 1970-01-01 UTC, not after now_s */
    int64_t now_s;
    uint64_t size;      /* bytes */
} iswi_representation;

/* Bytes first to first + size - 1. */
typedef struct iswi_range {
    uint64_t first;
    uint64_t size;
} iswi_range;

typedef enum iswi_range_result {
    ISWI_RANGE_NONE, /* malformed, of another unit, or several: to be ignored */
    ISWI_RANGE_ONE,
    ISWI_RANGE_UNSATISFIABLE
} iswi_range_result;

/* Read the value of a Range header for what has `size` bytes. *out is set for ISWI_RANGE_ONE. */
iswi_range_result iswi_range_read(isw_str value, uint64_t size, iswi_range *out);

/* 200, 206, 304, 412 or 416; *range is what of it to send with the first two. */
int iswi_http_judge(const isw_http *request, const iswi_representation *there, iswi_range *range);

#endif
