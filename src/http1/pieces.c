/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies. Payload is handed on where it lies; what stands around it is read a byte at a time. */
#include "http1/internal.h"

void iswi_http1_body_begin(iswi_http1_body *body, const iswi_http1_head *head, int64_t limit)
{
    *body = (iswi_http1_body){ .limit = limit, .spare = ISWI_HTTP1_SPARE_BYTES };
    switch (head->framing) {
    case ISWI_HTTP1_NO_BODY:
        body->stage = ISWI_BODY_WHOLE;
        break;
    case ISWI_HTTP1_LENGTH:
        body->stage = ISWI_BODY_LENGTH;
        body->left = head->content_length;
        body->payload = head->content_length;
        break;
    case ISWI_HTTP1_CHUNKED:
        body->stage = ISWI_BODY_SIZE_BEGIN;
        break;
    }
}

static isw_bytes take(iswi_http1_body *body, const char *bytes, size_t size)
{
    size_t taken = (uint64_t)body->left < size ? (size_t)body->left : size;

    body->left -= (int64_t)taken;
    body->at += taken;
    return (isw_bytes){ bytes, taken };
}

/* Up to the next payload, or the end. */
static bool skip_framing(iswi_http1_body *body, const char *bytes, size_t size, size_t *used)
{
    while (*used < size && body->stage < ISWI_BODY_PAYLOAD) {
        if (!iswi_http1_chunk_byte(body, bytes[*used]))
            return false;
        body->at++;
        ++*used;
    }
    return true;
}

iswi_http1_result iswi_http1_body_read(iswi_http1_body *body, const char *bytes, size_t size,
                                       size_t *used, isw_bytes *piece)
{
    *used = 0;
    *piece = (isw_bytes){ NULL, 0 };
    if (body->stage == ISWI_BODY_LENGTH && body->payload > body->limit) {
        iswi_http1_refuse_body(body, 413, "The Content-Length is beyond the limit for bodies");
        body->refusal.byte = 0;
        return ISWI_HTTP1_REFUSED;
    }
    if (!skip_framing(body, bytes, size, used))
        return ISWI_HTTP1_REFUSED;
    if (body->stage == ISWI_BODY_WHOLE)
        return ISWI_HTTP1_DONE;
    if (body->stage < ISWI_BODY_PAYLOAD)
        return ISWI_HTTP1_MORE;
    *piece = take(body, bytes + *used, size - *used);
    *used += piece->size;
    if (body->left == 0)
        body->stage = body->stage == ISWI_BODY_LENGTH ? ISWI_BODY_WHOLE : ISWI_BODY_PAYLOAD_CR;
    return body->stage == ISWI_BODY_WHOLE ? ISWI_HTTP1_DONE : ISWI_HTTP1_MORE;
}
