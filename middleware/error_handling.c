/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error_handling: turns a failure into an answer that the caller can use. HTTP callers get
 * application/problem+json (RFC 9457) under the HTTP status that the failure stands for; others get
 * a JSON object with type and message. The invocation stays failed: the host counts it as such.
 * A reply of 400 or more that something inside has made on purpose is left alone, and so is one
 * whose body has begun to leave.
 */
#include <isoworker/http.h>
#include <isoworker/log.h>
#include <isoworker/stream.h>
#include <isoworker/sys/middleware.h>
#include <stddef.h>

typedef struct options {
    bool expose_details;
    bool log;
} options;

static const isw_option rows[] = {
    { .name = "expose_details", .type = ISW_OPTION_BOOL, .default_value = "false",
      .offset = offsetof(options, expose_details),
      .help = "show the failure's own sentence to callers" },
    { .name = "log", .type = ISW_OPTION_BOOL, .default_value = "true",
      .offset = offsetof(options, log), .help = "log each failure with its sentence" },
    { 0 },
};

/* A body that has begun is cut instead, which its caller sees. */
static bool already_answered(const isw_context *ctx)
{
    const isw_http *reply = isw_http_response(ctx);

    return isw_http_begun(ctx) || (reply && reply->status >= 400);
}

/* Whole seconds, so that nobody comes back too early. */
static void say_when(isw_context *ctx, uint32_t retry_after_ms)
{
    const char *seconds = isw_context_printf(ctx, "%u", (retry_after_ms + 999) / 1000);

    if (seconds)
        isw_http_set_header(ctx, "retry-after", retry_after_ms ? seconds : "1");
}

static isw_status answer_json(isw_context *ctx, const isw_failure *failure, bool details)
{
    const char *text = details ? failure->message : isw_status_text(failure->status);
    const char *message = isw_context_json_string(ctx, text);
    const char *type = isw_context_json_string(
        ctx, *failure->type ? failure->type : isw_status_name(failure->status));
    const char *json =
        message && type
            ? isw_context_printf(ctx, "{\"type\":%s,\"message\":%s,\"retriable\":%s}", type,
                                 message, failure->retriable ? "true" : "false")
            : NULL;
    isw_value value;

    if (!json)
        return ISW_E_NO_MEMORY;
    value = isw_value_json(json);
    return isw_context_set_result(ctx, &value);
}

static void answer(isw_context *ctx, const isw_failure *failure, isw_outcome outcome, bool details)
{
    if (!isw_http_request(ctx)) {
        answer_json(ctx, failure, details);
    } else if (!already_answered(ctx)) {
        if (outcome == ISW_OUTCOME_RETRY_LATER)
            say_when(ctx, isw_context_retry_after_ms(ctx));
        isw_http_reply_failure(ctx, details);
    }
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    isw_status status = isw_next_run(next, ctx);
    isw_outcome outcome = isw_context_outcome(ctx, status);
    const isw_failure *failure;

    if (outcome == ISW_OUTCOME_SUCCESS)
        return status;
    if (!isw_context_failure(ctx)) /* the outcome alone says so */
        isw_fail_as(ctx, &(isw_failure){ .status = ISW_E_FAILED,
                                         .message = "no reason was given",
                                         .user = true,
                                         .retriable = outcome == ISW_OUTCOME_RETRY_LATER });
    failure = isw_context_failure(ctx);
    if (opt->log)
        isw_log_failure(ctx, isw_status_http(failure->status) >= 500 ? ISW_LOG_ERROR
                                                                     : ISW_LOG_WARNING);
    else
        isw_log_failure(ctx, ISW_LOG_NONE);
    answer(ctx, failure, outcome, opt->expose_details);
    return failure->status;
}

const isw_middleware isw_middleware_error_handling = {
    .size = sizeof(isw_middleware),
    .name = "error_handling",
    .summary = "turn failures into answers (RFC 9457 for HTTP)",
    .options = rows,
    .options_size = sizeof(options),
    .invoke = invoke,
};
