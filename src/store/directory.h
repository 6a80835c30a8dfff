/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_STORE_DIRECTORY_H
#define ISWI_STORE_DIRECTORY_H

/* Where the tables of a worker's stores lie: behind each other in the memory file that its processes
 * share, by their names, or each for itself in this process. */
#include "store/table.h"

typedef struct iswi_memory iswi_memory;

/* `fd` is that of a memory file, owned from here on; -1: there is none. NULL: no memory. */
iswi_memory *iswi_memory_create(int fd);
void iswi_memory_destroy(iswi_memory *memory); /* when its stores are closed; NULL is allowed */

/* Its descriptor; -1: it has none. */
int iswi_memory_file(const iswi_memory *memory);

/* This process is a child that was forked from the one that opened its stores: use them, too. The
 * parent has them until this returns. */
void iswi_memory_forked(iswi_memory *memory);

typedef struct iswi_region {
    void *table;
    size_t bytes;
    uint64_t secret[2]; /* for the keys' hashes */
    unsigned number;    /* in the file */
} iswi_region;

/* The table of that name and shape, made if there is none. One thread at a time. Errors:
 * ISW_E_NO_MEMORY, ISW_E_IO. */
isw_status iswi_memory_open(iswi_memory *memory, const char *name, const iswi_table_shape *shape,
                            iswi_region *out, isw_error *error);
void iswi_memory_close(iswi_memory *memory, iswi_region *region);

#endif
