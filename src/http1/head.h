/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HTTP1_HEAD_H
#define ISWI_HTTP1_HEAD_H

/*
 * The head of a request: its bytes as they come, and what they say. A reader belongs to one
 * request; whoever reads the socket makes it, feeds it and keeps the bytes. It has no memory but
 * its arena, at most ISWI_HTTP1_FIELDS_MAX * 48 bytes and a copy of what is no UTF-8, and needs no
 * end. One thread at a time.
 *
 *     iswi_http1_head_begin(&head, &arena, 0);
 *     do {
 *         ... append to bytes what the socket has ...
 *         result = iswi_http1_head_read(&head, bytes, size);
 *     } while (result == ISWI_HTTP1_MORE);
 */
#include "http1/refusal.h"

#include <isoworker/value.h>

enum {
    ISWI_HTTP1_HEAD_BYTES = 16384, /* of a head, unless it is begun with another limit */
    ISWI_HTTP1_FIELDS_MAX = 512    /* fields of a head; more get 431 */
};

/* How the end of the body is found (RFC 9112, section 6.3). */
typedef enum iswi_http1_framing {
    ISWI_HTTP1_NO_BODY, /* neither of the others, or a Content-Length of 0 */
    ISWI_HTTP1_LENGTH,  /* content_length bytes */
    ISWI_HTTP1_CHUNKED
} iswi_http1_framing;

/* What the target is (RFC 9112, section 3.2). CONNECT and its authority-form are refused. */
typedef enum iswi_http1_form {
    ISWI_HTTP1_ORIGIN,   /* /path?query */
    ISWI_HTTP1_ABSOLUTE, /* http://authority/path?query, also https */
    ISWI_HTTP1_ASTERISK  /* the server as a whole: OPTIONS *, and OPTIONS http://authority */
} iswi_http1_form;

/* Where a part stands in the bytes. */
typedef struct iswi_http1_span {
    uint32_t at;
    uint32_t size;
} iswi_http1_span;

/* What was seen of the fields that have a meaning here. */
typedef struct iswi_http1_seen {
    uint32_t host;    /* the number of that field, counted from 1; 0: there is none */
    uint32_t upgrade; /* likewise */
    bool length;
    bool encoding;
    bool close;
    bool keep_alive;
    bool takes_upgrade; /* Connection names it */
    bool expects;
} iswi_http1_seen;

typedef struct iswi_http1_head {
    /* What it says, once it is DONE. Views of the bytes, but where it says otherwise. */
    size_t size;       /* of the head, with empty lines before it; the body begins there */
    isw_str method;    /* any token but CONNECT */
    isw_str target;    /* as it arrived */
    isw_str url;       /* its path and query, undecoded: begins with '/', or is "*"; perhaps in the
                          arena. Every '%' in it begins an escape */
    isw_str authority; /* the host that was asked, with its port: of the target in absolute-form,
                          else of Host; may be empty */
    isw_pairs fields;  /* in the order of arrival, in the arena: names in lower case, values without
                          the white space around them and as UTF-8 (isw_http's headers). Host has
                          the target's authority if that has one (RFC 9112, section 3.2.2) */
    isw_str upgrade;   /* the protocols of Upgrade, if Connection names it, too; else empty */
    int64_t content_length;
    iswi_http1_framing framing;
    iswi_http1_form form;
    int minor;             /* 1 for HTTP/1.1, 0 for HTTP/1.0 */
    bool keep_alive;       /* whether another request may follow on the connection */
    bool expects_continue; /* "100 Continue" is awaited before the body is sent */

    iswi_http1_refusal refusal; /* once it is REFUSED */

    /* Where the reading stands. */
    iswi_arena *arena;
    iswi_http1_span *spans; /* of name and value of each field, one after the other */
    uint32_t field_count;
    uint32_t field_room;
    uint32_t limit;
    uint32_t at;         /* the first byte that was not looked at */
    uint32_t part;       /* where what is being read begins */
    uint32_t line_begin; /* where the line does */
    uint32_t line;       /* its number, from 1 */
    uint8_t stage;
    iswi_http1_span method_span;
    iswi_http1_span target_span;
    iswi_http1_seen seen;
} iswi_http1_head;

/* Begin a head of at most `limit` bytes; 0 stands for ISWI_HTTP1_HEAD_BYTES. `arena` outlives what
 * the head says. */
void iswi_http1_head_begin(iswi_http1_head *head, iswi_arena *arena, size_t limit);

/*
 * Read on. `bytes` are all that came since the begin, those that were read before as this function
 * left them, perhaps at another place; what follows the head may be there, too. The names of
 * fields are made small in place; nothing else is written, and nothing behind the head is read.
 *
 * DONE: head->size bytes are the head, which points into `bytes` from now on. REFUSED as soon as
 * it cannot become a head any more: 400, 414 for a request line beyond the limit and 431 for a
 * head, 417 for an expectation other than 100-continue, 501 for a transfer coding other than
 * chunked and for CONNECT, 505 for a version other than 1.1 and 1.0, 503 if the arena has no
 * memory. Not to be called again after either.
 */
iswi_http1_result iswi_http1_head_read(iswi_http1_head *head, char *bytes, size_t size);

/* Whether more than empty lines came, which a client may send between two requests. */
bool iswi_http1_head_has_begun(const iswi_http1_head *head);

#endif
