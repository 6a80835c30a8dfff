/* SPDX-License-Identifier: Apache-2.0 */
/* The failure of a context and its outcome. Texts lie in the invocation's arena; what memory cannot
 * be had for is said by the status alone. */
#include "worker/context/failure.h"

#include "base/logline.h"
#include "base/text.h"

#include <assert.h>
#include <isoworker/log.h>

static const char *copy(isw_context *ctx, const char *text, const char *otherwise)
{
    const char *kept =
        text && *text ? iswi_arena_strndup(&ctx->arena, text, strlen(text)) : NULL;

    return kept ? kept : otherwise;
}

/* A place without the folders that the compiler saw. */
static const char *file_of(const char *place)
{
    const char *slash = place ? strrchr(place, '/') : NULL;

    return slash ? slash + 1 : place ? place : "";
}

/* What was said before it stays below it. */
static isw_status record(isw_context *ctx, isw_failure failure, const char *format, va_list args)
{
    const char *message = format ? iswi_arena_vprintf(&ctx->arena, format, args) : NULL;

    assert(failure.status != ISW_OK);
    failure.message = message ? message : isw_status_text(failure.status);
    failure.retriable = isw_status_retriable(failure.status);
    if (!failure.type)
        failure.type = "";
    ctx->obeyed = false;
    ctx->run.failure = failure;
    return failure.status;
}

/* The failure so far, to be the cause of another one; NULL if there is none, or no memory. */
static isw_failure *as_cause(isw_context *ctx)
{
    isw_failure *cause = ctx->run.failure.status != ISW_OK
                             ? iswi_arena_alloc(&ctx->arena, sizeof *cause)
                             : NULL;

    if (cause)
        *cause = ctx->run.failure;
    ctx->misused = false;
    return cause;
}

/* Whether the failure so far stays. That the library was used wrongly does not, where the function
 * says what it makes of it. */
static bool has_failed(const isw_context *ctx)
{
    return ctx->run.failure.status != ISW_OK && !ctx->misused;
}

/* ISW_OK is no failure: what was meant to fail must not pass for a success. */
static isw_status fail_with_ok(isw_context *ctx, const char *place)
{
    iswi_misuse(ctx, ISW_E_FAILED, "isw_fail was given ISW_OK%s%s, which is no failure",
                *place ? " at " : "", place);
    return ISW_E_FAILED;
}

isw_status isw_fail_at(isw_context *ctx, isw_status status, const char *place, const char *format,
                       ...)
{
    ISWI_ALIVE(ctx);
    isw_failure failure = { .status = status, .place = file_of(place), .user = true };
    va_list args;

    if (status == ISW_OK)
        return fail_with_ok(ctx, failure.place);
    if (has_failed(ctx))
        return status;
    failure.cause = as_cause(ctx);
    va_start(args, format);
    record(ctx, failure, format, args);
    va_end(args);
    return status;
}

isw_status isw_fail_because_at(isw_context *ctx, isw_status status, const char *place,
                               const char *format, ...)
{
    ISWI_ALIVE(ctx);
    isw_failure failure = { .status = status, .place = file_of(place), .user = true };
    va_list args;

    if (status == ISW_OK)
        return fail_with_ok(ctx, failure.place);
    failure.cause = as_cause(ctx);
    va_start(args, format);
    record(ctx, failure, format, args);
    va_end(args);
    return status;
}

isw_status iswi_fail(isw_context *ctx, isw_status status, const char *format, ...)
{
    va_list args;

    if (ctx->run.failure.status != ISW_OK)
        return status;
    va_start(args, format);
    record(ctx, (isw_failure){ .status = status, .place = "", .user = status == ISW_E_INVALID ||
                                                                     status == ISW_E_NOT_FOUND ||
                                                                     status == ISW_E_CONFLICT },
           format, args);
    va_end(args);
    return status;
}

isw_status iswi_misuse(isw_context *ctx, isw_status status, const char *format, ...)
{
    const char *place = isw_context_printf(ctx, "function %s", ctx->bound->function->name);
    va_list args;

    if (ctx->run.failure.status != ISW_OK)
        return status;
    ctx->misused = true;
    va_start(args, format);
    record(ctx, (isw_failure){ .status = ISW_E_FAILED, .place = place ? place : "", .user = true },
           format, args);
    va_end(args);
    return status;
}

isw_status iswi_needs(isw_context *ctx, const char *call, const char *what, const void *given)
{
    return given ? ISW_OK : iswi_misuse(ctx, ISW_E_INVALID, "%s: its %s is NULL", call, what);
}

/* One of a chain, copied; its cause is left to the caller. */
static isw_failure copy_one(isw_context *ctx, const isw_failure *failure)
{
    isw_failure kept = *failure;

    kept.message = copy(ctx, failure->message, isw_status_text(failure->status));
    kept.type = copy(ctx, failure->type, "");
    kept.place = copy(ctx, failure->place ? file_of(failure->place) : NULL, "");
    kept.cause = NULL;
    return kept;
}

isw_status isw_fail_as(isw_context *ctx, const isw_failure *failure)
{
    ISWI_ALIVE(ctx);
    const isw_failure **next = &ctx->run.failure.cause;
    unsigned depth = 0;

    if (!failure || failure->status == ISW_OK)
        return fail_with_ok(ctx, failure ? file_of(failure->place) : "");
    if (has_failed(ctx))
        return failure->status;
    ctx->obeyed = false;
    ctx->misused = false;
    ctx->run.failure = copy_one(ctx, failure);
    for (const isw_failure *from = failure->cause; from && depth < ISWI_CAUSES_MAX; depth++) {
        isw_failure *kept = iswi_arena_alloc(&ctx->arena, sizeof *kept);

        if (!kept)
            break;
        *kept = copy_one(ctx, from);
        *next = kept;
        next = &kept->cause;
        from = from->cause;
    }
    return failure->status;
}

const isw_failure *isw_context_failure(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->run.failure.status == ISW_OK ? NULL : &ctx->run.failure;
}

void isw_context_recover(isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    ctx->run.failure = (isw_failure){ .status = ISW_OK };
    ctx->obeyed = false;
    ctx->misused = false;
}

void isw_context_set_outcome(isw_context *ctx, isw_outcome outcome, uint32_t retry_after_ms)
{
    ISWI_ALIVE(ctx);
    ctx->outcome_decided = true;
    ctx->outcome = outcome;
    ctx->retry_after_ms = retry_after_ms;
}

uint32_t isw_context_retry_after_ms(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->retry_after_ms;
}

isw_outcome isw_context_outcome(const isw_context *ctx, isw_status status)
{
    ISWI_ALIVE(ctx);
    if (ctx->outcome_decided)
        return ctx->outcome;
    if (ctx->run.failure.status != ISW_OK)
        status = ctx->run.failure.status;
    if (status == ISW_OK)
        return ISW_OUTCOME_SUCCESS;
    return status == ISW_E_CANCELLED || ctx->obeyed ? ISW_OUTCOME_CANCELLED : ISW_OUTCOME_FAILED;
}

/* -- On the wire ------------------------------------------------------------------------------- */

/* Text as the wire takes it: what a caller sent may stand in it, and that must not cost the
 * answer. */
static isw_str wire_text(isw_context *ctx, const char *text, size_t most)
{
    iswi_buffer escaped = { 0 };
    isw_str view = isw_str_of(text);

    if (!iswi_utf8_valid(view.data, view.size)) {
        iswi_terminal_text(&escaped, view);
        view = isw_str_of(iswi_arena_strndup(&ctx->arena, (const char *)escaped.data,
                                             escaped.failed ? 0 : escaped.size));
        iswi_buffer_fini(&escaped);
    }
    if (view.size > most)
        for (view.size = most; view.size && ((unsigned char)view.data[view.size] & 0xc0) == 0x80;)
            view.size--;
    return view;
}

static size_t causes_of(isw_context *ctx, const isw_failure *failure, iswi_wire_cause **out)
{
    size_t count = 0;

    for (const isw_failure *at = failure->cause; at && count < ISWI_CAUSES_MAX; at = at->cause)
        count++;
    *out = count ? iswi_arena_calloc(&ctx->arena, count, sizeof **out) : NULL;
    if (!*out)
        return 0;
    for (size_t i = 0; i < count; i++) {
        failure = failure->cause;
        (*out)[i] = (iswi_wire_cause){ .code = (uint64_t)failure->status,
                                       .message = wire_text(ctx, failure->message, ISWI_TEXT_MAX),
                                       .type = wire_text(ctx, failure->type, ISWI_NAME_MAX),
                                       .place = wire_text(ctx, failure->place, ISWI_LINE_MAX) };
    }
    return count;
}

void iswi_failure_to_wire(isw_context *ctx, iswi_wire_status *out)
{
    const isw_failure *failure = &ctx->run.failure;
    iswi_wire_cause *causes;

    out->code = (uint64_t)failure->status;
    out->message = wire_text(ctx, failure->message, ISWI_TEXT_MAX);
    out->type = wire_text(ctx, failure->type, ISWI_NAME_MAX);
    out->place = wire_text(ctx, failure->place, ISWI_LINE_MAX);
    out->user = failure->user;
    out->retriable = failure->retriable;
    out->causes.count = causes_of(ctx, failure, &causes);
    out->causes.items = causes;
}
