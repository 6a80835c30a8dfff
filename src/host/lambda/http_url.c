/* SPDX-License-Identifier: Apache-2.0 */
/* The path and query of an HTTP event, as a client would have sent them: some of it comes decoded,
 * some as it came, and what cannot stand there is escaped. */
#include "host/lambda/internal.h"

#include "base/text.h"

isw_str iswi_lambda_copy(iswi_lambda_slot *slot, const iswi_buffer *buffer)
{
    const char *text = buffer->failed ? NULL
                                      : iswi_arena_strndup(&slot->arena, (const char *)buffer->data,
                                                           buffer->size);

    return (isw_str){ text, text ? buffer->size : 0 };
}

static void put_escaped(iswi_buffer *out, unsigned char byte)
{
    iswi_buffer_printf(out, "%%%02X", byte);
}

static bool is_plain(unsigned char byte, bool query)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9'))
        return true;
    return byte && strchr(query ? "-._~!$'()*,;:@/?" : "-._~!$&'()*+,;=:@/", byte) != NULL;
}

/* What cannot stand there is escaped; a '%' that begins an escape was one already. */
static void put_raw(iswi_buffer *out, isw_str text, bool query)
{
    for (size_t i = 0; i < text.size; i++) {
        const unsigned char byte = (unsigned char)text.data[i];
        const bool escape = byte == '%' && i + 2 < text.size &&
                            iswi_hex_digit(text.data[i + 1]) >= 0 &&
                            iswi_hex_digit(text.data[i + 2]) >= 0;

        if (escape || is_plain(byte, query) || (query && byte && strchr("&=+", byte)))
            iswi_buffer_append(out, &byte, 1);
        else
            put_escaped(out, byte);
    }
}

/* One that was decoded: each byte stands for itself. */
static void put_decoded(iswi_buffer *out, isw_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (is_plain((unsigned char)text.data[i], true))
            iswi_buffer_append(out, &text.data[i], 1);
        else
            put_escaped(out, (unsigned char)text.data[i]);
}

static void put_parameter(iswi_buffer *out, isw_str name, isw_str value, bool decoded, bool *first)
{
    iswi_buffer_append_text(out, *first ? "?" : "&");
    *first = false;
    if (decoded)
        put_decoded(out, name);
    else
        put_raw(out, name, true);
    iswi_buffer_append_text(out, "=");
    if (decoded)
        put_decoded(out, value);
    else
        put_raw(out, value, true);
}

/* Maps of one value or of many, whichever there is. */
static void put_parameters(iswi_buffer *out, const isw_value *event, bool decoded)
{
    const isw_value *many = iswi_lambda_member(event, "multiValueQueryStringParameters");
    const isw_value *one = iswi_lambda_member(event, "queryStringParameters");
    const isw_value *map = many && many->type == ISW_VALUE_MAP ? many : one;
    bool first = true;

    for (size_t i = 0; map && map->type == ISW_VALUE_MAP && i < map->as.map.count; i++) {
        const isw_named_value *item = &map->as.map.items[i];

        if (item->value.type == ISW_VALUE_STRING)
            put_parameter(out, item->name, item->value.as.string, decoded, &first);
        for (size_t j = 0; item->value.type == ISW_VALUE_ARRAY && j < item->value.as.array.count; j++)
            if (item->value.as.array.items[j].type == ISW_VALUE_STRING)
                put_parameter(out, item->name, item->value.as.array.items[j].as.string, decoded,
                              &first);
    }
}

/* Routes know of no stage, which stands before the path where it is not the standard one. */
static isw_str without_stage(const isw_value *context, isw_str path)
{
    const isw_str stage = iswi_lambda_text(context, "stage");

    if (!stage.size || isw_str_equal(stage, isw_str_of("$default")) || path.size <= stage.size ||
        memcmp(path.data + 1, stage.data, stage.size) != 0 ||
        (path.size > stage.size + 1 && path.data[stage.size + 1] != '/'))
        return path;
    path.data += stage.size + 1;
    path.size -= stage.size + 1;
    return path;
}

isw_str iswi_lambda_url(iswi_lambda_slot *slot, const isw_value *context)
{
    const isw_value *event = &slot->event.value;
    const iswi_lambda_kind kind = slot->event.kind;
    iswi_buffer out = { 0 };
    isw_str url;

    if (kind == ISWI_LAMBDA_HTTP || kind == ISWI_LAMBDA_URL) {
        const isw_str query = iswi_lambda_text(event, "rawQueryString");
        const isw_str path = without_stage(context, iswi_lambda_text(event, "rawPath"));

        put_raw(&out, path.size ? path : isw_str_of("/"), false);
        if (query.size) {
            iswi_buffer_append_text(&out, "?");
            put_raw(&out, query, true);
        }
    } else {
        put_raw(&out, iswi_lambda_text(event, "path"), false);
        put_parameters(&out, event, kind == ISWI_LAMBDA_REST);
    }
    url = iswi_lambda_copy(slot, &out);
    iswi_buffer_fini(&out);
    return url;
}
