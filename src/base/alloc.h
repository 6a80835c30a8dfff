/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_ALLOC_H
#define ISWI_BASE_ALLOC_H

/* The library's memory, all of it through the hook of <isoworker/export.h>. Every function returns
 * NULL when memory is out. Any thread. */
#include <isoworker/value.h>

void *iswi_alloc(size_t size);
void *iswi_calloc(size_t count, size_t size); /* zeroed; NULL if the product overflows */
void *iswi_realloc(void *block, size_t size);
void iswi_free(void *block);

/* Have the operating system take back what is free here and there, as the C library does not by
 * itself: after a rush, since it takes milliseconds, and who allocates meanwhile waits. */
void iswi_alloc_return(void);

char *iswi_strdup(const char *text);
char *iswi_strndup(const char *text, size_t size);

/* Make room for one more item in a growing array of `item_size` bytes each. Returns false, with
 * everything as it was, when memory is out. */
bool iswi_grow(void *array_pointer, size_t *capacity, size_t count, size_t item_size);

#endif
