/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines of an invocation: threshold, scopes, and on to the sink. */
#include "base/clock.h"
#include "worker/context/context.h"

#include <isoworker/log.h>
#include <stdio.h>

enum { FIELDS_MAX = 64, LINE_BYTES = 512 };

bool isw_log_enabled(const isw_context *ctx, isw_log_level level, const char *category)
{
    ISWI_ALIVE(ctx);
    if (!category)
        return (int)level >= atomic_load_explicit(&ctx->entry->threshold, memory_order_relaxed);
    return level >= ctx->log->threshold(ctx->log->user, category);
}

/* `size`, or what of it fits a line without a character cut in two. */
static size_t fitting(const char *text, size_t size)
{
    if (size <= ISWI_TEXT_MAX)
        return size;
    for (size = ISWI_TEXT_MAX; size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80;)
        size--;
    return size;
}

/* Send one line; enabled already. Long text is formatted in the invocation's arena. */
static void emit(isw_context *ctx, isw_log_level level, const char *category,
                 const isw_named_value *fields, size_t field_count, const char *format,
                 va_list args)
{
    isw_named_value all[FIELDS_MAX];
    unsigned scopes = ctx->scope_depth < ISWI_SCOPES_MAX ? ctx->scope_depth : ISWI_SCOPES_MAX;
    char brief[LINE_BYTES];
    const char *text = brief;
    iswi_log line = { .level = (uint64_t)level, .time_us = (uint64_t)iswi_wall_us() };
    va_list again;
    int size;

    va_copy(again, args);
    size = vsnprintf(brief, sizeof brief, format, args);
    if (size >= LINE_BYTES)
        text = iswi_arena_vprintf(&ctx->arena, format, again);
    va_end(again);
    if (size < 0 || !text)
        return;
    for (unsigned i = 0; i < scopes; i++)
        all[line.fields.count++] = ctx->scopes[i];
    for (size_t i = 0; i < field_count && line.fields.count < FIELDS_MAX; i++)
        all[line.fields.count++] = fields[i];
    line.category = isw_str_of(category ? category : ctx->entry->category);
    line.message = (isw_str){ text, fitting(text, (size_t)size) };
    line.fields.items = all;
    ctx->log->emit(ctx->log->user, ctx, &line);
}

void isw_log(isw_context *ctx, isw_log_level level, const char *format, ...)
{
    ISWI_ALIVE(ctx);
    va_list args;

    if (!isw_log_enabled(ctx, level, NULL))
        return;
    va_start(args, format);
    emit(ctx, level, NULL, NULL, 0, format, args);
    va_end(args);
}

void isw_log_fields(isw_context *ctx, isw_log_level level, const char *category,
                    const isw_named_value *fields, size_t field_count, const char *format, ...)
{
    ISWI_ALIVE(ctx);
    va_list args;

    if (!isw_log_enabled(ctx, level, category))
        return;
    va_start(args, format);
    emit(ctx, level, category, fields, field_count, format, args);
    va_end(args);
}

void isw_log_push_scope(isw_context *ctx, const char *name, const char *value)
{
    ISWI_ALIVE(ctx);
    if (ctx->scope_depth < ISWI_SCOPES_MAX) {
        char *name_copy = isw_context_strndup(ctx, name, strlen(name));
        char *value_copy = isw_context_strndup(ctx, value, strlen(value));

        ctx->scopes[ctx->scope_depth] =
            isw_named(name_copy ? name_copy : "", isw_value_string(value_copy ? value_copy : ""));
    }
    ctx->scope_depth++;
}

void isw_log_pop_scope(isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    if (ctx->scope_depth)
        ctx->scope_depth--;
}
