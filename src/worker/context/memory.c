/* SPDX-License-Identifier: Apache-2.0 */
/* An invocation's memory, which is its arena, and whether it still has it. */
#include "worker/context/context.h"

#include <stdio.h>
#include <stdlib.h>

#ifndef NDEBUG
void iswi_context_check(const isw_context *ctx, const char *function)
{
    if (ctx->entry)
        return;
    fprintf(stderr, "isoworker: %s was called with a context whose invocation has ended; copy what "
                    "is to be kept, and see isw_context_after\n", function);
    abort();
}
#endif

bool iswi_context_grow(isw_context *ctx, void *array_pointer, size_t *capacity, size_t count,
                       size_t item_size)
{
    void **array = array_pointer;
    size_t wanted = *capacity ? *capacity * 2 : 8;
    void *grown;

    if (count < *capacity)
        return true;
    grown = iswi_arena_alloc(&ctx->arena, wanted * item_size);
    if (!grown)
        return false;
    if (count)
        memcpy(grown, *array, count * item_size);
    *array = grown;
    *capacity = wanted;
    return true;
}

void *isw_context_alloc(isw_context *ctx, size_t size)
{
    ISWI_ALIVE(ctx);
    return iswi_arena_alloc(&ctx->arena, size);
}

char *isw_context_strndup(isw_context *ctx, const char *text, size_t size)
{
    ISWI_ALIVE(ctx);
    return iswi_arena_strndup(&ctx->arena, text, size);
}

char *isw_context_printf(isw_context *ctx, const char *format, ...)
{
    ISWI_ALIVE(ctx);
    va_list args;
    char *text;

    va_start(args, format);
    text = iswi_arena_vprintf(&ctx->arena, format, args);
    va_end(args);
    return text;
}
