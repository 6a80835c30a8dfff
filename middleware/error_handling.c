/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error_handling: turns a failure into an answer that the caller can use. HTTP callers get
 * application/problem+json (RFC 9457) under the HTTP status that the failure stands for; others get
 * a JSON object with type and message. The invocation stays failed: the host counts it as such.
 * A reply of 400 or more that something inside has made on purpose is left alone.
 */
#include <isoworker/http.h>
#include <isoworker/log.h>
#include <isoworker/sys/middleware.h>
#include <stddef.h>
#include <stdio.h>

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

static bool already_answered(const isw_context *ctx)
{
    const isw_http *reply = isw_http_response(ctx);

    return reply && reply->status >= 400;
}

static isw_status answer_http(isw_context *ctx, isw_status why, isw_outcome outcome,
                              const char *detail)
{
    if (outcome == ISW_OUTCOME_RETRY_LATER) {
        isw_http_set_header(ctx, "retry-after", "1");
        return isw_http_reply_problem(ctx, 503, NULL, detail);
    }
    return isw_http_reply_problem(ctx, isw_status_http(why), NULL, detail);
}

static isw_status answer_json(isw_context *ctx, isw_status why, const char *detail)
{
    const char *message = isw_context_json_string(ctx, detail ? detail : isw_status_text(why));
    char *text = message ? isw_context_printf(ctx, "{\"type\":\"%s\",\"message\":%s}",
                                              isw_status_name(why), message)
                         : NULL;
    isw_value data;

    if (!text)
        return ISW_E_NO_MEMORY;
    data = isw_value_json(text);
    return isw_context_set_result(ctx, &data);
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    isw_status status = isw_next_run(next, ctx);
    isw_outcome outcome = isw_context_outcome(ctx, status);
    const isw_error *failure = isw_context_failure(ctx);
    isw_status why = failure ? failure->status : status != ISW_OK ? status : ISW_E_FAILED;
    const char *detail = failure && opt->expose_details ? failure->message : NULL;

    if (outcome == ISW_OUTCOME_SUCCESS)
        return status;
    if (opt->log)
        isw_log(ctx, isw_status_http(why) >= 500 ? ISW_LOG_ERROR : ISW_LOG_WARNING, "%s: %s",
                isw_status_name(why), failure ? failure->message : "no reason was given");
    if (!isw_http_request(ctx))
        answer_json(ctx, why, detail);
    else if (!already_answered(ctx))
        answer_http(ctx, why, outcome, detail);
    return why;
}

const isw_middleware isw_middleware_error_handling = {
    .size = sizeof(isw_middleware),
    .name = "error_handling",
    .summary = "turn failures into answers (RFC 9457 for HTTP)",
    .options = rows,
    .options_size = sizeof(options),
    .invoke = invoke,
};
