/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and replies: a face on the trigger's data and the result of a context. */
#include "base/text.h"
#include "worker/failure.h"

#include <isoworker/http.h>
#include <stdio.h>

const isw_http *isw_http_request(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->trigger.type == ISW_VALUE_HTTP ? ctx->trigger.as.http : NULL;
}

static const char *text_of(isw_context *ctx, const isw_pairs *pairs, const char *name)
{
    const isw_str *value = isw_pairs_find(pairs, name);

    return value ? isw_context_strndup(ctx, value->data, value->size) : NULL;
}

/* Route and query names are exact, unlike those of headers. */
static const char *exact_text_of(isw_context *ctx, const isw_pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (isw_str_equal(pairs->items[i].name, isw_str_of(name)))
            return isw_context_strndup(ctx, pairs->items[i].value.data,
                                       pairs->items[i].value.size);
    return NULL;
}

const char *isw_http_param(isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    const isw_http *request = isw_http_request(ctx);

    return request ? exact_text_of(ctx, &request->params, name) : NULL;
}

const char *isw_http_query(isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    const isw_http *request = isw_http_request(ctx);

    return request ? exact_text_of(ctx, &request->query, name) : NULL;
}

const char *isw_http_header(isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    const isw_http *request = isw_http_request(ctx);

    return request ? text_of(ctx, &request->headers, name) : NULL;
}

isw_bytes isw_http_body(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    const isw_http *request = isw_http_request(ctx);

    return request ? request->body : (isw_bytes){ NULL, 0 };
}

const isw_http *isw_http_response(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->has_result && ctx->result.type == ISW_VALUE_HTTP ? ctx->result.as.http : NULL;
}

static bool is_token(const char *name)
{
    static const char extra[] = "!#$%&'*+-.^_`|~";

    if (!*name)
        return false;
    for (; *name; name++)
        if (!((*name >= '0' && *name <= '9') || (*name >= 'a' && *name <= 'z') ||
              (*name >= 'A' && *name <= 'Z') || strchr(extra, *name)))
            return false;
    return true;
}

static bool is_field_value(const char *value)
{
    for (const char *at = value; *at; at++)
        if ((unsigned char)*at < 0x20 && *at != '\t')
            return false;
    return !strchr(value, 0x7f) && iswi_utf8_valid(value, strlen(value));
}

/* Headers travel with their names in lower case (PROTOCOL.md, section 5). */
static char *lower_case(char *text)
{
    for (char *at = text; at && *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return text;
}

/* Set a header, replacing one of the same name when `replace`. */
static isw_status put_header(isw_context *ctx, const char *name, const char *value, bool replace)
{
    char *name_copy = lower_case(isw_context_strndup(ctx, name, strlen(name)));
    char *value_copy = isw_context_strndup(ctx, value, strlen(value));
    isw_pair pair = { isw_str_of(name_copy), isw_str_of(value_copy) };

    if (!name_copy || !value_copy)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a header");
    for (size_t i = 0; replace && i < ctx->reply_header_count; i++) {
        if (strcmp(ctx->reply_headers[i].name.data, name) == 0) {
            ctx->reply_headers[i] = pair;
            return ISW_OK;
        }
    }
    if (!iswi_context_grow(ctx, &ctx->reply_headers, &ctx->reply_header_capacity,
                           ctx->reply_header_count, sizeof *ctx->reply_headers))
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a header");
    ctx->reply_headers[ctx->reply_header_count++] = pair;
    return ISW_OK;
}

static void publish_headers(isw_context *ctx)
{
    ctx->reply.headers = (isw_pairs){ ctx->reply_headers, ctx->reply_header_count };
}

isw_status isw_http_set_header(isw_context *ctx, const char *name, const char *value)
{
    ISWI_ALIVE(ctx);
    isw_status status = iswi_context_may_answer(ctx);

    if (status != ISW_OK)
        return status;
    if (!is_token(name) || !is_field_value(value))
        return iswi_fail(ctx, ISW_E_INVALID, "a reply header is no valid HTTP header");
    status = put_header(ctx, name, value, false);
    publish_headers(ctx);
    return status;
}

isw_status isw_http_reply_bytes(isw_context *ctx, int status, const char *content_type,
                                const void *body, size_t size)
{
    ISWI_ALIVE(ctx);
    isw_status done = iswi_context_may_answer(ctx);

    if (done != ISW_OK)
        return done;
    if (status < 100 || status > 599)
        return iswi_fail(ctx, ISW_E_INVALID, "%d is no HTTP status", status);
    if (content_type && !is_field_value(content_type))
        return iswi_fail(ctx, ISW_E_INVALID, "a content type is no valid HTTP header");
    if (content_type)
        done = put_header(ctx, "content-type", content_type, true);
    if (done != ISW_OK)
        return done;
    ctx->reply.status = status;
    ctx->reply.body = (isw_bytes){ body, size };
    publish_headers(ctx);
    ctx->result = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = &ctx->reply };
    ctx->has_result = true;
    return ISW_OK;
}

isw_status isw_http_reply(isw_context *ctx, int status, const char *content_type,
                          const char *format, ...)
{
    ISWI_ALIVE(ctx);
    va_list args;
    char *text;

    va_start(args, format);
    text = iswi_arena_vprintf(&ctx->arena, format, args);
    va_end(args);
    if (!text)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a reply");
    return isw_http_reply_bytes(ctx, status, content_type, text, strlen(text));
}

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
        { 413, "Content Too Large" },     { 415, "Unsupported Media Type" },
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
    int status = later ? 503 : isw_status_http(failure->status);
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
