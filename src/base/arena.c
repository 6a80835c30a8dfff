/* SPDX-License-Identifier: Apache-2.0 */
/* A list of blocks, newest first; allocation moves a mark in the newest one. */
#include "base/arena.h"

#include "base/alloc.h"

#include <stdalign.h>
#include <stdio.h>

enum { KEPT_MOST_BYTES = 128 * 1024 };

struct iswi_arena_block {
    iswi_arena_block *older;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

void iswi_arena_init(iswi_arena *arena, size_t block_bytes)
{
    arena->blocks = NULL;
    arena->block_bytes = block_bytes;
}

void iswi_arena_fini(iswi_arena *arena)
{
    while (arena->blocks) {
        iswi_arena_block *older = arena->blocks->older;

        iswi_free(arena->blocks);
        arena->blocks = older;
    }
}

/* Frees the newest blocks until one is left that is to be kept, or none. */
static void keep_first(iswi_arena *arena, size_t most)
{
    while (arena->blocks && (arena->blocks->older || arena->blocks->size > most)) {
        iswi_arena_block *older = arena->blocks->older;

        iswi_free(arena->blocks);
        arena->blocks = older;
    }
}

void iswi_arena_reset(iswi_arena *arena)
{
    size_t used = 0;

    for (const iswi_arena_block *block = arena->blocks; block; block = block->older)
        used += block->used;
    if (used > arena->block_bytes && used <= KEPT_MOST_BYTES) {
        arena->block_bytes = used; /* one block next time: work that repeats takes no memory */
        keep_first(arena, 0);
    }
    keep_first(arena, arena->block_bytes);
    if (arena->blocks)
        arena->blocks->used = 0;
}

static iswi_arena_block *add_block(iswi_arena *arena, size_t least)
{
    size_t size = least > arena->block_bytes ? least : arena->block_bytes;
    iswi_arena_block *block;

    if (size > SIZE_MAX - sizeof *block)
        return NULL;
    block = iswi_alloc(sizeof *block + size);
    if (!block)
        return NULL;
    block->older = arena->blocks;
    block->size = size;
    block->used = 0;
    arena->blocks = block;
    return block;
}

void *iswi_arena_alloc(iswi_arena *arena, size_t size)
{
    iswi_arena_block *block = arena->blocks;
    size_t rounded;
    void *place;

    if (size > SIZE_MAX / 2)
        return NULL;
    rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (!block || block->size - block->used < rounded)
        block = add_block(arena, rounded);
    if (!block)
        return NULL;
    place = block->bytes + block->used;
    block->used += rounded;
    return place;
}

void *iswi_arena_calloc(iswi_arena *arena, size_t count, size_t size)
{
    void *place;

    if (size && count > SIZE_MAX / size)
        return NULL;
    place = iswi_arena_alloc(arena, count * size);
    if (place)
        memset(place, 0, count * size);
    return place;
}

char *iswi_arena_strndup(iswi_arena *arena, const char *text, size_t size)
{
    char *copy = iswi_arena_alloc(arena, size + 1);

    if (copy) {
        if (size)
            memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

char *iswi_arena_vprintf(iswi_arena *arena, const char *format, va_list args)
{
    va_list again;
    char *text = NULL;
    int size;

    va_copy(again, args);
    size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (size >= 0)
        text = iswi_arena_alloc(arena, (size_t)size + 1);
    if (text)
        vsnprintf(text, (size_t)size + 1, format, args);
    return text;
}

char *iswi_arena_printf(iswi_arena *arena, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = iswi_arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}
