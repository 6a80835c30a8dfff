/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_TRACEPARENT_H
#define ISWI_BASE_TRACEPARENT_H

/* The header traceparent (W3C Trace Context, level 2, section 3.2). Pure; any thread. */
#include <isoworker/value.h>

enum {
    ISWI_TRACE_SAMPLED = 1,
    ISWI_TRACE_RANDOM = 2 /* the last seven bytes of the trace's id are random */
};

typedef struct iswi_traceparent {
    unsigned char trace_id[16];
    char parent_id[17]; /* 16 hexadecimal digits */
    unsigned flags;     /* those above; what else a caller has set means nothing here */
} iswi_traceparent;

/* Read one of version 00, or of a later one that begins alike (section 4). False, with *out
 * undefined, if it is not valid. */
bool iswi_traceparent_read(isw_str text, iswi_traceparent *out);

#endif
