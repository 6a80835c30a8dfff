/* SPDX-License-Identifier: Apache-2.0 */
#include "host/operate/control_request.h"

#include "value/value.h"

#include <stddef.h>

static const char *const commands[] = { "status", "ready",   "drain",   "resume", "restart",
                                        "logs",   "upgrade", "succeed", "queue",  "trigger",
                                        NULL };

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
    { ISW_FIELD(STRING, iswi_messages_asked, content_type) },
    { ISW_FIELD(INT, iswi_messages_asked, delay_ms), .min = 0, .max = INT64_MAX },
    { ISW_FIELD(INT, iswi_messages_asked, expires_ms), .min = 0, .max = INT64_MAX },
    { ISW_FIELD(INT, iswi_messages_asked, priority), .min = -100, .max = 100 },
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
    { ISW_FIELD(INT, iswi_control_request, lines), .min = 0, .max = INT32_MAX,
      .default_value = "2147483647" },
    { 0 },
};

isw_status iswi_control_request_read(iswi_arena *arena, isw_str line, iswi_control_request *out,
                                     isw_error *error)
{
    isw_value value;
    isw_status status = iswi_json_parse(arena, line, &value, error);

    return status == ISW_OK ? iswi_bind(arena, &value, "", request_fields, false, out, error)
                            : status;
}
