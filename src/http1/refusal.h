/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HTTP1_REFUSAL_H
#define ISWI_HTTP1_REFUSAL_H

/* Why a request cannot be read, for its client. Pure; any thread. */
#include "base/arena.h"

typedef enum iswi_http1_result {
    ISWI_HTTP1_MORE,   /* more bytes are needed */
    ISWI_HTTP1_DONE,   /* it is whole */
    ISWI_HTTP1_REFUSED /* see the refusal; nothing behind can be read, so the connection ends */
} iswi_http1_result;

typedef struct iswi_http1_refusal {
    int status;       /* 400 for what breaks the grammar; 413, 414, 417, 431, 501, 503, 505 */
    const char *what; /* what is wrong, a sentence without its full stop; static */
    uint32_t line;    /* where: a line of the head, counted from 1, or 0 */
    uint64_t byte;    /* and a byte of it, counted from 1; without a line, of the body as it was
                         sent, with what stands around its chunks; 0: in no one place */
} iswi_http1_refusal;

/* "The name of a header field is not a token (line 3, byte 5)." In `arena`, or static if that has
 * no memory. */
const char *iswi_http1_refusal_text(const iswi_http1_refusal *refusal, iswi_arena *arena);

#endif
