/* SPDX-License-Identifier: Apache-2.0 */
/* Failures as Lambda has them. */
#include "host/lambda/internal.h"

#include "base/text.h"

#include <stdio.h>

void iswi_lambda_failure_type(isw_status status, char out[64])
{
    const char *name = isw_status_name(status) + sizeof "ISW_E_" - 1;
    size_t size = (size_t)snprintf(out, 64, "Function.");
    bool begins = true;

    for (; *name && size + 1 < 64; name++) {
        if (*name != '_')
            out[size++] = begins ? *name : (char)(*name - 'A' + 'a');
        begins = *name == '_';
    }
    out[size] = '\0';
}

void iswi_lambda_failure_write(iswi_buffer *out, const char *type, isw_str message)
{
    iswi_buffer_append_text(out, "{\"errorMessage\":");
    iswi_json_string(out, message);
    iswi_buffer_append_text(out, ",\"errorType\":");
    iswi_json_string(out, isw_str_of(type));
    iswi_buffer_append_text(out, ",\"stackTrace\":[]}");
}
