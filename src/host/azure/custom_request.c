/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a call: {"Data": {BINDING: value}, "Metadata": {NAME: value}}. Values that are no
 * objects come as JSON within a text, so that texts are encoded twice. A function sees its trigger
 * and its metadata as under any host; what the foreign one has beside them is metadata by its own
 * names.
 */
#include "broker/driver.h"
#include "host/azure/custom_call.h"
#include "value/value.h"

#include <time.h>

/* -- Values ------------------------------------------------------------------------------------ */

const isw_value *iswi_custom_member(const isw_value *map, const char *name)
{
    for (size_t i = 0; map && map->type == ISW_VALUE_MAP && i < map->as.map.count; i++)
        if (isw_str_equal_nocase(map->as.map.items[i].name, isw_str_of(name)))
            return &map->as.map.items[i].value;
    return NULL;
}

isw_value iswi_custom_decoded(iswi_arena *arena, const isw_value *value)
{
    isw_value inner;

    if (value->type == ISW_VALUE_STRING && value->as.string.size &&
        strchr("\"{[", value->as.string.data[0]) &&
        iswi_json_parse(arena, value->as.string, &inner, NULL) == ISW_OK)
        return inner;
    return *value;
}

static bool is_container(isw_str text)
{
    return text.size && (text.data[0] == '{' || text.data[0] == '[');
}

/* As text: objects and arrays are JSON, and so is a text that says them. */
static isw_status take_text(iswi_custom_call *call, const isw_value *value, isw_str *text,
                            bool *json, isw_error *error)
{
    isw_value inner = *value;

    if (value->type == ISW_VALUE_STRING && value->as.string.size &&
        value->as.string.data[0] == '"')
        inner = iswi_custom_decoded(&call->arena, value);
    *json = true;
    if (inner.type != ISW_VALUE_STRING)
        return iswi_json_write(&call->arena, &inner, text, error);
    *text = inner.as.string;
    *json = is_container(*text) &&
            iswi_json_parse(&call->arena, *text, &inner, NULL) == ISW_OK;
    return ISW_OK;
}

/* Numbers and the like are what they are. */
static isw_status take_value(iswi_custom_call *call, const isw_value *value, isw_error *error)
{
    isw_str text;
    bool json;

    call->trigger = *value;
    if (value->type != ISW_VALUE_STRING && value->type != ISW_VALUE_MAP &&
        value->type != ISW_VALUE_ARRAY)
        return ISW_OK;
    if (take_text(call, value, &text, &json, error) != ISW_OK)
        return error->status;
    call->trigger = isw_value_text(text);
    if (json)
        call->trigger.type = ISW_VALUE_JSON;
    return ISW_OK;
}

static int64_t number_of(const isw_value *value, int64_t otherwise)
{
    int64_t number = 0;

    if (value && value->type == ISW_VALUE_INT)
        return value->as.integer;
    if (!value || value->type != ISW_VALUE_STRING || !value->as.string.size ||
        value->as.string.size > 9)
        return otherwise;
    for (size_t i = 0; i < value->as.string.size; i++) {
        if (value->as.string.data[i] < '0' || value->as.string.data[i] > '9')
            return otherwise;
        number = number * 10 + (value->as.string.data[i] - '0');
    }
    return number;
}

/* -- Messages ---------------------------------------------------------------------------------- */

static isw_value decoded_member(iswi_custom_call *call, const isw_value *map, const char *name)
{
    const isw_value *value = iswi_custom_member(map, name);

    return value ? iswi_custom_decoded(&call->arena, value) : isw_value_none();
}

/* "2026-11-27T12:00:00+00:00"; it is UTC. 0 for what is none. */
static int64_t instant_of(const isw_value *value)
{
    char text[20];
    struct tm utc = { .tm_isdst = 0 };

    if (value->type != ISW_VALUE_STRING || value->as.string.size < sizeof text - 1)
        return 0;
    memcpy(text, value->as.string.data, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    return strptime(text, "%Y-%m-%dT%H:%M:%S", &utc) ? (int64_t)timegm(&utc) * 1000 : 0;
}

/* As one of our own queues would be delivered. */
static isw_status take_message(iswi_custom_call *call, const isw_value *value,
                               const isw_value *metadata, isw_error *error)
{
    const isw_value id = decoded_member(call, metadata, "Id");
    const isw_value count = decoded_member(call, metadata, "DequeueCount");
    const isw_value inserted = decoded_member(call, metadata, "InsertionTime");
    iswi_delivery *message = iswi_delivery_create();
    isw_str text;
    bool json;

    if (!message)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a message");
    call->message = message;
    if (take_text(call, value, &text, &json, error) != ISW_OK)
        return error->status;
    message->body = (isw_bytes){ text.data, text.size };
    message->content_type = isw_str_of(json ? "application/json" : "text/plain; charset=utf-8");
    message->id = id.type == ISW_VALUE_STRING ? id.as.string : isw_str_of(call->invocation_id);
    message->attempt = (unsigned)number_of(&count, (int64_t)call->retry.count + 1);
    message->put_ms = instant_of(&inserted);
    message->last_error = call->retry.last_error;
    return ISW_OK;
}

/* -- The parts of a call ----------------------------------------------------------------------- */

const char *iswi_azure_trigger_binding(const char *type)
{
    static const char *const names[][2] = { { "queue", "message" }, { "timer", "timer" } };

    if (iswi_azure_comes_by_http(type))
        return "req";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i][0], type) == 0)
            return names[i][1];
    return "trigger";
}

static void take_retry(iswi_custom_call *call, const isw_value *metadata)
{
    const isw_value context = decoded_member(call, metadata, "RetryContext");
    const isw_value *why = iswi_custom_member(&context, "Exception");
    const isw_value *message = iswi_custom_member(why, "Message");

    call->retry.count = (uint32_t)number_of(iswi_custom_member(&context, "RetryCount"), 0);
    call->retry.max = (uint32_t)number_of(iswi_custom_member(&context, "MaxRetryCount"), 0);
    if (message && message->type == ISW_VALUE_STRING)
        call->retry.last_error = message->as.string;
}

/* The one that function.json was written with; else it is the first, as the foreign host puts it. */
static const isw_named_value *find_trigger(const isw_value *data, const char *type)
{
    const isw_value *named = iswi_custom_member(data, iswi_azure_trigger_binding(type));

    for (size_t i = 0; named && i < data->as.map.count; i++)
        if (&data->as.map.items[i].value == named)
            return &data->as.map.items[i];
    return data->as.map.count ? &data->as.map.items[0] : NULL;
}

/* What the foreign host tells, by its own names: other bindings, and metadata. */
static bool take_metadata(iswi_custom_call *call, const isw_value *data, const isw_value *metadata,
                          const isw_named_value *trigger)
{
    const isw_value *all[2] = { data, metadata };
    const size_t most = data->as.map.count +
                        (metadata && metadata->type == ISW_VALUE_MAP ? metadata->as.map.count : 0);
    isw_named_value *items = iswi_arena_calloc(&call->arena, most, sizeof *items);
    size_t count = 0;

    for (size_t from = 0; items && from < 2; from++)
        for (size_t i = 0;
             all[from] && all[from]->type == ISW_VALUE_MAP && i < all[from]->as.map.count; i++) {
            const isw_named_value *item = &all[from]->as.map.items[i];

            if (item == trigger)
                continue;
            items[count] = *item;
            items[count++].value = iswi_custom_decoded(&call->arena, &item->value);
        }
    call->metadata = (isw_map){ items, count };
    return items != NULL;
}

static isw_status take(iswi_custom_call *call, const isw_value *data, const isw_value *metadata,
                       isw_error *error)
{
    const isw_named_value *trigger = find_trigger(data, call->type);

    if (!trigger)
        return isw_error_set(error, ISW_E_INVALID, "Data has no value for the trigger");
    if (!take_metadata(call, data, metadata, trigger))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for metadata");
    take_retry(call, metadata);
    if (strcmp(call->type, "queue") == 0)
        return take_message(call, &trigger->value, metadata, error);
    if (!iswi_azure_comes_by_http(call->type))
        return take_value(call, &trigger->value, error);
    call->trigger = iswi_custom_decoded(&call->arena, &trigger->value);
    return ISW_OK;
}

isw_status iswi_custom_read(iswi_custom_call *call, isw_error *error)
{
    const isw_http *request = iswi_http_request_data(call->request);
    const isw_str text = { request->body.data, request->body.size };
    isw_error own = { ISW_OK, "" };
    const isw_value *data;
    isw_value body;

    if (iswi_json_parse(&call->arena, text, &body, &own) != ISW_OK)
        return isw_error_set(error, own.status, "the body is no JSON: %s", own.message);
    data = iswi_custom_member(&body, "Data");
    if (!data || data->type != ISW_VALUE_MAP)
        return isw_error_set(error, ISW_E_INVALID, "the body has no object \"Data\": this is where "
                             "the Azure Functions host calls functions, with Data and Metadata");
    return take(call, data, iswi_custom_member(&body, "Metadata"), error);
}
