/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_ACCESS_LINE_H
#define ISWI_HOST_HTTP_ACCESS_LINE_H

/*
 * A line of the access log: one request, whoever answered it. Pure but for the zone that the
 * program runs in; any thread.
 *
 * Text, for people:
 *     2026-11-27T09:00:14.123+01:00 192.0.2.1 ada "GET /api/orders HTTP/1.1" 200 in=310 out=1204
 *     took=1.250ms worker=0.412ms reason="..." invocation=... request=... agent="curl/8"
 *     referer="..." cut
 * Json: an object with the same, each left out where there is none; durations in microseconds.
 * Combined: Apache's, with the bytes of the answer's body, so that tools which read that read this.
 */
#include "base/buffer.h"

#include <isoworker/value.h>

typedef enum iswi_access_form {
    ISWI_ACCESS_TEXT,
    ISWI_ACCESS_JSON,
    ISWI_ACCESS_COMBINED
} iswi_access_form;

enum {
    ISWI_ACCESS_LEFT = 499 /* the status of a request whose client was gone before the answer, as
                              nginx has it */
};

/* Empty texts are not known. What a client sent is written so that it can neither forge a line or a
 * column nor drive a terminal. */
typedef struct iswi_access {
    int64_t begun_us; /* its first byte, since 1970-01-01 UTC */
    isw_str client, principal; /* whom auth found, or the client's certificate names */
    isw_str method, target, protocol; /* all empty: nothing of it could be read */
    isw_str invocation_id, request_id;
    isw_str agent, referer;
    isw_str reason; /* why it was refused, or failed: the host's own words, or the name of the status
                       that its worker gave it */
    int status;
    uint64_t received, sent; /* bytes of the request and of the answer, with their heads */
    uint64_t body_sent;
    int64_t took_us;   /* until the last byte of the answer was handed to the system */
    int64_t worker_us; /* of it in the worker; -1: it came to none */
    bool cut;          /* the answer was not sent to its end */
} iswi_access;

/* Append one line with its line feed. Of the target the path alone, unless `query`: what stands
 * there is often secret. */
void iswi_access_write(const iswi_access *access, iswi_access_form form, bool query,
                       iswi_buffer *out);

#endif
