/* SPDX-License-Identifier: Apache-2.0 */
/* What a trigger brought as a struct, by its type, and a reply made of one. */
#include "url/fields.h"
#include "value/value.h"
#include "worker/context/failure.h"

#include <isoworker/bind.h>
#include <isoworker/convert.h>
#include <isoworker/form.h>
#include <isoworker/http.h>

static bool is_msgpack(isw_str content_type)
{
    static const char suffix[] = "+msgpack";
    const size_t tail = sizeof suffix - 1;
    isw_str name = iswi_field_split(&content_type, ';');

    return iswi_field_equal(name, "application/msgpack") ||
           (name.size > tail &&
            iswi_field_equal((isw_str){ name.data + name.size - tail, tail }, suffix));
}

static isw_status bind_form(isw_context *ctx, const char *root, const isw_field *fields, void *out)
{
    const isw_pairs *pairs;
    isw_status status = isw_form_read(ctx, &pairs);

    return status == ISW_OK ? isw_bind_pairs(ctx, pairs, root, fields, out) : status;
}

static isw_status bind_http(isw_context *ctx, const isw_http *http, const char *root,
                            const isw_field *fields, void *out)
{
    const isw_str *type = isw_pairs_find(&http->headers, "content-type");
    isw_str text = { http->body.data, http->body.size };
    isw_value value = isw_value_text(text);
    isw_status status = ISW_OK;

    if (!type)
        return iswi_fail(ctx, ISW_E_INVALID, "the body has no content type");
    if (isw_http_content_type_is(ctx, "application/x-www-form-urlencoded"))
        return bind_form(ctx, root, fields, out);
    if (iswi_type_is_json(*type))
        value.type = ISW_VALUE_JSON;
    else if (is_msgpack(*type))
        status = isw_msgpack_parse(ctx, http->body, &value);
    else
        return iswi_fail(ctx, ISW_E_INVALID, "a body of type %.*s cannot be read into a struct",
                         (int)type->size, type->data);
    return status == ISW_OK ? isw_bind(ctx, &value, root, fields, out) : status;
}

isw_status isw_bind_payload(isw_context *ctx, const char *root, const isw_field *fields, void *out)
{
    ISWI_ALIVE(ctx);
    isw_value value = ctx->trigger;
    isw_status status = ISW_OK;

    if (value.type == ISW_VALUE_HTTP)
        return bind_http(ctx, value.as.http, root, fields, out);
    if (value.type == ISW_VALUE_STRING)
        value.type = ISW_VALUE_JSON;
    else if (value.type == ISW_VALUE_BYTES)
        status = isw_msgpack_parse(ctx, value.as.bytes, &value);
    return status == ISW_OK ? isw_bind(ctx, &value, root, fields, out) : status;
}

isw_status isw_http_reply_struct(isw_context *ctx, int status, const isw_field *fields,
                                 const void *in)
{
    ISWI_ALIVE(ctx);
    isw_value value;
    isw_status made = iswi_needs(ctx, __func__, "struct", in);

    if (made == ISW_OK)
        made = isw_unbind(ctx, fields, in, &value);
    return made == ISW_OK ? isw_http_reply_json(ctx, status, &value) : made;
}
