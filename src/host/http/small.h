/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_SMALL_H
#define ISWI_HOST_HTTP_SMALL_H

/* Memory for the many small things of a stream of HTTP/2, which is kept for the next one: with many
 * connections more of them are there at a time than the system's allocator has at hand. What nobody
 * takes for a while goes back. One thread. Inside the room. */
#include <stdbool.h>
#include <stddef.h>

/* AddressSanitizer sees a use of what was given back where nothing is kept. */
#if defined(__SANITIZE_ADDRESS__)
#define ISWI_HTTP_SMALL_KEEPS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ISWI_HTTP_SMALL_KEEPS 0
#endif
#endif
#ifndef ISWI_HTTP_SMALL_KEEPS
#define ISWI_HTTP_SMALL_KEEPS 1
#endif

enum {
    ISWI_HTTP_SMALL_STEP = 64,    /* from one class of sizes to the next */
    ISWI_HTTP_SMALL_CLASSES = 16, /* up to 1 KiB; what is larger is the allocator's */
    ISWI_HTTP_SMALL_BYTES = ISWI_HTTP_SMALL_KEEPS * 512 * 1024 /* at most, that nobody has */
};

typedef struct iswi_http_bit iswi_http_bit;

typedef struct iswi_http_small {
    iswi_http_bit *classes[ISWI_HTTP_SMALL_CLASSES];
    size_t bytes; /* that nobody has */
    bool taken;   /* something, since the last trim */
} iswi_http_small;

void iswi_http_small_fini(iswi_http_small *small); /* a zeroed one is valid and empty */

/* NULL when memory is out; what was there stays then. A size of 0 is one of 1. */
void *iswi_http_small_take(iswi_http_small *small, size_t size);
void *iswi_http_small_take_again(iswi_http_small *small, void *memory, size_t size);
void iswi_http_small_give(iswi_http_small *small, void *memory); /* may be NULL */

/* Give all to the system if nobody took any since the last call. False: nothing is left. */
bool iswi_http_small_trim(iswi_http_small *small);

#endif
