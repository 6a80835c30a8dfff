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
                       const char *invocation_id, isw_str request_id, const char *format, ...)
{
    const iswi_about about = { function->name, invocation_id, request_id };
    char text[LINE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    iswi_say_of(function->pool->processes->host, level, &about, "%s: %s", function->name, text);
}

isw_status iswi_call_send(iswi_process *process, uint64_t id, iswi_frame *frame)
{
    isw_status status = iswi_process_send_about(process, id, frame);

    if (status != ISW_E_NOT_FOUND || frame->kind != ISWI_CHUNK)
        return status;
    return iswi_queue_take_chunk(process->pool, id, &frame->as.chunk);
}

isw_status iswi_call_leave(iswi_process *process, uint64_t id)
{
    iswi_frame frame = { .kind = ISWI_CANCEL };
    isw_status status;

    frame.as.cancel.reason = ISWI_CANCEL_CALLER_LEFT;
    frame.as.cancel.grace_ms = (uint64_t)process->host->settings->host.cancel_grace_ms;
    if (iswi_queue_leave(process->pool, id))
        return ISW_OK;
    status = iswi_process_send_about(process, id, &frame);
    return status == ISW_E_NOT_FOUND ? status : ISW_OK;
}
