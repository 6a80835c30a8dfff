/* SPDX-License-Identifier: Apache-2.0 */
/* What sinks of lines write. */
#include "base/logline.h"
#include "base/text.h"
#include "host/engine/log.h"
#include "host/queue/queue.h"
#include "host/sinks/sinks.h"

static const isw_value *body_of(const iswi_host *host, const iswi_sink_item *item)
{
    const iswi_about about = { item->function, item->invocation_id, { NULL, 0 } };
    const isw_value *body = item->value;
    iswi_queue_put options;
    isw_error error = { ISW_OK, "" };

    iswi_queue_unwrap(&body, &options, &error); /* wrong ones are as little of use */
    if (body != item->value)
        iswi_say_of(host, ISW_LOG_DEBUG, &about, "output %s of %s is no queue: the options of a "
                    "message are ignored", item->output, item->function);
    return body;
}

/* Text that is JSON goes in as it is: the worker has seen to that, or its reader will. */
void iswi_sink_text(const iswi_host *host, const iswi_sink_item *item, iswi_buffer *out)
{
    const isw_value *value = body_of(host, item);

    if (value->type == ISW_VALUE_JSON)
        iswi_buffer_append(out, value->as.string.data, value->as.string.size);
    else if (value->type == ISW_VALUE_BYTES)
        iswi_json_string(out, (isw_str){ value->as.bytes.data, value->as.bytes.size });
    else
        iswi_json_value(out, value);
}
