/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeout: bounds the time of what runs inside it. When the time is over the rest is cancelled as
 * by a deadline: isw_context_cancelled turns true, a sleep ends, isw_context_cancel_fd is readable,
 * what isw_context_on_cancel left is called. C code cannot be stopped from outside, so a function
 * that does not look runs on, and the host's own timeout is what ends its process.
 *
 * A function that failed after the time failed with ISW_E_TIMEOUT, which HTTP callers see as 504,
 * and what it said itself is the cause. An answer that came late all the same is kept, since it is
 * there; `late: fail` drops it. Put it inside error_handling, which makes the answer of a failure.
 */
#include <isoworker/http.h>
#include <isoworker/log.h>
#include <isoworker/stream.h>
#include <isoworker/sys/middleware.h>
#include <inttypes.h>
#include <stddef.h>

enum late { KEEP, FAIL };

typedef struct options {
    int64_t after_ms;
    int64_t late;
} options;

static const char *const lates[] = { "keep", "fail", NULL };

static const isw_option rows[] = {
    { .name = "after", .type = ISW_OPTION_DURATION, .min = 1, .max = INT32_MAX,
      .offset = offsetof(options, after_ms), .help = "how long what runs inside may take" },
    { .name = "late", .type = ISW_OPTION_ENUM, .default_value = "keep", .choices = lates,
      .offset = offsetof(options, late),
      .help = "what becomes of an answer that is made after that time" },
    { 0 },
};

static isw_status fail(isw_context *ctx, const options *opt, int64_t took_us)
{
    return isw_fail_because(ctx, ISW_E_TIMEOUT,
                            "%s took %" PRId64 " ms, the middleware timeout gives it %" PRId64,
                            isw_context_function(ctx)->name, took_us / 1000, opt->after_ms);
}

static isw_status too_late(isw_context *ctx, const options *opt, const isw_mark *mark,
                           int64_t took_us, isw_status status)
{
    const isw_http *reply = isw_http_response(ctx);

    if (isw_context_outcome(ctx, status) != ISW_OUTCOME_SUCCESS) {
        /* Further in an answer was made of what it broke off. */
        if (reply && reply->status >= 500 && reply->status != 504 && !isw_http_begun(ctx))
            isw_context_start_over_from(ctx, mark);
        return fail(ctx, opt, took_us);
    }
    if (opt->late == FAIL && !isw_http_begun(ctx)) {
        isw_context_start_over_from(ctx, mark);
        return fail(ctx, opt, took_us);
    }
    isw_log(ctx, ISW_LOG_WARNING,
            "answered after %" PRId64 " ms, the middleware timeout gives it %" PRId64,
            took_us / 1000, opt->after_ms);
    return status;
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    isw_time_limit *limit = isw_next_state(next, ctx);
    int64_t begin_us = isw_now_us();
    isw_status status;
    isw_mark mark;

    if (isw_context_mark(ctx, &mark) != ISW_OK)
        return ISW_E_NO_MEMORY;
    isw_context_limit_begin(ctx, (uint32_t)opt->after_ms, limit);
    status = isw_next_run(next, ctx);
    if (!isw_context_limit_end(ctx, limit))
        return status;
    return too_late(ctx, opt, &mark, isw_now_us() - begin_us, status);
}

const isw_middleware isw_middleware_timeout = {
    .size = sizeof(isw_middleware),
    .name = "timeout",
    .summary = "bounds the time of what runs inside it",
    .options = rows,
    .options_size = sizeof(options),
    .invocation_size = sizeof(isw_time_limit),
    .invoke = invoke,
};
