/* SPDX-License-Identifier: Apache-2.0 */
/* What came of an invocation, for the people at a shell. */
#include "worker/program/program.h"

#include "value/show.h"

#include <stdio.h>
#include <sysexits.h>

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

    iswi_value_show(&invocation->result, stdout);
    if (invocation->failure.status != ISW_OK)
        print_failure(&invocation->failure);
    fprintf(stderr, "%s after %lld us\n", success ? "success" : "failed",
            (long long)invocation->duration_us);
    return success ? EX_OK : EX_SOFTWARE;
}
