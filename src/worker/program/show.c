/* SPDX-License-Identifier: Apache-2.0 */
/* What came of an invocation, for the people at a shell. */
#include "worker/program/program.h"

#include "base/logline.h"

#include <isoworker/http.h>
#include <stdio.h>
#include <sysexits.h>

static void print_result(const isw_value *result)
{
    isw_bytes payload = isw_value_payload(result);
    iswi_buffer json = { 0 };

    if (result->type == ISW_VALUE_HTTP) {
        printf("HTTP %d\n", result->as.http->status);
        for (size_t i = 0; i < result->as.http->headers.count; i++) {
            const isw_pair *pair = &result->as.http->headers.items[i];

            printf("%.*s: %.*s\n", (int)pair->name.size, pair->name.data, (int)pair->value.size,
                   pair->value.data);
        }
        printf("\n");
    }
    if (payload.data) {
        fwrite(payload.data, 1, payload.size, stdout);
    } else if (result->type != ISW_VALUE_HTTP && result->type != ISW_VALUE_NONE) {
        iswi_json_value(&json, result);
        printf("%s\n", iswi_buffer_text(&json) ? iswi_buffer_text(&json) : "");
        iswi_buffer_fini(&json);
    }
}

/* "ISW_E_INVALID: no such order (order.missing, orders.c:41)", then a line for each cause. */
static void print_failure(const isw_failure *failure)
{
    const char *lead = "";

    for (; failure; failure = failure->cause) {
        const char *type = failure->type;
        const char *place = failure->place;

        fprintf(stderr, "%s%s: %s", lead, isw_status_name(failure->status), failure->message);
        if (*type || *place)
            fprintf(stderr, " (%s%s%s)", type, *type && *place ? ", " : "", place);
        fprintf(stderr, "\n");
        lead = "  because of ";
    }
}

int iswi_program_show(const isw_invocation *invocation)
{
    bool success = invocation->outcome == ISW_OUTCOME_SUCCESS;

    print_result(&invocation->result);
    if (invocation->failure.status != ISW_OK)
        print_failure(&invocation->failure);
    fflush(stdout);
    fprintf(stderr, "%s after %lld us\n", success ? "success" : "failed",
            (long long)invocation->duration_us);
    return success ? EX_OK : EX_SOFTWARE;
}
