/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer may be, looked at where it is given: so that what cannot travel is the function's
 * failure, which its chain sees, logs and counts. The limits are those of the wire (PROTOCOL.md,
 * section 8). */
#include "worker/context/answer.h"

#include "base/text.h"
#include "worker/context/failure.h"

#include <isoworker/http.h>
#include <isoworker/stream.h>

_Static_assert((int)ISW_HEAD_MAX_BYTES == (int)ISWI_HEAD_MAX_BYTES,
               "host and worker leave the same room for headers");
_Static_assert((int)ISW_ANSWER_MAX_BYTES == (int)ISWI_MESSAGE_MAX_BYTES,
               "an answer is one message");

/* At most so many bytes are for what is no text or bytes: types, sizes, keys. */
enum { NODE_BYTES = 16, FRAME_BYTES = 256, SMALL_BYTES = 1024 * 1024 };

/* -- Shape ------------------------------------------------------------------------------------- */

static const char *fault_of(const isw_value *value, unsigned depth);

static const char *fault_of_array(const isw_value *value, unsigned depth)
{
    const char *fault = NULL;

    if (!value->as.array.items && value->as.array.count)
        return "the elements of an array are NULL";
    if (value->as.array.count > ISWI_LIST_MAX)
        return "an array has more than 16,384 elements";
    for (size_t i = 0; !fault && i < value->as.array.count; i++)
        fault = fault_of(&value->as.array.items[i], depth + 1);
    return fault;
}

static const char *fault_of_map(const isw_value *value, unsigned depth)
{
    const char *fault = NULL;

    if (!value->as.map.items && value->as.map.count)
        return "the members of a map are NULL";
    if (value->as.map.count > ISWI_PAIRS_MAX)
        return "a map has more than 4,096 members";
    for (size_t i = 0; !fault && i < value->as.map.count; i++) {
        isw_str name = value->as.map.items[i].name;

        fault = iswi_utf8_valid(name.data, name.size)
                    ? fault_of(&value->as.map.items[i].value, depth + 1)
                    : "a name is not UTF-8";
    }
    return fault;
}

/* Its headers are looked at where it becomes the reply. */
static const char *fault_of_http(const isw_http *http)
{
    if (!http)
        return "there is no HTTP reply, but NULL";
    return http->body.data || !http->body.size ? NULL : "the body is NULL";
}

static const char *fault_of(const isw_value *value, unsigned depth)
{
    bool nests = value->type == ISW_VALUE_ARRAY || value->type == ISW_VALUE_MAP;

    if (nests && depth == ISWI_VALUE_MAX_DEPTH)
        return "arrays and maps are nested deeper than 12 levels";
    switch (value->type) {
    case ISW_VALUE_ARRAY:
        return fault_of_array(value, depth);
    case ISW_VALUE_MAP:
        return fault_of_map(value, depth);
    case ISW_VALUE_BYTES:
        return value->as.bytes.data || !value->as.bytes.size ? NULL : "bytes are NULL";
    case ISW_VALUE_HTTP:
        return fault_of_http(value->as.http);
    case ISW_VALUE_STRING:
    case ISW_VALUE_JSON:
        if (!value->as.string.data && value->as.string.size)
            return "text is NULL";
        return iswi_utf8_valid(value->as.string.data, value->as.string.size)
                   ? NULL
                   : "text is not UTF-8; give it as bytes";
    default:
        return NULL;
    }
}

isw_status iswi_answer_check_value(isw_context *ctx, const char *what, const char *name,
                                   const isw_value *value)
{
    const char *fault = fault_of(value, 0);

    if (!fault)
        return ISW_OK;
    return iswi_misuse(ctx, ISW_E_INVALID, "%s%s cannot travel: %s", what, name, fault);
}

/* -- Size -------------------------------------------------------------------------------------- */

static size_t size_of_pairs(const isw_pairs *pairs)
{
    size_t size = 0;

    for (size_t i = 0; i < pairs->count; i++)
        size += NODE_BYTES + pairs->items[i].name.size + pairs->items[i].value.size;
    return size;
}

static size_t size_of(const isw_value *value)
{
    size_t size = NODE_BYTES + isw_value_payload(value).size;

    for (size_t i = 0; value->type == ISW_VALUE_ARRAY && i < value->as.array.count; i++)
        size += size_of(&value->as.array.items[i]);
    for (size_t i = 0; value->type == ISW_VALUE_MAP && i < value->as.map.count; i++)
        size += NODE_BYTES + value->as.map.items[i].name.size +
                size_of(&value->as.map.items[i].value);
    if (value->type == ISW_VALUE_HTTP)
        size += size_of_pairs(&value->as.http->headers);
    return size;
}

static size_t size_of_outputs(const isw_context *ctx)
{
    size_t size = 0;

    for (size_t i = 0; i < ctx->outputs.count; i++)
        size +=
            NODE_BYTES + ctx->outputs.items[i].name.size + size_of(&ctx->outputs.items[i].value);
    return size;
}

/* Nothing of it can be sent. */
static isw_status refuse(isw_context *ctx, size_t size, size_t outputs)
{
    bool by_outputs = outputs > size - outputs;

    ctx->has_result = false;
    ctx->outputs.count = 0;
    return iswi_misuse(ctx, ISW_E_TOO_LARGE,
                       "the answer has %zu bytes%s, more than the %d that one answer may have: %s",
                       size, by_outputs ? ", most of them in outputs" : "", ISW_ANSWER_MAX_BYTES,
                       by_outputs ? "emit them one by one (isw_context_emit)"
                                  : "send it in pieces (isw_http_begin, isw_http_write) or from a "
                                    "file (isw_http_reply_file)");
}

/* Of the first `count` headers, as the host counts them. */
static size_t size_of_headers(const isw_pair *headers, size_t count)
{
    size_t size = 4 * count;

    for (size_t i = 0; i < count; i++)
        size += headers[i].name.size + headers[i].value.size;
    return size;
}

/* The headers that were set, and those of a reply that was made by hand. */
static size_t size_of_head(const isw_context *ctx)
{
    const isw_http *reply = &ctx->head.reply;
    const isw_http *made =
        ctx->has_result && ctx->result.type == ISW_VALUE_HTTP ? ctx->result.as.http : NULL;
    size_t size = size_of_headers(reply->headers.items, reply->headers.count);

    return made && made != reply
               ? size + size_of_headers(made->headers.items, made->headers.count)
               : size;
}

static const char head_too_large[] = "the headers of the answer have %zu bytes, more than the %d "
                                     "that there is room for: send fewer, or shorter ones";

/* The answer that says so keeps the headers of the middleware outside, and has room for its own. */
static isw_status refuse_head(isw_context *ctx, size_t size)
{
    const isw_pairs *headers = &ctx->head.reply.headers;
    size_t kept = headers->count;

    if (kept > ctx->head.outer_count)
        kept = ctx->head.outer_count;
    while (size_of_headers(headers->items, kept) > ISW_HEAD_MAX_BYTES / 2)
        kept--;
    iswi_answer_head_cut(&ctx->head, kept);
    ctx->has_result = false;
    if (ctx->run.failure.status != ISW_OK && !ctx->misused)
        return isw_fail_because_at(ctx, ISW_E_FAILED, "", head_too_large, size, ISW_HEAD_MAX_BYTES);
    return iswi_misuse(ctx, ISW_E_TOO_LARGE, head_too_large, size, ISW_HEAD_MAX_BYTES);
}

isw_status iswi_answer_check_head(isw_context *ctx)
{
    size_t size = ctx->head.begun ? 0 : size_of_head(ctx);

    return size > ISW_HEAD_MAX_BYTES ? refuse_head(ctx, size) : ISW_OK;
}

/* Most answers are replies of few bytes: for these the rest need not be looked at. */
static bool is_small_reply(const isw_context *ctx)
{
    const isw_http *reply = ctx->result.as.http;

    if (ctx->outputs.count || !ctx->has_result || ctx->result.type != ISW_VALUE_HTTP)
        return !ctx->outputs.count && !ctx->has_result;
    return reply->body.size < SMALL_BYTES; /* its headers are few: they were looked at */
}

isw_status iswi_answer_check(isw_context *ctx)
{
    isw_status head = iswi_answer_check_head(ctx);
    size_t outputs;
    size_t size;

    if (head != ISW_OK)
        return head;
    if (is_small_reply(ctx))
        return ISW_OK;
    outputs = size_of_outputs(ctx);
    size = FRAME_BYTES + outputs;
    if (iswi_context_sends_result(ctx))
        size += size_of(&ctx->result);
    return size > ISW_ANSWER_MAX_BYTES ? refuse(ctx, size, outputs) : ISW_OK;
}

isw_status iswi_answer_settle(isw_context *ctx)
{
    isw_status status = iswi_answer_check(ctx);

    if (status != ISW_OK)
        ctx->has_result = false;
    return status;
}

bool iswi_context_sends_result(const isw_context *ctx)
{
    return ctx->has_result && !(ctx->head.begun && ctx->host);
}

void isw_http_reply_shrinks(isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    ctx->shrinks = true;
}
