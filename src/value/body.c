/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies as values, and what a result that is no HTTP reply answers a request with (PROTOCOL.md,
 * section 13). */
#include "base/text.h"
#include "value/value.h"

bool iswi_type_is_json(isw_str type)
{
    static const char json[] = "application/json";
    static const char suffix[] = "+json";
    size_t size = 0;

    while (size < type.size && type.data[size] != ';' && type.data[size] != ' ')
        size++;
    return (size == sizeof json - 1 && memcmp(type.data, json, size) == 0) ||
           (size >= sizeof suffix &&
            memcmp(type.data + size - (sizeof suffix - 1), suffix, sizeof suffix - 1) == 0);
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
