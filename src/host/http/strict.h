/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_STRICT_H
#define ISWI_HOST_HTTP_STRICT_H

/* What a request head must be beyond what libmicrohttpd asks for, so that no proxy in front and no
 * function behind reads it otherwise than we do (RFC 9112, section 11.2). Pure; any thread. */
#include <isoworker/value.h>

typedef struct iswi_http_head {
    isw_str method;
    isw_str target;    /* undecoded, as it arrived */
    isw_str version;   /* "HTTP/1.1" */
    isw_pairs headers; /* in the order of arrival, as they stood; views into the head's bytes */
    const char *target_place; /* where the target stood in the head's bytes */
    size_t size;              /* of the head, from the method to the empty line */
} iswi_http_head;

typedef struct iswi_http_framing {
    bool has_body;          /* chunked, or a length above 0 */
    int64_t content_length; /* 0 if there is none */
} iswi_http_framing;

/* NULL if the head is fine, with `out` filled; else a sentence for the client. */
const char *iswi_http_strict_check(const iswi_http_head *head, iswi_http_framing *out);

/* Whether every line of the head ended with CR LF, single spaces divided the request line, no line
 * was folded, and no NUL hid anything: whether its parts lie in memory as libmicrohttpd's parser
 * leaves such a head, which it takes apart in place (see strict.c). */
bool iswi_http_strict_layout(const iswi_http_head *head);

#endif
