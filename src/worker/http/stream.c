/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies in pieces. Where the host takes them they go through the invocation's stream; where there
 * is no such host they are read from the whole body, and gather until the end. Invariant: what
 * middleware can see of a context does not depend on which of the two it is.
 */
#include "worker/context/failure.h"
#include "worker/http/reply.h"
#include "worker/http/windows.h"

#include <isoworker/stream.h>

enum {
    CHUNK_BYTES = 64 * 1024,
    GATHERED_MOST_BYTES = ISWI_MESSAGE_MAX_BYTES - 1024 * 1024 /* the rest for all else */
};

/* -- Reading ----------------------------------------------------------------------------------- */

static iswi_stream *stream_of(isw_context *ctx)
{
    if (!ctx->stream)
        ctx->stream = ctx->host->stream(ctx->host->user, ctx);
    if (!ctx->stream)
        iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a body in pieces");
    return ctx->stream;
}

static isw_status send_frame(isw_context *ctx, iswi_frame *frame, const char *what)
{
    isw_error error = { ISW_OK, "" };
    isw_status status = ctx->host->send(ctx->host->user, ctx, frame, &error);

    if (status == ISW_OK)
        return ISW_OK;
    if (error.status != ISW_OK)
        return iswi_fail(ctx, status, "%s cannot travel: %s", what, error.message);
    if (status == ISW_E_NO_MEMORY)
        return iswi_fail(ctx, status, "no memory for %s", what);
    return iswi_fail(ctx, ISW_E_IO, "%s could not be sent: the host is gone", what);
}

static isw_status read_stream(isw_context *ctx, void *buffer, size_t size, size_t *got)
{
    iswi_frame frame = { .kind = ISWI_WINDOW };
    iswi_stream *stream = stream_of(ctx);
    isw_status status;
    size_t grant;

    if (!stream)
        return ISW_E_NO_MEMORY;
    if (ctx->body_spent)
        return iswi_misuse(ctx, ISW_E_CONFLICT, "the request's body was read by an earlier try");
    status = iswi_stream_take(stream, ctx, buffer, size, got, &grant);
    if (status != ISW_OK)
        return status;
    ctx->body_read += *got;
    frame.as.window.bytes = grant;
    return grant ? send_frame(ctx, &frame, "the window of the request's body") : ISW_OK;
}

static isw_status read_whole(isw_context *ctx, void *buffer, size_t size, size_t *got)
{
    isw_status status = iswi_context_go_on(ctx);
    isw_bytes body = isw_http_body(ctx);
    size_t left = ctx->body_read < body.size ? body.size - ctx->body_read : 0;

    if (status != ISW_OK)
        return status;
    if (size > left)
        size = left;
    if (size)
        memcpy(buffer, (const char *)body.data + ctx->body_read, size);
    ctx->body_read += size;
    *got = size;
    return ISW_OK;
}

isw_status isw_http_read(isw_context *ctx, void *buffer, size_t size, size_t *got)
{
    ISWI_ALIVE(ctx);
    isw_status status = iswi_context_may_add(ctx);

    if (status != ISW_OK)
        return status;
    if (size == 0)
        return iswi_misuse(ctx, ISW_E_INVALID, "a body cannot be read into 0 bytes");
    return ctx->body_follows ? read_stream(ctx, buffer, size, got)
                             : read_whole(ctx, buffer, size, got);
}

/* -- Writing ----------------------------------------------------------------------------------- */

static isw_status send_head(isw_context *ctx)
{
    iswi_frame frame = { .kind = ISWI_HEAD, .as.head.http = ctx->reply };

    if (!stream_of(ctx))
        return ISW_E_NO_MEMORY;
    return send_frame(ctx, &frame, "the head of the response");
}

isw_status isw_http_begin(isw_context *ctx, int status, const char *content_type)
{
    ISWI_ALIVE(ctx);
    isw_status done;

    if (!isw_http_request(ctx))
        return iswi_misuse(ctx, ISW_E_INVALID, "there is no HTTP request to begin a response to");
    if (status < 200 || status == 204 || status == 205 || status == 304) /* RFC 9110, 6.4.1 */
        return iswi_misuse(ctx, ISW_E_INVALID, "a response of status %d has no body", status);
    done = isw_http_reply_bytes(ctx, status, content_type, NULL, 0);
    if (done == ISW_OK) /* what has begun cannot become another answer */
        done = iswi_answer_check_head(ctx);
    if (done == ISW_OK && ctx->host)
        done = send_head(ctx);
    if (done == ISW_OK)
        ctx->begun = true;
    return done;
}

bool isw_http_begun(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->begun;
}

static isw_status may_write(isw_context *ctx)
{
    isw_status status = iswi_context_may_add(ctx);

    if (status != ISW_OK)
        return status;
    if (!ctx->begun)
        return iswi_misuse(ctx, ISW_E_CONFLICT, "the response has not begun: call isw_http_begin");
    return iswi_context_go_on(ctx);
}

static isw_status gather(isw_context *ctx, const void *bytes, size_t size)
{
    if (size > GATHERED_MOST_BYTES - ctx->gathered.size)
        return iswi_misuse(ctx, ISW_E_TOO_LARGE, "a body of more than %d bytes needs a host that "
                                               "takes it in pieces", GATHERED_MOST_BYTES);
    if (!iswi_buffer_append(&ctx->gathered, bytes, size))
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for the response's body");
    return ISW_OK;
}

isw_status isw_http_write(isw_context *ctx, const void *bytes, size_t size)
{
    ISWI_ALIVE(ctx);
    isw_status status = may_write(ctx);

    if (status == ISW_OK && size)
        status = iswi_needs(ctx, __func__, "piece of the body", bytes);
    if (status == ISW_OK && !ctx->host)
        return gather(ctx, bytes, size);
    while (status == ISW_OK && size) {
        iswi_frame frame = { .kind = ISWI_CHUNK };
        size_t part;

        status = iswi_stream_reserve(ctx->stream, ctx, size < CHUNK_BYTES ? size : CHUNK_BYTES,
                                     &part);
        if (status != ISW_OK)
            break;
        frame.as.chunk.bytes = (isw_bytes){ bytes, part };
        status = send_frame(ctx, &frame, "the response's body");
        bytes = (const char *)bytes + part;
        size -= part;
    }
    return status;
}

isw_status isw_http_printf(isw_context *ctx, const char *format, ...)
{
    ISWI_ALIVE(ctx);
    va_list args;
    bool ok;

    if (!format)
        return iswi_needs(ctx, __func__, "format", format);
    iswi_buffer_reset(&ctx->piece);
    va_start(args, format);
    ok = iswi_buffer_vprintf(&ctx->piece, format, args);
    va_end(args);
    if (!ok)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for the response's body");
    return isw_http_write(ctx, ctx->piece.data, ctx->piece.size);
}

/* -- The end ----------------------------------------------------------------------------------- */

/* A body that is cut must not pass for a whole one. */
static void settle_body(isw_context *ctx, isw_status status)
{
    if (isw_context_outcome(ctx, status) != ISW_OUTCOME_SUCCESS)
        ctx->has_result = false;
    else if (!ctx->host)
        ctx->reply.body = (isw_bytes){ ctx->gathered.data, ctx->gathered.size };
}

isw_status iswi_http_settle(isw_context *ctx, isw_status status)
{
    if (ctx->emitted.count && isw_context_outcome(ctx, status) == ISW_OUTCOME_SUCCESS)
        status = iswi_emit_settle(ctx);
    if (ctx->begun)
        settle_body(ctx, status);
    else if (isw_context_outcome(ctx, status) == ISW_OUTCOME_SUCCESS)
        status = iswi_reply_settle(ctx);
    return status == ISW_OK ? iswi_answer_settle(ctx) : status;
}
