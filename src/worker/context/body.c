/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies in pieces: what of them an invocation keeps. How they travel is not known here. */
#include "worker/context/failure.h"

enum {
    GATHERED_MOST_BYTES = ISWI_MESSAGE_MAX_BYTES - 1024 * 1024 /* the rest for all else */
};

iswi_stream *iswi_body_stream(isw_context *ctx)
{
    if (!ctx->body.stream)
        ctx->body.stream = ctx->host->stream(ctx->host->user, ctx);
    if (!ctx->body.stream)
        iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a body in pieces");
    return ctx->body.stream;
}

bool iswi_body_ask(iswi_body *body)
{
    bool first = !body->asked;

    body->asked = true;
    return first;
}

void iswi_body_count(iswi_body *body, size_t bytes)
{
    body->read += bytes;
}

iswi_buffer *iswi_body_piece(iswi_body *body)
{
    iswi_buffer_reset(&body->piece);
    return &body->piece;
}

isw_status iswi_body_gather(isw_context *ctx, const void *bytes, size_t size)
{
    iswi_buffer *gathered = &ctx->body.gathered;

    if (size > GATHERED_MOST_BYTES - gathered->size)
        return iswi_misuse(ctx, ISW_E_TOO_LARGE, "a body of more than %d bytes needs a host that "
                                                 "takes it in pieces", GATHERED_MOST_BYTES);
    if (!iswi_buffer_append(gathered, bytes, size))
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for the response's body");
    return ISW_OK;
}

void iswi_body_settle(isw_context *ctx)
{
    const iswi_buffer *gathered = &ctx->body.gathered;

    ctx->head.reply.body = (isw_bytes){ gathered->data, gathered->size };
}

void iswi_body_start_over(iswi_body *body)
{
    body->spent = body->follows && body->read;
    body->read = body->spent ? body->read : 0;
}

void iswi_body_end(iswi_body *body)
{
    body->stream = NULL;
    if (body->gathered.data)
        iswi_buffer_fini(&body->gathered);
    if (body->piece.data)
        iswi_buffer_fini(&body->piece);
}
