/* SPDX-License-Identifier: Apache-2.0 */
/* Requests: a face on the trigger's data of a context. */
#include "url/fields.h"
#include "worker/context/context.h"

#include <isoworker/http.h>

const isw_http *isw_http_request(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->trigger.type == ISW_VALUE_HTTP ? ctx->trigger.as.http : NULL;
}

static const char *text_of(isw_context *ctx, const isw_pairs *pairs, const char *name)
{
    const isw_str *value = name ? isw_pairs_find(pairs, name) : NULL;

    return value ? isw_context_strndup(ctx, value->data, value->size) : NULL;
}

/* Route and query names are exact, unlike those of headers. */
static const char *exact_text_of(isw_context *ctx, const isw_pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (name && isw_str_equal(pairs->items[i].name, isw_str_of(name)))
            return isw_context_strndup(ctx, pairs->items[i].value.data,
                                       pairs->items[i].value.size);
    return NULL;
}

const char *isw_http_param(isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    const isw_http *request = isw_http_request(ctx);

    return request ? exact_text_of(ctx, &request->params, name) : NULL;
}

const char *isw_http_query(isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    const isw_http *request = isw_http_request(ctx);

    return request ? exact_text_of(ctx, &request->query, name) : NULL;
}

const char *isw_http_header(isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    const isw_http *request = isw_http_request(ctx);

    return request ? text_of(ctx, &request->headers, name) : NULL;
}

isw_bytes isw_http_body(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    const isw_http *request = isw_http_request(ctx);

    return request ? request->body : (isw_bytes){ NULL, 0 };
}

bool isw_http_content_type_is(const isw_context *ctx, const char *type)
{
    ISWI_ALIVE(ctx);
    const isw_http *request = isw_http_request(ctx);
    const isw_str *value = request ? isw_pairs_find(&request->headers, "content-type") : NULL;
    isw_str rest = value ? *value : isw_str_of(NULL);

    return value && type && iswi_field_equal(iswi_field_split(&rest, ';'), type);
}
