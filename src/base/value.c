/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of <isoworker/value.h> and <isoworker/function.h> that are more than a view. */
#include <isoworker/value.h>
#include <isoworker/function.h>

const char *isw_value_type_name(isw_value_type type)
{
    static const char *const names[] = { "none",   "string", "json", "bytes", "int",
                                         "double", "bool",   "http", "model", "array", "map" };

    return (size_t)type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

isw_bytes isw_value_payload(const isw_value *data)
{
    isw_bytes none = { NULL, 0 };

    switch (data->type) {
    case ISW_VALUE_STRING:
    case ISW_VALUE_JSON:
        return (isw_bytes){ data->as.string.data, data->as.string.size };
    case ISW_VALUE_BYTES:
        return data->as.bytes;
    case ISW_VALUE_HTTP:
        return data->as.http->body;
    case ISW_VALUE_MODEL:
        return data->as.model->content;
    default:
        return none;
    }
}

const isw_pair *isw_pairs_next(const isw_pairs *pairs, const char *name, size_t *at)
{
    const isw_str wanted = isw_str_of(name ? name : "");

    while (*at < pairs->count) {
        const isw_pair *pair = &pairs->items[(*at)++];

        if (!name || isw_str_equal_nocase(pair->name, wanted))
            return pair;
    }
    return NULL;
}

const isw_str *isw_pairs_find(const isw_pairs *pairs, const char *name)
{
    size_t at = 0;
    const isw_pair *pair = isw_pairs_next(pairs, name, &at);

    return pair ? &pair->value : NULL;
}

const char *isw_property_find(const isw_property *list, const char *name)
{
    for (; list && list->name; list++)
        if (strcmp(list->name, name) == 0)
            return list->value;
    return NULL;
}
