/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logging: one line when an invocation begins (debug) and one when it has ended, with its status,
 * duration and sizes as fields, under the category "Invocation". Lines that the function writes
 * meanwhile carry the option `scope` as a field if it is set.
 *
 * The levels are those of the lines, and no thresholds: what of them is shown is chosen by
 * `logging: { level }` of host.yaml. `success_level: none` leaves out what went well. Put it
 * outside of error_handling, so that its line counts the bytes of the answer that is made of a
 * failure.
 */
#include <isoworker/http.h>
#include <isoworker/log.h>
#include <isoworker/stream.h>
#include <isoworker/sys/middleware.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct options {
    int64_t success_level;
    int64_t failure_level;
    const char *level; /* as success_level was named; NULL for none */
    const char *scope;
} options;

typedef struct state {
    isw_log_level success, failure;
    isw_log_level refusal; /* of what fails by HTTP below 500 */
} state;

static const char *const levels[] = { "trace", "debug",    "info", "warning",
                                      "error", "critical", "none", NULL };

static const char *const failure_levels[] = { "trace", "debug",    "info", "warning", "error",
                                              "critical", "none", "auto", NULL };

enum { AUTO = ISW_LOG_NONE + 1 };

static const isw_option rows[] = {
    { .name = "success_level", .type = ISW_OPTION_ENUM, .default_value = "info",
      .choices = levels, .offset = offsetof(options, success_level),
      .help = "level of the line at the end of what went well; none leaves it out" },
    { .name = "failure_level", .type = ISW_OPTION_ENUM, .default_value = "auto",
      .choices = failure_levels, .offset = offsetof(options, failure_level),
      .help = "level of the line at the end of what failed; none leaves it out; auto: warning, and "
              "info for what a caller by HTTP did wrong (400 to 499), of which the failure's own line "
              "warns" },
    { .name = "level", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(options, level),
      .help = "the old name of success_level; it is no threshold" },
    { .name = "scope", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(options, scope),
      .help = "a field \"scope\" of this value on every line of the invocation" },
    { 0 },
};

static const char category[] = "Invocation";

enum { FIELDS = 8 };

/* -- The options ------------------------------------------------------------------------------- */

/* Who wrote `level` before success_level was there gets what it did: a failure's line is at least
 * as loud as a success's. */
static isw_status start_by_old_name(isw_instance *self, isw_error *error)
{
    const options *opt = isw_instance_options(self);
    state *own = isw_instance_state(self);
    int level = 0;

    while (levels[level] && strcmp(levels[level], opt->level) != 0)
        level++;
    if (!levels[level])
        return isw_error_set(error, ISW_E_CONFIG,
                             "level \"%s\" is none of trace, debug, info, warning, error, critical "
                             "and none; it is the old name of success_level",
                             opt->level);
    own->success = (isw_log_level)level;
    if (own->success != ISW_LOG_NONE && own->failure < own->success)
        own->failure = own->success;
    if (own->success != ISW_LOG_NONE && own->refusal < own->success)
        own->refusal = own->success;
    fprintf(stderr,
            "%s: logging: \"level: %s\" makes each success a line of level %s, it is no threshold; "
            "write success_level for it, or \"success_level: none\" to leave successes out\n",
            isw_instance_where(self), opt->level, opt->level);
    return ISW_OK;
}

static isw_status start(isw_instance *self, isw_error *error)
{
    const options *opt = isw_instance_options(self);
    state *own = isw_instance_state(self);

    own->success = (isw_log_level)opt->success_level;
    own->failure = opt->failure_level == AUTO ? ISW_LOG_WARNING : (isw_log_level)opt->failure_level;
    own->refusal = opt->failure_level == AUTO ? ISW_LOG_INFO : own->failure;
    return opt->level ? start_by_old_name(self, error) : ISW_OK;
}

/* -- The lines --------------------------------------------------------------------------------- */

/* What the caller gets, also where the answer is made further out: of a failure by error_handling
 * or the host, of no reply by the host. */
static int http_status_of(const isw_context *ctx, isw_outcome outcome, isw_status status)
{
    const isw_http *reply = isw_http_response(ctx);
    const isw_value *result = isw_context_result(ctx);
    const bool failed = outcome != ISW_OUTCOME_SUCCESS;

    if (reply && (!failed || reply->status >= 400 || isw_http_begun(ctx)))
        return reply->status;
    if (failed)
        return outcome == ISW_OUTCOME_RETRY_LATER && status != ISW_E_BUSY
                   ? 503
                   : isw_status_http(status);
    return result && result->type != ISW_VALUE_NONE ? 200 : 204;
}

static isw_log_level level_of(const state *own, const isw_context *ctx, isw_outcome outcome,
                              isw_status status)
{
    const isw_failure *failure = isw_context_failure(ctx);

    if (outcome == ISW_OUTCOME_SUCCESS)
        return own->success;
    return isw_http_request(ctx) &&
                   http_status_of(ctx, outcome, failure ? failure->status : status) < 500
               ? own->refusal
               : own->failure;
}

static size_t http_fields(const isw_context *ctx, isw_outcome outcome, isw_status status,
                          isw_named_value *fields, size_t count)
{
    const isw_http *request = isw_http_request(ctx);

    if (!request)
        return count;
    fields[count].name = isw_str_of("method");
    fields[count].value = isw_value_string("");
    fields[count++].value.as.string = request->method;
    fields[count++] =
        isw_named("http_status", isw_value_int(http_status_of(ctx, outcome, status)));
    return count;
}

static void log_end(isw_context *ctx, isw_log_level level, isw_outcome outcome, isw_status status)
{
    const isw_function *function = isw_context_function(ctx);
    const isw_value *result = isw_context_result(ctx);
    const isw_failure *failure = isw_context_failure(ctx);
    isw_named_value fields[FIELDS];
    size_t count = 0;

    if (failure)
        status = failure->status;
    else if (status == ISW_OK && outcome != ISW_OUTCOME_SUCCESS)
        status = ISW_E_FAILED; /* the outcome alone says so */
    fields[count++] = isw_named("trigger", isw_value_string(function->trigger.type));
    fields[count++] = isw_named("status", isw_value_string(isw_status_name(status)));
    fields[count++] = isw_named("duration_us", isw_value_int(isw_context_elapsed_us(ctx)));
    fields[count++] = isw_named(
        "in_bytes", isw_value_int((int64_t)isw_value_payload(isw_context_trigger(ctx)).size));
    fields[count++] =
        isw_named("out_bytes", isw_value_int(result ? (int64_t)isw_value_payload(result).size : 0));
    count = http_fields(ctx, outcome, status, fields, count);
    isw_log_fields(ctx, level, category, fields, count, "%s ended", function->name);
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    const state *own = isw_instance_state(self);
    isw_log_level level;
    isw_outcome outcome;
    isw_status status;

    if (opt->scope)
        isw_log_push_scope(ctx, "scope", opt->scope);
    isw_log_fields(ctx, ISW_LOG_DEBUG, category, NULL, 0, "%s begins",
                   isw_context_function(ctx)->name);
    status = isw_next_run(next, ctx);
    outcome = isw_context_outcome(ctx, status);
    level = level_of(own, ctx, outcome, status);
    if (level != ISW_LOG_NONE && isw_log_enabled(ctx, level, category))
        log_end(ctx, level, outcome, status);
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
    .instance_size = sizeof(state),
    .start = start,
    .invoke = invoke,
};
