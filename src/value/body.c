/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies as values, and what a result that is no HTTP reply answers a request with (PROTOCOL.md,
 * section 13). */
#include "base/text.h"
#include "value/value.h"

bool iswi_value_body(const isw_value *value, isw_bytes *body, const char **type)
{
    *body = isw_value_payload(value);
    *type = NULL;
    switch (value->type) {
    case ISW_VALUE_NONE:
        return true;
    case ISW_VALUE_JSON:
        *type = "application/json";
        return true;
    case ISW_VALUE_STRING:
        *type = "text/plain; charset=utf-8";
        return true;
    case ISW_VALUE_BYTES:
        *type = "application/octet-stream";
        return true;
    default:
        return false;
    }
}

/* -- And back ---------------------------------------------------------------------------------- */

static isw_str without_parameters(isw_str type)
{
    const char *end = type.size ? memchr(type.data, ';', type.size) : NULL;

    type.size = end ? (size_t)(end - type.data) : type.size;
    while (type.size && (type.data[type.size - 1] == ' ' || type.data[type.size - 1] == '\t'))
        type.size--;
    return type;
}

static bool begins_with(isw_str text, const char *start)
{
    const size_t size = strlen(start);

    return text.size >= size &&
           isw_str_equal_nocase((isw_str){ text.data, size }, isw_str_of(start));
}

bool iswi_type_is_json(isw_str content_type)
{
    static const char suffix[] = "+json";
    const size_t size = sizeof suffix - 1;
    const isw_str type = without_parameters(content_type);

    return isw_str_equal_nocase(type, isw_str_of("application/json")) ||
           (type.size > size && isw_str_equal_nocase((isw_str){ type.data + type.size - size, size },
                                                     isw_str_of(suffix)));
}

isw_value iswi_body_value(isw_bytes body, isw_str type)
{
    isw_value value = isw_value_text((isw_str){ body.data, body.size });

    if (!iswi_utf8_valid(body.data, body.size) || (body.size && memchr(body.data, 0, body.size)))
        return isw_value_bytes(body.data, body.size);
    if (iswi_type_is_json(type))
        value.type = ISW_VALUE_JSON;
    return value;
}

isw_value iswi_body_by_type(isw_bytes body, isw_str content_type)
{
    const bool json = iswi_type_is_json(content_type);
    isw_value value = isw_value_bytes(body.data, body.size);

    if ((json || begins_with(content_type, "text/")) && iswi_utf8_valid(body.data, body.size)) {
        value = isw_value_text((isw_str){ body.data, body.size });
        value.type = json ? ISW_VALUE_JSON : ISW_VALUE_STRING;
    }
    return value;
}
