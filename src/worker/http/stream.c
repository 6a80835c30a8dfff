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

enum { CHUNK_BYTES = 64 * 1024 };

/* -- Reading ----------------------------------------------------------------------------------- */

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

/* A client may hold the body back until it hears that it is wanted, which a window of 0 says. */
static isw_status ask_for_body(isw_context *ctx)
{
    iswi_frame frame = { .kind = ISWI_WINDOW };
    const isw_str *expects;

    if (!iswi_body_ask(&ctx->body))
        return ISW_OK;
    expects = isw_pairs_find(&isw_http_request(ctx)->headers, "expect");
    if (!expects || !isw_str_equal_nocase(*expects, isw_str_of("100-continue")))
        return ISW_OK;
    return send_frame(ctx, &frame, "the wish for the request's body");
}

static isw_status read_stream(isw_context *ctx, void *buffer, size_t size, size_t *got)
{
    iswi_frame frame = { .kind = ISWI_WINDOW };
    iswi_stream *stream = iswi_body_stream(ctx);
    isw_status status;
    size_t grant;

    if (!stream)
        return ISW_E_NO_MEMORY;
    if (ctx->body.spent)
        return iswi_misuse(ctx, ISW_E_CONFLICT, "the request's body was read by an earlier try");
    status = ask_for_body(ctx);
    if (status != ISW_OK)
        return status;
    status = iswi_stream_take(stream, ctx, buffer, size, got, &grant);
    if (status != ISW_OK)
        return status;
    iswi_body_count(&ctx->body, *got);
    frame.as.window.bytes = grant;
    return grant ? send_frame(ctx, &frame, "the window of the request's body") : ISW_OK;
}

static isw_status read_whole(isw_context *ctx, void *buffer, size_t size, size_t *got)
{
    isw_status status = iswi_context_go_on(ctx);
    isw_bytes body = isw_http_body(ctx);
    size_t left = ctx->body.read < body.size ? body.size - ctx->body.read : 0;

    if (status != ISW_OK)
        return status;
    if (size > left)
        size = left;
    if (size)
        memcpy(buffer, (const char *)body.data + ctx->body.read, size);
    iswi_body_count(&ctx->body, size);
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
    return ctx->body.follows ? read_stream(ctx, buffer, size, got)
                             : read_whole(ctx, buffer, size, got);
}

/* -- Writing ----------------------------------------------------------------------------------- */

static isw_status send_head(isw_context *ctx)
{
    iswi_frame frame = { .kind = ISWI_HEAD, .as.head.http = ctx->head.reply };

    if (!iswi_body_stream(ctx))
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
        iswi_answer_head_begin(&ctx->head);
    return done;
}

bool isw_http_begun(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->head.begun;
}

static isw_status may_write(isw_context *ctx)
{
    isw_status status = iswi_context_may_add(ctx);

    if (status != ISW_OK)
        return status;
    if (!ctx->head.begun)
        return iswi_misuse(ctx, ISW_E_CONFLICT, "the response has not begun: call isw_http_begin");
    return iswi_context_go_on(ctx);
}

isw_status isw_http_write(isw_context *ctx, const void *bytes, size_t size)
{
    ISWI_ALIVE(ctx);
    isw_status status = may_write(ctx);

    if (status == ISW_OK && size)
        status = iswi_needs(ctx, __func__, "piece of the body", bytes);
    if (status == ISW_OK && !ctx->host)
        return iswi_body_gather(ctx, bytes, size);
    while (status == ISW_OK && size) {
        iswi_frame frame = { .kind = ISWI_CHUNK };
        size_t part;

        status = iswi_stream_reserve(ctx->body.stream, ctx,
                                     size < CHUNK_BYTES ? size : CHUNK_BYTES, &part);
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
    iswi_buffer *piece;
    va_list args;
    bool ok;

    if (!format)
        return iswi_needs(ctx, __func__, "format", format);
    piece = iswi_body_piece(&ctx->body);
    va_start(args, format);
    ok = iswi_buffer_vprintf(piece, format, args);
    va_end(args);
    if (!ok)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for the response's body");
    return isw_http_write(ctx, piece->data, piece->size);
}

/* -- The end ----------------------------------------------------------------------------------- */

/* A body that is cut must not pass for a whole one. */
static void settle_body(isw_context *ctx, isw_status status)
{
    if (isw_context_outcome(ctx, status) != ISW_OUTCOME_SUCCESS)
        iswi_context_drop_result(ctx);
    else if (!ctx->host)
        iswi_body_settle(ctx);
}

isw_status iswi_http_settle(isw_context *ctx, isw_status status)
{
    if (ctx->emitted.count && isw_context_outcome(ctx, status) == ISW_OUTCOME_SUCCESS)
        status = iswi_emit_settle(ctx);
    if (ctx->head.begun)
        settle_body(ctx, status);
    else if (isw_context_outcome(ctx, status) == ISW_OUTCOME_SUCCESS)
        status = iswi_reply_settle(ctx);
    return status == ISW_OK ? iswi_answer_settle(ctx) : status;
}
