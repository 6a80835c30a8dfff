/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logging: one line when an invocation begins (debug) and one when it has ended, with its status,
 * duration and sizes as fields, under the category "Invocation". Lines that the function writes
 * meanwhile carry the option `scope` as a field if it is set.
 */
#include <isoworker/http.h>
#include <isoworker/log.h>
#include <isoworker/sys/middleware.h>
#include <stddef.h>

typedef struct options {
    int64_t level;
    int64_t failure_level;
    const char *scope;
} options;

static const char *const levels[] = { "trace", "debug",    "info", "warning",
                                      "error", "critical", "none", NULL };

static const isw_option rows[] = {
    { .name = "level", .type = ISW_OPTION_ENUM, .default_value = "info", .choices = levels,
      .offset = offsetof(options, level), .help = "level of the line at the end" },
    { .name = "failure_level", .type = ISW_OPTION_ENUM, .default_value = "warning",
      .choices = levels, .offset = offsetof(options, failure_level),
      .help = "level of that line when the invocation failed" },
    { .name = "scope", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(options, scope),
      .help = "a field \"scope\" of this value on every line of the invocation" },
    { 0 },
};

static const char category[] = "Invocation";

enum { FIELDS = 8 };

static size_t http_fields(const isw_context *ctx, isw_named_value *fields, size_t count)
{
    const isw_http *request = isw_http_request(ctx);
    const isw_http *reply = isw_http_response(ctx);

    if (!request)
        return count;
    fields[count].name = isw_str_of("method");
    fields[count].value = isw_value_string("");
    fields[count++].value.as.string = request->method;
    if (reply)
        fields[count++] = isw_named("http_status", isw_value_int(reply->status));
    return count;
}

static void log_end(isw_context *ctx, isw_log_level level, isw_status status)
{
    const isw_function *function = isw_context_function(ctx);
    const isw_value *result = isw_context_result(ctx);
    const isw_failure *failure = isw_context_failure(ctx);
    isw_named_value fields[FIELDS];
    size_t count = 0;

    if (failure)
        status = failure->status;
    fields[count++] = isw_named("trigger", isw_value_string(function->trigger.type));
    fields[count++] = isw_named("status", isw_value_string(isw_status_name(status)));
    fields[count++] = isw_named("duration_us", isw_value_int(isw_context_elapsed_us(ctx)));
    fields[count++] = isw_named(
        "in_bytes", isw_value_int((int64_t)isw_value_payload(isw_context_trigger(ctx)).size));
    fields[count++] =
        isw_named("out_bytes", isw_value_int(result ? (int64_t)isw_value_payload(result).size : 0));
    count = http_fields(ctx, fields, count);
    isw_log_fields(ctx, level, category, fields, count, "%s ended", function->name);
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    isw_log_level level = (isw_log_level)opt->level;
    isw_status status;

    if (opt->scope)
        isw_log_push_scope(ctx, "scope", opt->scope);
    isw_log_fields(ctx, ISW_LOG_DEBUG, category, NULL, 0, "%s begins",
                   isw_context_function(ctx)->name);
    status = isw_next_run(next, ctx);
    if (isw_context_outcome(ctx, status) != ISW_OUTCOME_SUCCESS &&
        (level == ISW_LOG_NONE || opt->failure_level > opt->level))
        level = (isw_log_level)opt->failure_level;
    if (level != ISW_LOG_NONE && isw_log_enabled(ctx, level, category))
        log_end(ctx, level, status);
    if (opt->scope)
        isw_log_pop_scope(ctx);
    return status;
}

const isw_middleware isw_middleware_logging = {
    .size = sizeof(isw_middleware),
    .name = "logging",
    .summary = "one line at the begin and one at the end of each invocation",
    .options = rows,
    .options_size = sizeof(options),
    .invoke = invoke,
};
