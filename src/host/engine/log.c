/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the host's own: who speaks and when is filled in here. */
#include "host/engine/log.h"

#include "base/clock.h"
#include "host/engine/engine.h"

#include <stdio.h>

void iswi_log_line(const iswi_host *host, const iswi_logline *line, iswi_speaker speaker)
{
    host->log.write(host->log.user, line, speaker);
    for (size_t i = 0; i < host->listener_count; i++)
        host->listeners[i].write(host->listeners[i].user, line, speaker);
}

isw_status iswi_host_listen(iswi_host *host, const iswi_log_sink *sink, isw_error *error)
{
    if (host->listener_count == ISWI_LISTENERS_MAX)
        return isw_error_set(error, ISW_E_NO_MEMORY, "%d may listen to the log of a host at most",
                             ISWI_LISTENERS_MAX);
    host->listeners[host->listener_count++] = *sink;
    return ISW_OK;
}

ISW_PRINTF(3, 0)
static void say(const iswi_host *host, iswi_logline *line, const char *format, va_list args)
{
    char text[ISW_ERROR_MESSAGE_BYTES + 512];

    if (!iswi_host_shows(host, line->level))
        return;
    vsnprintf(text, sizeof text, format, args);
    line->source = isw_str_of("host");
    line->time_us = iswi_wall_us();
    line->message = isw_str_of(text);
    iswi_log_line(host, line, ISWI_SPEAKER_HOST);
}

void iswi_say(const iswi_host *host, isw_log_level level, const char *format, ...)
{
    iswi_logline line = { .level = level };
    va_list args;

    va_start(args, format);
    say(host, &line, format, args);
    va_end(args);
}

void iswi_say_of(const iswi_host *host, isw_log_level level, const iswi_about *about,
                 const char *format, ...)
{
    const isw_named_value request = isw_named("request", isw_value_text(about->request_id));
    iswi_logline line = { .level = level,
                          .function = isw_str_of(about->function),
                          .invocation_id = isw_str_of(about->invocation_id),
                          .fields = &request,
                          .field_count = about->request_id.size > 0 };
    va_list args;

    va_start(args, format);
    say(host, &line, format, args);
    va_end(args);
}
