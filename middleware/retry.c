/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry: runs the rest again when it failed in a way that may pass (isw_failure.retriable), for
 * functions that say they are idempotent and for those alone. Between two tries it sleeps a random
 * time from 0 to a bound that starts at `base` and doubles up to `max` ("full jitter": M. Brooker,
 * Exponential Backoff And Jitter, AWS Architecture Blog, 2015), or what the failure itself asks for
 * if that is longer. It gives up when the deadline would come first, when the caller has left, and
 * when a body has begun to leave. Nothing of an earlier try is in the answer of a later one.
 */
#include <isoworker/log.h>
#include <isoworker/stream.h>
#include <isoworker/sys/middleware.h>
#include <inttypes.h>
#include <stddef.h>
#include <sys/random.h>

typedef struct options {
    int64_t attempts;
    int64_t base_ms, max_ms;
} options;

static const isw_option rows[] = {
    { .name = "attempts", .type = ISW_OPTION_INT, .default_value = "3", .min = 2, .max = 100,
      .offset = offsetof(options, attempts), .help = "tries altogether" },
    { .name = "base", .type = ISW_OPTION_DURATION, .default_value = "50ms", .min = 1,
      .max = 60000, .offset = offsetof(options, base_ms),
      .help = "the longest pause before the second try; doubles with each" },
    { .name = "max", .type = ISW_OPTION_DURATION, .default_value = "2s", .min = 1, .max = 600000,
      .offset = offsetof(options, max_ms), .help = "the longest pause of all" },
    { 0 },
};

static isw_status start(isw_instance *self, isw_error *error)
{
    const options *opt = isw_instance_options(self);

    if (opt->base_ms > opt->max_ms)
        return isw_error_set(error, ISW_E_CONFIG, "base is longer than max");
    return ISW_OK;
}

/* From 0 to the bound of the pause after `tries`. */
static int64_t pause_ms(const options *opt, int64_t tries)
{
    int64_t bound = opt->base_ms;
    uint32_t random = 0;

    while (--tries > 0 && bound < opt->max_ms)
        bound *= 2;
    if (bound > opt->max_ms)
        bound = opt->max_ms;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = (uint32_t)isw_now_us();
    return (int64_t)(random % ((uint64_t)bound + 1));
}

/* Whether the invocation failed in a way that another try may mend. */
static bool may_pass(const isw_context *ctx, isw_status status)
{
    const isw_failure *failure = isw_context_failure(ctx);
    isw_outcome outcome = isw_context_outcome(ctx, status);

    if (outcome == ISW_OUTCOME_RETRY_LATER)
        return true;
    return outcome == ISW_OUTCOME_FAILED && failure && failure->retriable;
}

static const char *reason(const isw_context *ctx)
{
    const isw_failure *failure = isw_context_failure(ctx);

    return failure ? isw_status_name(failure->status) : "no reason given";
}

/* Sleep before the next try; false: there is to be none. */
static bool wait(isw_context *ctx, const options *opt, int64_t tries)
{
    int64_t pause = pause_ms(opt, tries);

    if (isw_context_retry_after_ms(ctx) > pause)
        pause = isw_context_retry_after_ms(ctx);
    if (isw_http_begun(ctx) || isw_context_cancelled(ctx))
        return false;
    if (tries >= opt->attempts || isw_context_remaining_ms(ctx) <= pause) {
        isw_log_fields(ctx, ISW_LOG_WARNING, NULL, NULL, 0,
                       "try %" PRId64 " of %" PRId64 " failed with %s; %s", tries, opt->attempts,
                       reason(ctx),
                       tries >= opt->attempts ? "it was the last" : "no time for the next");
        return false;
    }
    isw_log_fields(ctx, ISW_LOG_INFO, NULL, NULL, 0,
                   "try %" PRId64 " of %" PRId64 " failed with %s; the next one in %" PRId64 " ms",
                   tries, opt->attempts, reason(ctx), pause);
    return isw_context_sleep(ctx, (uint32_t)pause) == ISW_OK;
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    isw_status status;
    isw_mark mark;

    if (!isw_context_function(ctx)->idempotent)
        return isw_next_run(next, ctx);
    status = isw_context_mark(ctx, &mark);
    if (status != ISW_OK)
        return status;
    status = isw_next_run(next, ctx);
    for (int64_t tries = 1; may_pass(ctx, status) && wait(ctx, opt, tries); tries++) {
        isw_context_start_over_from(ctx, &mark);
        status = isw_next_run(next, ctx);
    }
    return status;
}

const isw_middleware isw_middleware_retry = {
    .size = sizeof(isw_middleware),
    .name = "retry",
    .summary = "runs idempotent functions again after failures that may pass",
    .options = rows,
    .options_size = sizeof(options),
    .start = start,
    .invoke = invoke,
};
