/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_POOL_H
#define ISWI_HOST_HTTP_POOL_H

/* Memory for what comes and goes, in blocks that are kept for the next one: the system's allocator
 * gives large ones back to the kernel each time, and gets them again page by page. What nobody took
 * for a while goes back. One thread. Inside the room. */
#include <isoworker/value.h>

enum {
    ISWI_HTTP_BLOCK_LEAST = 8 * 1024,
    ISWI_HTTP_BLOCK_CLASSES = 8, /* of sizes, each twice the one before: up to 1 MiB */
    ISWI_HTTP_POOL_BYTES = 16 * 1024 * 1024 /* at most, that nobody has */
};

typedef struct iswi_http_block {
    struct iswi_http_block *next; /* the pool's */
    size_t size;                  /* of what follows */
    size_t counted;               /* of it, among the bodies of all (bounds.h); 0 in the pool */
    char bytes[];
} iswi_http_block;

typedef struct iswi_http_pool {
    struct {
        iswi_http_block *first;
        size_t count;
        size_t least; /* of them since the last trim: so many are not needed */
    } classes[ISWI_HTTP_BLOCK_CLASSES];
    size_t bytes; /* of blocks that nobody has */
    size_t freed; /* bytes that the allocator of the program got back; the owner may reset it */
} iswi_http_pool;

void iswi_http_pool_fini(iswi_http_pool *pool); /* a zeroed one is valid and empty */

/* One of at least `size` bytes; NULL when memory is out. */
iswi_http_block *iswi_http_block_take(iswi_http_pool *pool, size_t size);
void iswi_http_block_give(iswi_http_pool *pool, iswi_http_block *block); /* may be NULL */

/* Give to the system what nobody took since the last call. False: nothing is left. */
bool iswi_http_pool_trim(iswi_http_pool *pool);

#endif
