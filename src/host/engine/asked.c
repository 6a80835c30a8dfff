/* SPDX-License-Identifier: Apache-2.0 */
/* What triggers ask of functions and calls (call.h). Any thread. */
#include "host/engine/engine.h"

#include <stdio.h>

enum { LINE_BYTES = 1024 };

bool iswi_function_streams(const iswi_host_function *function)
{
    return function->streams;
}

bool iswi_function_preflights(const iswi_host_function *function)
{
    return atomic_load(&function->preflights);
}

void iswi_function_say(const iswi_host_function *function, isw_log_level level,
                       const char *invocation_id, const char *format, ...)
{
    char text[LINE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    iswi_say_of(function->pool->processes->host, level, function->name, invocation_id, "%s: %s",
                function->name, text);
}

void iswi_call_leave(iswi_process *process, uint64_t id)
{
    iswi_frame frame = { .kind = ISWI_CANCEL };

    frame.as.cancel.reason = ISWI_CANCEL_CALLER_LEFT;
    frame.as.cancel.grace_ms = (uint64_t)process->host->options.cancel_grace_ms;
    iswi_call_send(process, id, &frame);
}
