/* SPDX-License-Identifier: Apache-2.0 */
/* What a test keeps of an invocation: copies of its lines, and views of its context, which lives
 * until the next one. */
#include "worker/testing/testing.h"

#include <isoworker/http.h>

/* -- Filling ----------------------------------------------------------------------------------- */

void iswi_test_take_line(void *user, isw_context *ctx, const iswi_log *line)
{
    isw_test *test = user;
    isw_test_line *kept = iswi_test_add(test, &test->lines, sizeof *kept);

    (void)ctx;
    kept->level = (isw_log_level)line->level;
    kept->category = iswi_test_text(test, line->category);
    kept->message = iswi_test_text(test, line->message);
    kept->fields = iswi_test_copy_map(test, &line->fields);
}

/* What the host answers when the function made no reply of its own; see its http/trigger.c. */
static int status_without_reply(const isw_test_result *result)
{
    if (result->outcome == ISW_OUTCOME_SUCCESS)
        return result->result.type == ISW_VALUE_NONE ? 204 : 200;
    if (result->outcome == ISW_OUTCOME_RETRY_LATER)
        return 503;
    return isw_status_http(result->failure ? result->failure->status : ISW_E_FAILED);
}

static int http_status_of(const isw_test_result *result)
{
    const isw_http *reply =
        result->result.type == ISW_VALUE_HTTP ? result->result.as.http : NULL;

    if (reply && (result->outcome == ISW_OUTCOME_SUCCESS || reply->status >= 400))
        return reply->status;
    return status_without_reply(result);
}

static void set_body(isw_test *test)
{
    isw_bytes body = isw_value_payload(&test->result.result);

    test->result.body = iswi_test_text(test, (isw_str){ body.data, body.size });
    test->result.body_size = body.size;
}

static void set_spans(isw_test *test)
{
    const iswi_spans *spans = &test->spans;
    isw_test_span *out =
        iswi_test_must(iswi_arena_calloc(&test->arena, spans->count, sizeof *out));

    for (size_t i = 0; i < spans->count; i++) {
        const iswi_span *span = &spans->items[i];

        out[i] = (isw_test_span){ .name = span->name,
                                  .depth = span->depth,
                                  .start_us = (span->start_ns - test->ctx->arrived_ns) / 1000,
                                  .duration_us = (span->end_ns - span->start_ns) / 1000,
                                  .status = span->status };
    }
    test->result.spans = out;
    test->result.span_count = spans->count;
}

void iswi_test_fill(isw_test *test, isw_status status)
{
    isw_context *ctx = test->ctx;
    isw_test_result *result = &test->result;

    memset(result, 0, sizeof *result);
    result->outcome = isw_context_outcome(ctx, status);
    if (result->outcome == ISW_OUTCOME_RETRY_LATER)
        result->retry_after_ms = ctx->retry_after_ms;
    result->failure = isw_context_failure(ctx);
    if (ctx->has_result)
        result->result = ctx->result;
    result->outputs = (isw_map){ ctx->outputs.items, ctx->outputs.count };
    if (isw_http_request(ctx))
        result->http_status = http_status_of(result);
    result->duration_us = isw_context_elapsed_us(ctx);
    set_body(test);
    set_spans(test);
}

void iswi_test_take_lines(isw_test *test)
{
    test->result.lines = test->lines.items;
    test->result.line_count = test->lines.count;
}

void iswi_test_refuse(isw_test *test, isw_status status, int http_status, const char *message)
{
    isw_failure *failure = iswi_test_must(iswi_arena_calloc(&test->arena, 1, sizeof *failure));

    memset(&test->result, 0, sizeof test->result);
    *failure = (isw_failure){ .status = status, .message = message, .type = "", .place = "" };
    test->result.failure = failure;
    test->result.http_status = http_status;
    test->result.body = "";
}

/* -- Looking ----------------------------------------------------------------------------------- */

const char *isw_test_reply_header(const isw_test_result *result, const char *name)
{
    const isw_str *value = result->result.type == ISW_VALUE_HTTP
                               ? isw_pairs_find(&result->result.as.http->headers, name)
                               : NULL;

    return value ? value->data : NULL;
}

const isw_value *isw_test_output(const isw_test_result *result, const char *name)
{
    for (size_t i = result->outputs.count; i-- > 0;)
        if (isw_str_equal(result->outputs.items[i].name, isw_str_of(name)))
            return &result->outputs.items[i].value;
    return NULL;
}

const isw_test_line *isw_test_logged(const isw_test_result *result, const char *text)
{
    for (size_t i = 0; i < result->line_count; i++)
        if (strstr(result->lines[i].message, text))
            return &result->lines[i];
    return NULL;
}
