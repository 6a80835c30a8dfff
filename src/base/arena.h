/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_ARENA_H
#define ISWI_BASE_ARENA_H

/* Memory that is freed all at once. An arena keeps its first block when it is reset, and makes a
 * larger one next time when that was too small, so that a warm one serves work that repeats itself
 * without touching the allocator. One thread at a time. */
#include <isoworker/value.h>
#include <stdarg.h>

typedef struct iswi_arena_block iswi_arena_block;

typedef struct iswi_arena {
    iswi_arena_block *blocks; /* the newest first; the kept one last */
    size_t block_bytes;
} iswi_arena;

void iswi_arena_init(iswi_arena *arena, size_t block_bytes);
void iswi_arena_fini(iswi_arena *arena);

/* Forget everything, and keep one block for next time if it is not too large for that. */
void iswi_arena_reset(iswi_arena *arena);

/* Aligned for any type; NULL when memory is out. Not zeroed. */
void *iswi_arena_alloc(iswi_arena *arena, size_t size);
void *iswi_arena_calloc(iswi_arena *arena, size_t count, size_t size);

/* NUL-terminated copies; NULL when memory is out. */
char *iswi_arena_strndup(iswi_arena *arena, const char *text, size_t size);
char *iswi_arena_vprintf(iswi_arena *arena, const char *format, va_list args) ISW_PRINTF(2, 0);
char *iswi_arena_printf(iswi_arena *arena, const char *format, ...) ISW_PRINTF(2, 3);

#endif
