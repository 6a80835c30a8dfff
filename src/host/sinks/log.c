/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the host's log, for people; an instance is the host itself. */
#include "base/clock.h"
#include "host/engine/log.h"
#include "host/sinks/sinks.h"

static isw_status open_sink(iswi_host *host, const iswi_sink_place *place, const void *given,
                            void **self, isw_error *error)
{
    (void)place;
    (void)given;
    (void)error;
    *self = host;
    return ISW_OK;
}

static void show(const iswi_host *host, const iswi_sink_item *item, isw_str text)
{
    const isw_named_value fields[] = { isw_named("function", isw_value_string(item->function)),
                                       isw_named("output", isw_value_string(item->output)) };
    iswi_logline line = { .level = ISW_LOG_INFO,
                          .time_us = iswi_wall_us(),
                          .source = isw_str_of(item->worker),
                          .category = isw_str_of("Output"),
                          .message = text,
                          .function = isw_str_of(item->function),
                          .invocation_id = isw_str_of(item->invocation_id),
                          .fields = fields,
                          .field_count = sizeof fields / sizeof fields[0] };

    iswi_log_line(host, &line, ISWI_SPEAKER_OTHERS);
}

static isw_status put(void *self, const iswi_sink_item *item, isw_error *error)
{
    iswi_buffer text = { 0 };
    isw_status status = ISW_OK;

    iswi_sink_text(self, item, &text);
    if (text.failed)
        status = isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a line");
    else
        show(self, item, (isw_str){ (const char *)text.data, text.size });
    iswi_buffer_fini(&text);
    return status;
}

static const isw_option no_properties[] = { { 0 } };

const iswi_sink iswi_sink_log = {
    .type = "log",
    .properties = no_properties,
    .open = open_sink,
    .put = put,
};
