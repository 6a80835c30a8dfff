/* SPDX-License-Identifier: Apache-2.0 */
/* What a result that is no HTTP reply answers a request with (PROTOCOL.md, section 13). */
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
