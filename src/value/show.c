/* SPDX-License-Identifier: Apache-2.0 */
#include "value/show.h"

#include "base/buffer.h"
#include "base/logline.h"

#include <unistd.h>

static void show_head(const isw_http *http, iswi_buffer *out)
{
    iswi_buffer_printf(out, "HTTP %d\n", http->status);
    for (size_t i = 0; i < http->headers.count; i++) {
        const isw_pair *pair = &http->headers.items[i];

        iswi_buffer_append(out, pair->name.data, pair->name.size);
        iswi_buffer_append_text(out, ": ");
        iswi_buffer_append(out, pair->value.data, pair->value.size);
        iswi_buffer_append_text(out, "\n");
    }
    iswi_buffer_append_text(out, "\n");
}

static void append(const isw_value *result, iswi_buffer *out)
{
    isw_bytes payload = isw_value_payload(result);

    if (result->type == ISW_VALUE_HTTP)
        show_head(result->as.http, out);
    if (payload.data) {
        iswi_buffer_append(out, payload.data, payload.size);
    } else if (result->type != ISW_VALUE_HTTP && result->type != ISW_VALUE_NONE) {
        iswi_json_value(out, result);
        iswi_buffer_append_text(out, "\n");
    }
}

void iswi_value_show(const isw_value *result, FILE *out)
{
    iswi_buffer text = { 0 };

    append(result, &text);
    if (text.size)
        fwrite(text.data, 1, text.size, out);
    if (text.size && text.data[text.size - 1] != '\n' && isatty(fileno(out)))
        putc('\n', out);
    fflush(out);
    iswi_buffer_fini(&text);
}
