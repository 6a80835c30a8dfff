/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that say what went wrong, as application/problem+json (RFC 9457). */
#include "base/problem.h"
#include "worker/context/failure.h"
#include "worker/http/reply.h"

#include <isoworker/http.h>

static isw_status end_problem(isw_context *ctx, iswi_buffer *json, int status)
{
    char *copy;

    iswi_problem_end(json, ctx->invocation_id);
    copy = json->failed ? NULL : isw_context_strndup(ctx, (const char *)json->data, json->size);
    if (!copy)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a reply");
    return isw_http_reply_bytes(ctx, status, ISWI_PROBLEM_TYPE, copy, json->size);
}

isw_status isw_http_reply_problem(isw_context *ctx, int status, const char *title,
                                  const char *detail)
{
    ISWI_ALIVE(ctx);
    iswi_buffer *json = &ctx->outgoing.bytes; /* warm, and nothing is being sent now */

    iswi_buffer_reset(json);
    iswi_problem_begin(json, status, title, detail);
    return end_problem(ctx, json, status);
}

static void add_causes(iswi_buffer *json, const isw_failure *failure)
{
    iswi_buffer_append_text(json, ",\"causes\":[");
    for (const isw_failure *at = failure->cause; at; at = at->cause) {
        iswi_buffer_printf(json, "%s{\"error\":\"%s\"", at == failure->cause ? "" : ",",
                           isw_status_name(at->status));
        iswi_problem_text(json, "message", at->message);
        iswi_problem_text(json, "type", at->type);
        iswi_problem_text(json, "place", at->place);
        iswi_buffer_append_text(json, "}");
    }
    iswi_buffer_append_text(json, "]");
}

isw_status isw_http_reply_failure(isw_context *ctx, bool details)
{
    ISWI_ALIVE(ctx);
    const isw_failure *failure = &ctx->run.failure;
    bool later = ctx->outcome_decided && ctx->outcome == ISW_OUTCOME_RETRY_LATER;
    int status;

    if (failure->status == ISW_OK)
        return iswi_misuse(ctx, ISW_E_CONFLICT,
                           "isw_http_reply_failure: the invocation has no failure to answer with; "
                           "record one with isw_fail");
    iswi_failure_follow_reason(ctx); /* in the step that failed nobody has, yet */
    status = later && failure->status != ISW_E_BUSY ? 503 : isw_status_http(failure->status);
    iswi_buffer *json = &ctx->outgoing.bytes;

    if (iswi_context_may_answer(ctx) == ISW_OK)
        iswi_answer_head_forget_body(&ctx->head);
    iswi_buffer_reset(json);
    iswi_problem_begin(json, status, NULL, details ? failure->message : NULL);
    iswi_problem_failure(json, failure->status, failure->type, failure->retriable || later);
    if (details)
        iswi_problem_text(json, "place", failure->place);
    if (details && failure->cause)
        add_causes(json, failure);
    return end_problem(ctx, json, status);
}
