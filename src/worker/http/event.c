/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events, as the WHATWG's HTML standard has them in 9.2.6. */
#include "base/text.h"
#include "worker/context/context.h"
#include "worker/context/failure.h"

#include <isoworker/stream.h>

/* Text that may stand in an event; with `lines` also on several of them. */
static isw_status check(isw_context *ctx, const char *member, const char *text, bool lines)
{
    if (!text)
        return ISW_OK;
    if (!iswi_utf8_valid(text, strlen(text)))
        return iswi_misuse(ctx, ISW_E_INVALID, "the %s of an event is not UTF-8", member);
    if (!lines && text[strcspn(text, "\r\n")])
        return iswi_misuse(ctx, ISW_E_INVALID, "the %s of an event has a line break", member);
    return ISW_OK;
}

static isw_status check_event(isw_context *ctx, const isw_event *event)
{
    isw_status status = check(ctx, "type", event->event, false);

    if (status == ISW_OK)
        status = check(ctx, "id", event->id, false);
    if (status == ISW_OK)
        status = check(ctx, "data", event->data, true);
    if (status == ISW_OK)
        status = check(ctx, "comment", event->comment, true);
    return status;
}

/* One field for each line; a line ends with CR, LF or both. */
static void add_lines(iswi_buffer *out, const char *field, const char *text)
{
    while (text) {
        size_t size = strcspn(text, "\r\n");
        const char *end = text + size;

        iswi_buffer_append_text(out, field);
        iswi_buffer_append_text(out, ": ");
        iswi_buffer_append(out, text, size);
        iswi_buffer_append_text(out, "\n");
        if (end[0] == '\r' && end[1] == '\n')
            end++;
        text = *end ? end + 1 : NULL;
    }
}

static bool write_event(iswi_buffer *out, const isw_event *event)
{
    add_lines(out, "", event->comment);
    add_lines(out, "event", event->event);
    add_lines(out, "id", event->id);
    if (event->retry_ms)
        iswi_buffer_printf(out, "retry: %u\n", event->retry_ms);
    add_lines(out, "data", event->data);
    iswi_buffer_append_text(out, "\n");
    return !out->failed;
}

static isw_status begin_events(isw_context *ctx)
{
    isw_status status = ISW_OK;

    if (!isw_pairs_find(&ctx->head.reply.headers, "cache-control"))
        status = isw_http_set_header(ctx, "cache-control", "no-store");
    return status == ISW_OK ? isw_http_begin(ctx, 200, "text/event-stream") : status;
}

isw_status isw_http_event(isw_context *ctx, const isw_event *event)
{
    ISWI_ALIVE(ctx);
    isw_status status = iswi_needs(ctx, __func__, "event", event);
    iswi_buffer *piece;

    if (status == ISW_OK)
        status = check_event(ctx, event);
    if (status == ISW_OK && !ctx->head.begun)
        status = begin_events(ctx);
    if (status != ISW_OK)
        return status;
    piece = iswi_body_piece(&ctx->body);
    if (!write_event(piece, event))
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for an event");
    return isw_http_write(ctx, piece->data, piece->size);
}
