/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of a reply that nobody made as one: of a handler that answers with nothing, with a
 * value, or not at all. Invariant: a header that was set leaves with the answer, whoever makes it;
 * what a result is by itself is as a host would have it (PROTOCOL.md, section 5, Http). */
#include "worker/http/reply.h"

#include "value/value.h"
#include "worker/context/failure.h"

#include <isoworker/http.h>

bool iswi_reply_of_result(const isw_context *ctx, isw_http *out, const char **type)
{
    const isw_value none = isw_value_none();
    const isw_value *result = ctx->has_result ? &ctx->result : &none;

    *out = (isw_http){ .headers = ctx->head.reply.headers };
    if (!iswi_value_body(result, &out->body, type))
        return false;
    out->status = *type ? 200 : 204;
    if (isw_pairs_find(&out->headers, "content-type")) /* the function knows better */
        *type = NULL;
    return true;
}

/* Lists, of which the function's part and the chain's both count. */
static bool is_list(const char *name)
{
    return isw_str_equal_nocase(isw_str_of(name), isw_str_of("set-cookie")) ||
           isw_str_equal_nocase(isw_str_of(name), isw_str_of("vary"));
}

/* A reply that was made by hand and set as the result: its headers come after those that were set,
 * in the place of their like. */
static isw_status adopt(isw_context *ctx)
{
    const isw_http made = *ctx->result.as.http;
    const isw_pair *headers = made.headers.items;
    isw_status status = ISW_OK;

    if (ctx->result.as.http == &ctx->head.reply)
        return ISW_OK;
    for (size_t i = 0; i < made.headers.count; i++) {
        const char *name = isw_context_strndup(ctx, headers[i].name.data, headers[i].name.size);

        if (name && !is_list(name))
            iswi_answer_head_forget(&ctx->head, name);
    }
    for (size_t i = 0; status == ISW_OK && i < made.headers.count; i++) {
        const char *name = isw_context_strndup(ctx, headers[i].name.data, headers[i].name.size);
        const char *value = isw_context_strndup(ctx, headers[i].value.data, headers[i].value.size);

        status = name && value ? isw_http_add_header(ctx, name, value)
                               : iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a header");
    }
    return status == ISW_OK ? isw_http_reply_bytes(ctx, made.status ? made.status : 200, NULL,
                                                   made.body.data, made.body.size)
                            : status;
}

/* With `whole` also of a value that needs no headers from here. */
static isw_status settle(isw_context *ctx, bool whole)
{
    const char *type;
    isw_http made;

    if (ctx->has_result && ctx->result.type == ISW_VALUE_HTTP)
        return adopt(ctx);
    if (!iswi_reply_of_result(ctx, &made, &type))
        return iswi_misuse(ctx, ISW_E_INVALID,
                           "the result is of a type that is no answer to an HTTP "
                           "request: make text, bytes or JSON of it "
                           "(isw_http_reply_json)");
    if (!made.headers.count && !(whole && ctx->has_result))
        return ISW_OK;
    return isw_http_reply_bytes(ctx, made.status, type, made.body.data, made.body.size);
}

isw_status isw_http_reply_result(isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->trigger.type == ISW_VALUE_HTTP && !ctx->head.begun ? settle(ctx, true) : ISW_OK;
}

isw_status iswi_reply_settle(isw_context *ctx)
{
    isw_status status = ctx->trigger.type == ISW_VALUE_HTTP ? settle(ctx, false) : ISW_OK;

    if (status != ISW_OK)
        iswi_context_drop_result(ctx);
    return status;
}

bool iswi_reply_headers_alone(const isw_context *ctx, bool success, isw_http *out)
{
    const isw_http *made = isw_http_response(ctx);

    if (success || ctx->head.begun || ctx->trigger.type != ISW_VALUE_HTTP ||
        !ctx->head.reply.headers.count ||
        (made && made->status >= 400 && made->status <= 599))
        return false;
    *out = (isw_http){ .headers = ctx->head.reply.headers };
    return true;
}
