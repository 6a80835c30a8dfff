/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator hook, and the few shapes of allocation that the library uses. */
#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

static void *libc_reallocate(void *user, void *block, size_t size)
{
    (void)user;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

static isw_allocator hook = { libc_reallocate, NULL };

void isw_allocator_set(const isw_allocator *allocator)
{
    static const isw_allocator libc = { libc_reallocate, NULL };

    assert(!allocator || allocator->reallocate);
    hook = allocator ? *allocator : libc;
}

void *iswi_alloc(size_t size)
{
    return hook.reallocate(hook.user, NULL, size ? size : 1);
}

void *iswi_calloc(size_t count, size_t size)
{
    void *block;

    if (size && count > SIZE_MAX / size)
        return NULL;
    block = iswi_alloc(count * size);
    if (block)
        memset(block, 0, count * size);
    return block;
}

void *iswi_realloc(void *block, size_t size)
{
    return hook.reallocate(hook.user, block, size ? size : 1);
}

void iswi_free(void *block)
{
    if (block)
        hook.reallocate(hook.user, block, 0);
}

void *isw_calloc(size_t count, size_t size)
{
    return iswi_calloc(count, size);
}

void *isw_realloc(void *block, size_t size)
{
    return iswi_realloc(block, size);
}

void isw_free(void *block)
{
    iswi_free(block);
}

void iswi_alloc_return(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

char *iswi_strdup(const char *text)
{
    return iswi_strndup(text, strlen(text));
}

char *iswi_strndup(const char *text, size_t size)
{
    char *copy = iswi_alloc(size + 1);

    if (copy) {
        if (size)
            memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

bool iswi_grow(void *array_pointer, size_t *capacity, size_t count, size_t item_size)
{
    void **array = array_pointer;
    size_t wanted = *capacity ? *capacity * 2 : 8;
    void *grown;

    if (count < *capacity)
        return true;
    if (wanted > SIZE_MAX / item_size)
        return false;
    grown = iswi_realloc(*array, wanted * item_size);
    if (!grown)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}
