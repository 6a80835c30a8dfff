/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: their headers gather in the head of the answer, and the reply is its result. */
#include "worker/http/reply.h"

#include "base/text.h"
#include "url/fields.h"
#include "worker/context/failure.h"

#include <isoworker/convert.h>
#include <isoworker/http.h>

const isw_http *isw_http_response(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->has_result && ctx->result.type == ISW_VALUE_HTTP ? ctx->result.as.http : NULL;
}

/* -- Headers ----------------------------------------------------------------------------------- */

isw_status iswi_reply_header(isw_context *ctx, const char *name, const char *value, bool replace)
{
    isw_pair pair = { isw_str_of(name), isw_str_of(value) };

    /* Headers travel with their names in lower case (PROTOCOL.md, section 5). */
    pair.name.data = iswi_lower_case(isw_context_strndup(ctx, name, pair.name.size));
    pair.value.data = isw_context_strndup(ctx, value, pair.value.size);
    if (!pair.name.data || !pair.value.data)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a header");
    return replace ? iswi_answer_head_put(ctx, pair) : iswi_answer_head_add(ctx, pair);
}

static isw_status check_value(isw_context *ctx, const char *name, const char *value)
{
    isw_str text = isw_str_of(value);
    size_t bad = iswi_field_bad_byte(text);

    if (bad < text.size)
        return iswi_misuse(ctx, ISW_E_INVALID,
                         "the value of the reply header \"%s\" has a control character, 0x%02x, "
                         "at byte %zu", name, (unsigned)(unsigned char)value[bad], bad);
    if (!iswi_utf8_valid(value, text.size))
        return iswi_misuse(ctx, ISW_E_INVALID, "the value of the reply header \"%s\" is not UTF-8",
                         name);
    return ISW_OK;
}

static isw_status give_header(isw_context *ctx, const char *call, const char *name,
                              const char *value, bool replace)
{
    isw_status status = iswi_context_may_answer(ctx);

    if (status == ISW_OK)
        status = iswi_needs(ctx, call, "name", name);
    if (status == ISW_OK && !value)
        status = iswi_misuse(ctx, ISW_E_INVALID, "%s: the value of \"%s\" is NULL", call, name);
    if (status == ISW_OK && !iswi_field_is_token(isw_str_of(name)))
        status = iswi_misuse(ctx, ISW_E_INVALID,
                           "\"%s\" is no name of a header; it takes letters, digits and "
                           "!#$%%&'*+-.^_`|~ (RFC 9110, section 5.6.2)", name);
    if (status == ISW_OK)
        status = check_value(ctx, name, value);
    if (status != ISW_OK)
        return status;
    return iswi_reply_header(ctx, name, value, replace);
}

isw_status isw_http_set_header(isw_context *ctx, const char *name, const char *value)
{
    ISWI_ALIVE(ctx);
    bool replace = !iswi_field_equal(isw_str_of(name), "set-cookie");

    return give_header(ctx, __func__, name, value, replace);
}

isw_status isw_http_add_header(isw_context *ctx, const char *name, const char *value)
{
    ISWI_ALIVE(ctx);
    return give_header(ctx, __func__, name, value, false);
}

isw_status isw_http_remove_header(isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    isw_status status = iswi_context_may_answer(ctx);

    if (status == ISW_OK)
        status = iswi_needs(ctx, __func__, "name", name);
    if (status == ISW_OK)
        iswi_answer_head_forget(&ctx->head, name);
    return status;
}

/* -- Bodies ------------------------------------------------------------------------------------ */

isw_status isw_http_reply_bytes(isw_context *ctx, int status, const char *content_type,
                                const void *body, size_t size)
{
    ISWI_ALIVE(ctx);
    isw_status done = iswi_context_may_answer(ctx);

    if (done != ISW_OK)
        return done;
    if (status < 200 || status > 599)
        return iswi_misuse(ctx, ISW_E_INVALID, "%d is no HTTP status%s", status,
                           status < 100 || status > 599 ? ""
                                                        : " of an answer, which is 200 to 599");
    if (!body && size)
        return iswi_misuse(ctx, ISW_E_INVALID, "isw_http_reply_bytes: its body is NULL, but its "
                                               "size is %zu", size);
    if (content_type)
        done = check_value(ctx, "content-type", content_type);
    if (content_type && done == ISW_OK)
        done = iswi_reply_header(ctx, "content-type", content_type, true);
    if (done != ISW_OK)
        return done;
    iswi_context_reply(ctx, status, (isw_bytes){ body, size });
    return ISW_OK;
}

isw_status isw_http_reply(isw_context *ctx, int status, const char *content_type,
                          const char *format, ...)
{
    ISWI_ALIVE(ctx);
    va_list args;
    char *text;

    if (!format)
        return iswi_needs(ctx, __func__, "format", format);
    va_start(args, format);
    text = iswi_arena_vprintf(&ctx->arena, format, args);
    va_end(args);
    if (!text)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a reply");
    return isw_http_reply_bytes(ctx, status, content_type, text, strlen(text));
}

isw_status isw_http_reply_json(isw_context *ctx, int status, const isw_value *value)
{
    ISWI_ALIVE(ctx);
    isw_status done = iswi_needs(ctx, __func__, "value", value);
    isw_str json;

    if (done == ISW_OK)
        done = isw_json_write(ctx, value, &json);
    return done == ISW_OK
               ? isw_http_reply_bytes(ctx, status, "application/json", json.data, json.size)
               : done;
}

/* -- Elsewhere --------------------------------------------------------------------------------- */

/* Where `text` stops to be made of what a URI reference may have (RFC 3986, section 2), or its
 * size. */
static size_t bad_uri_byte(const char *text)
{
    static const char allowed[] = "-._~:/?#[]@!$&'()*+,;=";
    size_t i = 0;

    for (; text[i]; i++) {
        char c = text[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            strchr(allowed, c))
            continue;
        if (c != '%' || strspn(text + i + 1, "0123456789abcdefABCDEF") < 2)
            break;
    }
    return i;
}

isw_status isw_http_redirect(isw_context *ctx, int status, const char *location)
{
    ISWI_ALIVE(ctx);
    isw_status done = iswi_context_may_answer(ctx);
    size_t bad;

    if (done == ISW_OK)
        done = iswi_needs(ctx, __func__, "location", location);
    if (done != ISW_OK)
        return done;
    bad = bad_uri_byte(location);
    if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
        return iswi_misuse(ctx, ISW_E_INVALID,
                         "%d does not redirect; use 301, 302, 303, 307 or 308", status);
    if (!*location)
        return iswi_misuse(ctx, ISW_E_INVALID, "a redirect needs a location");
    if (location[bad])
        return iswi_misuse(ctx, ISW_E_INVALID,
                         "the location of a redirect is no URI: 0x%02x at byte %zu; "
                         "percent-encode it (RFC 3986, section 2.1)",
                         (unsigned)(unsigned char)location[bad], bad);
    done = iswi_reply_header(ctx, "location", location, true);
    return done == ISW_OK ? isw_http_reply_bytes(ctx, status, NULL, "", 0) : done;
}
