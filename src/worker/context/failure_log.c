/* SPDX-License-Identifier: Apache-2.0 */
/* Failures in the log: once each, with type, place and causes. */
#include "base/logline.h"
#include "worker/context/failure.h"

#include <isoworker/log.h>

/* "the database is locked (sqlite.BUSY, db.c:12)" */
static isw_value cause_text(isw_context *ctx, const isw_failure *cause)
{
    bool both = *cause->type && *cause->place;
    const char *text = cause->message;

    if (*cause->type || *cause->place)
        text = isw_context_printf(ctx, "%s (%s%s%s)", cause->message, cause->type,
                                  both ? ", " : "", cause->place);
    return isw_value_string(text);
}

static isw_value cause_texts(isw_context *ctx, const isw_failure *failure)
{
    isw_value *items = iswi_arena_calloc(&ctx->arena, ISWI_CAUSES_MAX, sizeof *items);
    size_t count = 0;

    for (const isw_failure *at = failure->cause; items && at && count < ISWI_CAUSES_MAX;
         at = at->cause)
        items[count++] = cause_text(ctx, at);
    return isw_value_array(items, count);
}

void isw_log_failure(isw_context *ctx, isw_log_level level)
{
    ISWI_ALIVE(ctx);
    const isw_failure *failure = &ctx->run.failure;
    isw_named_value fields[6];
    size_t count = 0;

    ctx->failure_logged = true;
    if (failure->status == ISW_OK || level == ISW_LOG_NONE || !isw_log_enabled(ctx, level, NULL))
        return;
    if (*failure->type)
        fields[count++] = isw_named("type", isw_value_string(failure->type));
    if (*failure->place)
        fields[count++] = isw_named("place", isw_value_string(failure->place));
    if (failure->cause)
        fields[count++] = isw_named("causes", cause_texts(ctx, failure));
    if (ctx->obeyed)
        fields[count++] = isw_named("reason", isw_value_string(failure->status == ISW_E_TIMEOUT
                                                                      ? "deadline"
                                                                      : "shutdown"));
    fields[count++] = isw_named("user", isw_value_bool(failure->user));
    fields[count++] = isw_named("retriable", isw_value_bool(failure->retriable));
    isw_log_fields(ctx, level, NULL, fields, count, "%s: %s", isw_status_name(failure->status),
                   failure->message);
}

void iswi_context_report(isw_context *ctx, isw_status status)
{
    isw_status why = ctx->run.failure.status;
    isw_outcome outcome = isw_context_outcome(ctx, status);

    if (ctx->failure_logged)
        return;
    if (outcome != ISW_OUTCOME_SUCCESS)
        isw_log_failure(ctx, iswi_failure_level(outcome, why));
}
