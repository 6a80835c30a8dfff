/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that say what went wrong, as application/problem+json (RFC 9457). */
#include "base/text.h"
#include "worker/failure.h"

#include <isoworker/http.h>

/* The phrase that RFC 9110, section 15, recommends; those that statuses stand for. */
static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {
        { 400, "Bad Request" },           { 401, "Unauthorized" },
        { 403, "Forbidden" },             { 404, "Not Found" },
        { 405, "Method Not Allowed" },    { 409, "Conflict" },
        { 412, "Precondition Failed" },   { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" }, { 416, "Range Not Satisfiable" },
        { 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
        { 499, "Client Closed Request" }, { 500, "Internal Server Error" },
        { 501, "Not Implemented" },       { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },   { 504, "Gateway Timeout" },
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return status < 500 ? "Request Refused" : "Server Error";
}

/* {"type":"about:blank","title":...,"status":... */
static void begin_problem(iswi_buffer *json, int status, const char *title)
{
    iswi_buffer_reset(json);
    iswi_buffer_append_text(json, "{\"type\":\"about:blank\",\"title\":");
    iswi_json_string(json, isw_str_of(title ? title : reason_of(status)));
    iswi_buffer_printf(json, ",\"status\":%d", status);
}

static void add_member(iswi_buffer *json, const char *name, const char *text)
{
    iswi_buffer_printf(json, ",\"%s\":", name);
    iswi_json_string(json, isw_str_of(text));
}

static isw_status end_problem(isw_context *ctx, iswi_buffer *json, int status)
{
    char *copy;

    iswi_buffer_printf(json, ",\"instance\":\"urn:isoworker:invocation:%s\"",
                       ctx->invocation_id);
    add_member(json, "invocation_id", ctx->invocation_id);
    iswi_buffer_append_text(json, "}\n");
    copy = json->failed ? NULL : isw_context_strndup(ctx, (const char *)json->data, json->size);
    if (!copy)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a reply");
    return isw_http_reply_bytes(ctx, status, "application/problem+json", copy, json->size);
}

isw_status isw_http_reply_problem(isw_context *ctx, int status, const char *title,
                                  const char *detail)
{
    ISWI_ALIVE(ctx);
    iswi_buffer *json = &ctx->outgoing.bytes; /* warm, and nothing is being sent now */

    begin_problem(json, status, title);
    if (detail)
        add_member(json, "detail", detail);
    return end_problem(ctx, json, status);
}

static void add_causes(iswi_buffer *json, const isw_failure *failure)
{
    iswi_buffer_append_text(json, ",\"causes\":[");
    for (const isw_failure *at = failure->cause; at; at = at->cause) {
        iswi_buffer_printf(json, "%s{\"error\":\"%s\"", at == failure->cause ? "" : ",",
                           isw_status_name(at->status));
        add_member(json, "message", at->message);
        if (*at->type)
            add_member(json, "type", at->type);
        if (*at->place)
            add_member(json, "place", at->place);
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

    iswi_failure_follow_reason(ctx); /* in the step that failed nobody has, yet */
    status = later && failure->status != ISW_E_BUSY ? 503 : isw_status_http(failure->status);
    iswi_buffer *json = &ctx->outgoing.bytes;

    begin_problem(json, status, NULL);
    if (details && failure->message)
        add_member(json, "detail", failure->message);
    iswi_buffer_printf(json, ",\"error\":\"%s\"", isw_status_name(failure->status));
    if (failure->type && *failure->type)
        add_member(json, "error_type", failure->type);
    iswi_buffer_printf(json, ",\"retriable\":%s", failure->retriable || later ? "true" : "false");
    if (details && failure->place && *failure->place)
        add_member(json, "place", failure->place);
    if (details && failure->cause)
        add_causes(json, failure);
    return end_problem(ctx, json, status);
}
