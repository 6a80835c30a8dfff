/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HTTP1_BODY_H
#define ISWI_HTTP1_BODY_H

/*
 * The body behind a head, piece by piece where it lies. A reader belongs to one request; it keeps
 * no bytes and needs no end. One thread at a time.
 *
 *     iswi_http1_body_begin(&body, &head, limit);
 *     do {
 *         result = iswi_http1_body_read(&body, bytes, size, &used, &piece);
 *         bytes += used, size -= used;
 *         ... take the piece ...
 *     } while (result == ISWI_HTTP1_MORE && size);
 */
#include "http1/head.h"

enum {
    ISWI_HTTP1_SIZE_DIGITS = 16,     /* of a chunk's size, zeros before it counted */
    ISWI_HTTP1_SPARE_BYTES = 4096,   /* of extensions, beyond one for each byte of payload */
    ISWI_HTTP1_TRAILER_BYTES = 8192, /* of the trailer section */
    ISWI_HTTP1_NAME_BYTES = 24       /* of a trailer's name that are kept: those it may not be */
};

typedef struct iswi_http1_body {
    int64_t left;    /* bytes of this chunk, or of the body, that have not come */
    int64_t payload; /* bytes that were announced up to here, by the length or the chunks' sizes */
    iswi_http1_refusal refusal; /* once it is REFUSED */

    /* Where the reading stands. */
    int64_t limit;
    int64_t spare;    /* bytes that extensions may still have */
    uint64_t at;      /* bytes read */
    uint32_t trailer; /* bytes of the trailer section */
    uint8_t digits;
    uint8_t stage;
    uint8_t name_size;
    char name[ISWI_HTTP1_NAME_BYTES];
} iswi_http1_body;

/* Begin the body that `head`, which is DONE, announces; of at most `limit` bytes of payload,
 * INT64_MAX for any number. */
void iswi_http1_body_begin(iswi_http1_body *body, const iswi_http1_head *head, int64_t limit);

/*
 * Read some of `bytes`, which come behind what was read before: at most one piece of payload, which
 * is *piece, a view of them, or empty. *used is how far it came.
 *
 * MORE: call again with what follows, at once if not all was used. DONE: the body is whole and ends
 * there; a last piece may come with it, and what follows is the next request's. Trailer fields
 * are read and dropped. REFUSED: *piece is empty; 400, 413 for a payload beyond the limit, as soon
 * as it is announced, 431 for too large a trailer section. Not to be called again after either.
 */
iswi_http1_result iswi_http1_body_read(iswi_http1_body *body, const char *bytes, size_t size,
                                       size_t *used, isw_bytes *piece);

#endif
