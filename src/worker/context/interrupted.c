/* SPDX-License-Identifier: Apache-2.0 */
/* A failure of a function that was cancelled: it bears the status of the reason. */
#include "worker/context/failure.h"

static isw_status status_of(isw_cancel_reason reason)
{
    switch (reason) {
    case ISW_CANCEL_DEADLINE:
        return ISW_E_TIMEOUT;
    case ISW_CANCEL_SHUTDOWN:
        return ISW_E_UNAVAILABLE;
    default:
        return ISW_OK;
    }
}

/* What it was doing broke off, and that is what it says. Under a limit it is the limit's owner who
 * tells. */
static bool was_interrupted(const isw_context *ctx, isw_status status)
{
    return !ctx->limit && status != ISW_E_TIMEOUT && status != ISW_E_UNAVAILABLE &&
           status != ISW_E_NO_MEMORY &&
           isw_status_http(status) >= 500;
}

void iswi_failure_follow_reason(isw_context *ctx)
{
    isw_failure *failure = &ctx->run.failure;
    bool obeys = failure->status == ISW_E_CANCELLED;
    isw_status status;

    if (!obeys && !was_interrupted(ctx, failure->status))
        return;
    status = status_of(isw_context_cancel_reason(ctx));
    if (status == ISW_OK)
        return;
    if (obeys) {
        failure->status = status;
        failure->retriable = isw_status_retriable(status);
        ctx->obeyed = true;
    } else {
        isw_fail_because_at(ctx, status, failure->place, status == ISW_E_TIMEOUT
                                                             ? "its time was over"
                                                             : "it was cancelled: the host stops");
    }
}
