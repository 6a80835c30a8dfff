/* SPDX-License-Identifier: Apache-2.0 */
/* The line of a failure that its worker has not logged: workers in other languages may leave that
 * to the host. It looks like one of our own workers' lines. */
#include "base/clock.h"
#include "host/engine/engine.h"

#include <stdio.h>

static size_t add_text(isw_named_value *fields, size_t count, const char *name, isw_str text)
{
    if (text.size)
        fields[count++] = isw_named(name, isw_value_text(text));
    return count;
}

void iswi_failure_say(const iswi_process *process, const iswi_call *call,
                      const iswi_answer *answer, const iswi_wire_status *status)
{
    iswi_logline line = { .level = iswi_failure_level(answer->outcome, answer->status),
                          .source = isw_str_of(process->label),
                          .function = isw_str_of(call->function->name),
                          .invocation_id = isw_str_of(call->invocation_id) };
    const char *why = isw_status_text(answer->status);
    isw_named_value fields[6];
    char category[ISWI_CATEGORY_MAX + 1];
    iswi_buffer message = { 0 };

    if (!iswi_host_shows(process->host, line.level))
        return;
    snprintf(category, sizeof category, "Function.%s", call->function->name);
    iswi_buffer_printf(&message, "%s: ", isw_status_name(answer->status));
    if (answer->message.size)
        iswi_buffer_append(&message, answer->message.data, answer->message.size);
    else
        iswi_buffer_append_text(&message, why);
    line.field_count = add_text(fields, line.field_count, "type", status->type);
    line.field_count = add_text(fields, line.field_count, "place", status->place);
    if (status->causes.count)
        line.field_count =
            add_text(fields, line.field_count, "cause", status->causes.items[0].message);
    line.field_count = add_text(fields, line.field_count, "request", call->request_id);
    fields[line.field_count++] = isw_named("user", isw_value_bool(status->user));
    fields[line.field_count++] = isw_named("retriable", isw_value_bool(answer->retriable));
    line.fields = fields;
    line.category = isw_str_of(category);
    line.time_us = iswi_wall_us();
    line.message = (isw_str){ (const char *)message.data, message.size };
    if (!message.failed)
        iswi_log_line(process->host, &line, ISWI_SPEAKER_OTHERS);
    iswi_buffer_fini(&message);
}
