/* SPDX-License-Identifier: Apache-2.0 */
#include "host/operate/control_request.h"

#include "base/base64.h"
#include "value/typed.h"

#include <stddef.h>

static const char *const commands[] = { "status", "ready",   "drain",   "resume", "restart",
                                        "logs",   "upgrade", "succeed", "queue",  "trigger",
                                        "invoke", NULL };

/* Texts of a request lie in its arena. */
static const isw_field messages_fields[] = {
    { ISW_FIELD(ENUM, iswi_messages_asked, action), .choices = iswi_messages_actions },
    { ISW_FIELD(STRING, iswi_messages_asked, queue) },
    { ISW_FIELD(STRING, iswi_messages_asked, id) },
    { ISW_FIELD(STRING, iswi_messages_asked, key) },
    { ISW_FIELD(STRING, iswi_messages_asked, state) },
    { ISW_FIELD(INT, iswi_messages_asked, older_ms), .min = 0, .max = INT64_MAX },
    { ISW_FIELD(INT, iswi_messages_asked, limit), .min = 0, .max = INT64_MAX },
    { ISW_FIELD(BYTES, iswi_messages_asked, body) },
    { ISW_FIELD(STRING, iswi_messages_asked, body_base64) },
    { ISW_FIELD(STRING, iswi_messages_asked, content_type) },
    { ISW_FIELD(INT, iswi_messages_asked, delay_ms), .min = 0, .max = INT64_MAX },
    { ISW_FIELD(INT, iswi_messages_asked, expires_ms), .min = 0, .max = INT64_MAX },
    { ISW_FIELD(INT, iswi_messages_asked, priority), .min = -100, .max = 100 },
    { 0 },
};

static const isw_field event_fields[] = {
    { ISW_FIELD(VALUE, iswi_event_asked, data) },
    { ISW_FIELD(STRING, iswi_event_asked, content_type) },
    { ISW_FIELD(STRING, iswi_event_asked, method) },
    { ISW_FIELD(VALUE, iswi_event_asked, params) },
    { ISW_FIELD(VALUE, iswi_event_asked, query) },
    { ISW_FIELD(VALUE, iswi_event_asked, headers) },
    { 0 },
};

static const isw_field request_fields[] = {
    { ISW_FIELD(ENUM, iswi_control_request, command), .choices = commands, .required = true },
    { ISW_FIELD(INT, iswi_control_request, wait_ms), .min = 0, .max = 3600000 },
    { ISW_FIELD(BOOL, iswi_control_request, follow) },
    { ISW_FIELD(STRING, iswi_control_request, worker) },
    { ISW_FIELD(STRING, iswi_control_request, why) },
    { ISW_FIELD(STRING, iswi_control_request, type), .default_value = "" },
    { ISW_FIELD(STRING, iswi_control_request, verb), .default_value = "" },
    { ISW_FIELD(STRING, iswi_control_request, name) },
    { ISW_FIELD(STRING, iswi_control_request, level) },
    { ISW_FIELD(STRING, iswi_control_request, function) },
    { ISW_FIELD(STRING, iswi_control_request, category) },
    { ISW_FIELD(STRING, iswi_control_request, invocation) },
    { ISW_FIELD(STRUCT, iswi_control_request, messages), .fields = messages_fields },
    { ISW_FIELD(STRUCT, iswi_control_request, event), .fields = event_fields },
    { ISW_FIELD(INT, iswi_control_request, lines), .min = 0, .max = INT32_MAX,
      .default_value = "2147483647" },
    { 0 },
};

/* -- Events ------------------------------------------------------------------------------------ */

static isw_status read_pairs(iswi_arena *arena, const isw_value *from, const char *root,
                             isw_pairs *out, isw_error *error)
{
    return from->type == ISW_VALUE_NONE
               ? ISW_OK
               : iswi_typed_decode_pairs(arena, from, root, out, error);
}

static isw_status read_event(iswi_arena *arena, const iswi_event_asked *asked, iswi_made_up *out,
                             isw_error *error)
{
    out->content_type = isw_str_of(asked->content_type);
    out->method = isw_str_of(asked->method);
    if (asked->data.type != ISW_VALUE_NONE &&
        iswi_typed_decode(arena, &asked->data, "event.data", &out->data, error) != ISW_OK)
        return error->status;
    if (read_pairs(arena, &asked->params, "event.params", &out->params, error) != ISW_OK ||
        read_pairs(arena, &asked->query, "event.query", &out->query, error) != ISW_OK)
        return error->status;
    return read_pairs(arena, &asked->headers, "event.headers", &out->headers, error);
}

static isw_status read_body(iswi_arena *arena, iswi_messages_asked *asked, isw_error *error)
{
    if (!asked->body_base64 ||
        iswi_base64_read(arena, isw_str_of(asked->body_base64), &asked->body) == ISW_OK)
        return ISW_OK;
    return isw_error_set(error, ISW_E_INVALID, "messages.body_base64 is no base64");
}

isw_status iswi_control_request_read(iswi_arena *arena, isw_str line, iswi_control_request *out,
                                     isw_error *error)
{
    isw_value value;

    if (iswi_json_parse(arena, line, &value, error) != ISW_OK ||
        iswi_bind(arena, &value, "", request_fields, false, out, error) != ISW_OK ||
        read_body(arena, &out->messages, error) != ISW_OK)
        return error->status;
    return read_event(arena, &out->event, &out->made_up, error);
}
