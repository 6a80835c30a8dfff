/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks. The last one that was given is the next to be taken: it is in the processor's cache. */
#include "host/http/pool.h"

#include "base/alloc.h"

static size_t class_of(size_t size)
{
    size_t class = 0;

    while (class < ISWI_HTTP_BLOCK_CLASSES && (size_t)ISWI_HTTP_BLOCK_LEAST << class < size)
        class++;
    return class;
}

iswi_http_block *iswi_http_block_take(iswi_http_pool *pool, size_t size)
{
    size_t class = class_of(size);
    iswi_http_block *block = class < ISWI_HTTP_BLOCK_CLASSES ? pool->classes[class].first : NULL;

    if (block) {
        pool->classes[class].first = block->next;
        if (--pool->classes[class].count < pool->classes[class].least)
            pool->classes[class].least = pool->classes[class].count;
        pool->bytes -= block->size;
        return block;
    }
    if (class < ISWI_HTTP_BLOCK_CLASSES)
        size = (size_t)ISWI_HTTP_BLOCK_LEAST << class;
    if (size > SIZE_MAX - sizeof *block)
        return NULL;
    block = iswi_alloc(sizeof *block + size);
    if (block)
        *block = (iswi_http_block){ .size = size };
    return block;
}

static void free_block(iswi_http_pool *pool, iswi_http_block *block)
{
    pool->freed += block->size;
    iswi_free(block);
}

void iswi_http_block_give(iswi_http_pool *pool, iswi_http_block *block)
{
    size_t class;

    if (!block)
        return;
    class = class_of(block->size);
    if (class == ISWI_HTTP_BLOCK_CLASSES || block->size > ISWI_HTTP_POOL_BYTES - pool->bytes) {
        free_block(pool, block);
        return;
    }
    block->next = pool->classes[class].first;
    pool->classes[class].first = block;
    pool->classes[class].count++;
    pool->bytes += block->size;
}

bool iswi_http_pool_trim(iswi_http_pool *pool)
{
    for (size_t class = 0; class < ISWI_HTTP_BLOCK_CLASSES; class++) {
        for (; pool->classes[class].least; pool->classes[class].least--) {
            iswi_http_block *block = pool->classes[class].first;

            pool->classes[class].first = block->next;
            pool->classes[class].count--;
            pool->bytes -= block->size;
            free_block(pool, block);
        }
        pool->classes[class].least = pool->classes[class].count;
    }
    return pool->bytes > 0;
}

void iswi_http_pool_fini(iswi_http_pool *pool)
{
    while (iswi_http_pool_trim(pool))
        ;
}
