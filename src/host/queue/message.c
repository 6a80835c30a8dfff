/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a function puts out as a message. A value is its body: text and JSON as they are, bytes as
 * such, the others as JSON. A map that has "$queue" says more of it: { "$queue": { "id": ..., "key":
 * ..., "delay_ms": ..., "expires_ms": ..., "priority": ... }, "body": any value }.
 */
#include "host/queue/internal.h"
#include "value/value.h"

static const isw_value *member(const isw_map *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++)
        if (isw_str_equal(map->items[i].name, isw_str_of(name)))
            return &map->items[i].value;
    return NULL;
}

static isw_status take_text(const isw_named_value *from, isw_str *out, isw_error *error)
{
    if (from->value.type != ISW_VALUE_STRING || from->value.as.string.size > ISWI_MESSAGE_ID_MAX)
        return isw_error_set(error, ISW_E_INVALID, "$queue.%.*s is to be text of up to %d bytes",
                             (int)from->name.size, from->name.data, ISWI_MESSAGE_ID_MAX);
    *out = from->value.as.string;
    return ISW_OK;
}

static isw_status take_number(const isw_named_value *from, int64_t low, int64_t high, int64_t *out,
                              isw_error *error)
{
    if (from->value.type != ISW_VALUE_INT || from->value.as.integer < low ||
        from->value.as.integer > high)
        return isw_error_set(error, ISW_E_INVALID, "$queue.%.*s is to be a number from %lld to %lld",
                             (int)from->name.size, from->name.data, (long long)low,
                             (long long)high);
    *out = from->value.as.integer;
    return ISW_OK;
}

#define YEAR_MS INT64_C(31622400000)

static isw_status take_option(const isw_named_value *from, iswi_queue_put *out, isw_error *error)
{
    int64_t priority = 0;
    isw_status status;

    if (isw_str_equal(from->name, isw_str_of("id")))
        return take_text(from, &out->id, error);
    if (isw_str_equal(from->name, isw_str_of("key")))
        return take_text(from, &out->key, error);
    if (isw_str_equal(from->name, isw_str_of("delay_ms")))
        return take_number(from, 0, YEAR_MS, &out->delay_ms, error);
    if (isw_str_equal(from->name, isw_str_of("expires_ms")))
        return take_number(from, 1, YEAR_MS, &out->expires_ms, error);
    if (!isw_str_equal(from->name, isw_str_of("priority")))
        return isw_error_set(error, ISW_E_INVALID,
                             "$queue has no \"%.*s\"; it has id, key, delay_ms, expires_ms and "
                             "priority", (int)from->name.size, from->name.data);
    status = take_number(from, -100, 100, &priority, error);
    out->priority = (int)priority;
    return status;
}

static isw_status take_options(const isw_value *options, iswi_queue_put *out, isw_error *error)
{
    isw_status status = ISW_OK;

    if (options->type != ISW_VALUE_MAP)
        return isw_error_set(error, ISW_E_INVALID, "$queue is to be a map");
    for (size_t i = 0; i < options->as.map.count && status == ISW_OK; i++)
        status = take_option(&options->as.map.items[i], out, error);
    return status;
}

static isw_status take_body(const isw_value *value, iswi_arena *arena, iswi_queue_put *out,
                            isw_error *error)
{
    const char *type = NULL;
    isw_str json;

    if (value->type == ISW_VALUE_HTTP || value->type == ISW_VALUE_MODEL)
        return isw_error_set(error, ISW_E_INVALID, "a value of the type %s is no message",
                             isw_value_type_name(value->type));
    if (!iswi_value_body(value, &out->body, &type)) {
        if (iswi_json_write(arena, value, &json, error) != ISW_OK)
            return error->status;
        out->body = (isw_bytes){ json.data, json.size };
        type = "application/json";
    }
    out->content_type = value->type == ISW_VALUE_BYTES ? (isw_str){ NULL, 0 } : isw_str_of(type);
    if (out->body.size > ISWI_QUEUED_MAX_BYTES)
        return isw_error_set(error, ISW_E_TOO_LARGE,
                             "a message of %zu bytes is more than %d; keep it elsewhere and put its "
                             "name", out->body.size, ISWI_QUEUED_MAX_BYTES);
    return ISW_OK;
}

isw_status iswi_queue_unwrap(const isw_value **value, iswi_queue_put *out, isw_error *error)
{
    static const isw_value none = { .type = ISW_VALUE_NONE };
    const isw_map *map = &(*value)->as.map;
    const isw_value *options = (*value)->type == ISW_VALUE_MAP ? member(map, "$queue") : NULL;
    const isw_value *body = options ? member(map, "body") : *value;

    *out = (iswi_queue_put){ .priority = 0 };
    *value = body ? body : &none;
    return options ? take_options(options, out, error) : ISW_OK;
}

isw_status iswi_queue_message(const isw_value *value, iswi_arena *arena, iswi_queue_put *out,
                              isw_error *error)
{
    if (iswi_queue_unwrap(&value, out, error) != ISW_OK)
        return error->status;
    return take_body(value, arena, out, error);
}
