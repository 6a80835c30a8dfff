/* SPDX-License-Identifier: Apache-2.0 */
#include "value/copy.h"

bool iswi_str_copy(iswi_arena *arena, isw_str text, isw_str *out)
{
    const char *copy = iswi_arena_strndup(arena, text.data, text.size);

    *out = (isw_str){ copy, text.size };
    return copy != NULL;
}

static bool copy_bytes(iswi_arena *arena, isw_bytes bytes, isw_bytes *out)
{
    isw_str copy;
    bool done = iswi_str_copy(arena, (isw_str){ bytes.data, bytes.size }, &copy);

    *out = (isw_bytes){ copy.data, copy.size };
    return done;
}

bool iswi_pairs_copy(iswi_arena *arena, const isw_pairs *pairs, isw_pairs *out)
{
    isw_pair *copy = iswi_arena_calloc(arena, pairs->count + 1, sizeof *copy);
    bool done = copy != NULL;

    for (size_t i = 0; done && i < pairs->count; i++)
        done = iswi_str_copy(arena, pairs->items[i].name, &copy[i].name) &&
               iswi_str_copy(arena, pairs->items[i].value, &copy[i].value);
    *out = (isw_pairs){ copy, pairs->count };
    return done;
}

bool iswi_map_copy(iswi_arena *arena, const isw_map *map, isw_map *out)
{
    isw_named_value *copy = iswi_arena_calloc(arena, map->count + 1, sizeof *copy);
    bool done = copy != NULL;

    for (size_t i = 0; done && i < map->count; i++)
        done = iswi_str_copy(arena, map->items[i].name, &copy[i].name) &&
               iswi_value_copy(arena, &map->items[i].value, &copy[i].value);
    *out = (isw_map){ copy, map->count };
    return done;
}

static bool copy_array(iswi_arena *arena, const isw_value *value, isw_value *out)
{
    size_t count = value->as.array.count;
    isw_value *items = iswi_arena_calloc(arena, count + 1, sizeof *items);
    bool done = items != NULL;

    for (size_t i = 0; done && i < count; i++)
        done = iswi_value_copy(arena, &value->as.array.items[i], &items[i]);
    *out = isw_value_array(items, count);
    return done;
}

static bool copy_http(iswi_arena *arena, const isw_http *http, isw_value *out)
{
    isw_http *copy = iswi_arena_calloc(arena, 1, sizeof *copy);

    if (!copy)
        return false;
    copy->status = http->status;
    *out = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = copy };
    return iswi_str_copy(arena, http->method, &copy->method) &&
           iswi_str_copy(arena, http->url, &copy->url) &&
           iswi_str_copy(arena, http->client, &copy->client) &&
           iswi_pairs_copy(arena, &http->headers, &copy->headers) &&
           iswi_pairs_copy(arena, &http->query, &copy->query) &&
           iswi_pairs_copy(arena, &http->params, &copy->params) &&
           copy_bytes(arena, http->body, &copy->body);
}

static bool copy_model(iswi_arena *arena, const isw_model *model, isw_value *out)
{
    isw_model *copy = iswi_arena_calloc(arena, 1, sizeof *copy);

    *out = (isw_value){ .type = ISW_VALUE_MODEL, .as.model = copy };
    return copy && iswi_str_copy(arena, model->version, &copy->version) &&
           iswi_str_copy(arena, model->source, &copy->source) &&
           iswi_str_copy(arena, model->content_type, &copy->content_type) &&
           copy_bytes(arena, model->content, &copy->content);
}

bool iswi_value_copy(iswi_arena *arena, const isw_value *value, isw_value *out)
{
    *out = *value;
    switch (value->type) {
    case ISW_VALUE_STRING:
    case ISW_VALUE_JSON:
        return iswi_str_copy(arena, value->as.string, &out->as.string);
    case ISW_VALUE_BYTES:
        return copy_bytes(arena, value->as.bytes, &out->as.bytes);
    case ISW_VALUE_HTTP:
        return copy_http(arena, value->as.http, out);
    case ISW_VALUE_MODEL:
        return copy_model(arena, value->as.model, out);
    case ISW_VALUE_ARRAY:
        return copy_array(arena, value, out);
    case ISW_VALUE_MAP:
        return iswi_map_copy(arena, &value->as.map, &out->as.map);
    default:
        return true;
    }
}
