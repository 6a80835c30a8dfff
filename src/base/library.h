/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_LIBRARY_H
#define ISWI_BASE_LIBRARY_H

/* Libraries that are loaded when they are wanted and not with us, since they bring many others and
 * few have use for them. Any thread. */
#include <stddef.h>

/* Where the address of a symbol goes, in a struct of pointers. */
typedef struct iswi_library_symbol {
    const char *name;
    size_t offset;
} iswi_library_symbol;

/* Load `library`, if it is not there yet, and fill the struct `out` by `count` symbols. Once loaded it
 * stays. NULL, or why not, for people and until the thread loads something again; `out` is untouched
 * then. */
const char *iswi_library_load(const char *library, const iswi_library_symbol *symbols, size_t count,
                              void *out);

#endif
