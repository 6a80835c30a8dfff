/* SPDX-License-Identifier: Apache-2.0 */
/* What sinks of lines write. */
#include "base/logline.h"
#include "base/text.h"
#include "host/sinks/sinks.h"

/* Text that is JSON goes in as it is: the worker has seen to that, or its reader will. */
void iswi_sink_text(const isw_value *value, iswi_buffer *out)
{
    if (value->type == ISW_VALUE_JSON)
        iswi_buffer_append(out, value->as.string.data, value->as.string.size);
    else if (value->type == ISW_VALUE_BYTES)
        iswi_json_string(out, (isw_str){ value->as.bytes.data, value->as.bytes.size });
    else
        iswi_json_value(out, value);
}
