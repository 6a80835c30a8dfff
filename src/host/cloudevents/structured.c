/* SPDX-License-Identifier: Apache-2.0 */
/* Events in structured mode (JSON Event Format for CloudEvents 1.0.2). */
#include "base/base64.h"
#include "base/text.h"
#include "host/cloudevents/event.h"
#include "value/value.h"

/* -- Reading ----------------------------------------------------------------------------------- */

static isw_status take_base64(const isw_value *value, iswi_arena *arena, iswi_event *out,
                              isw_error *error)
{
    if (value->type != ISW_VALUE_STRING ||
        iswi_base64_read(arena, value->as.string, &out->data) == ISW_E_INVALID)
        return isw_error_set(error, ISW_E_INVALID, "data_base64 is to be a string in base64");
    return ISW_OK;
}

/* A string is itself where the data is no JSON; else data is what stands there. */
static isw_status take_data(const isw_value *value, iswi_arena *arena, iswi_event *out,
                            isw_error *error)
{
    const isw_str type = iswi_event_text(out, "datacontenttype");
    isw_str text = value->as.string;

    if ((value->type != ISW_VALUE_STRING || !type.size || iswi_type_is_json(type)) &&
        iswi_json_write(arena, value, &text, error) != ISW_OK)
        return error->status;
    out->data = (isw_bytes){ text.data, text.size };
    return ISW_OK;
}

static bool is_data(isw_str name)
{
    return isw_str_equal(name, isw_str_of("data")) ||
           isw_str_equal(name, isw_str_of("data_base64"));
}

/* Where there is none, data is JSON. */
static isw_status set_type(iswi_event *event, isw_error *error)
{
    const isw_value json = isw_value_string("application/json");

    return iswi_event_text(event, "datacontenttype").size
               ? ISW_OK
               : iswi_event_add(event, isw_str_of("datacontenttype"), &json, error);
}

isw_status iswi_event_of_map(const isw_value *map, iswi_arena *arena, iswi_event *out,
                             isw_error *error)
{
    const isw_value *data = NULL, *base64 = NULL;
    isw_status status = ISW_OK;

    if (map->type != ISW_VALUE_MAP)
        return isw_error_set(error, ISW_E_INVALID, "an event is to be an object");
    if (!iswi_event_init(out, arena))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for an event");
    for (size_t i = 0; status == ISW_OK && i < map->as.map.count; i++) {
        const isw_named_value *member = &map->as.map.items[i];
        const bool there = member->value.type != ISW_VALUE_NONE;

        if (!is_data(member->name))
            status = iswi_event_add(out, member->name, &member->value, error);
        else if (there && isw_str_equal(member->name, isw_str_of("data")))
            data = &member->value;
        else if (there)
            base64 = &member->value;
    }
    if (status == ISW_OK && data && base64)
        return isw_error_set(error, ISW_E_INVALID, "there are both data and data_base64");
    if (status == ISW_OK && base64)
        status = take_base64(base64, arena, out, error);
    if (status == ISW_OK && data)
        status = take_data(data, arena, out, error);
    if (status == ISW_OK && data)
        status = set_type(out, error);
    return status == ISW_OK ? iswi_event_check(out, error) : status;
}

/* -- Writing ----------------------------------------------------------------------------------- */

isw_status iswi_event_to_json(const iswi_event *event, iswi_arena *arena, isw_bytes *out,
                              isw_error *error)
{
    isw_named_value *members = iswi_arena_calloc(arena, event->count + 1, sizeof *members);
    const isw_str text = { event->data.data, event->data.size };
    const isw_str type = iswi_event_text(event, "datacontenttype");
    const bool json = iswi_type_is_json(type);
    isw_value map = isw_value_map(members, event->count);
    isw_value data = isw_value_bytes(text.data, text.size); /* written in base64 */
    isw_str written;

    if (!members)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for an event");
    memcpy(members, event->attributes, event->count * sizeof *members);
    /* Without a type what stands in `data` would be taken for JSON. */
    if (text.size && type.size && iswi_utf8_valid(text.data, text.size)) {
        data = isw_value_text(text);
        data.type = json ? ISW_VALUE_JSON : ISW_VALUE_STRING;
    }
    if (text.size)
        members[map.as.map.count++] =
            isw_named(data.type == ISW_VALUE_BYTES ? "data_base64" : "data", data);
    if (iswi_json_write(arena, &map, &written, error) != ISW_OK)
        return error->status;
    *out = (isw_bytes){ written.data, written.size };
    return ISW_OK;
}
