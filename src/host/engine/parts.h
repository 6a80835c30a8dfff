/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_PARTS_H
#define ISWI_HOST_ENGINE_PARTS_H

/* The files that a worker is made of, and whether they are as they were. Inside the engine; the
 * supervisor's thread. */
#include "host/system/file_look.h"

typedef struct iswi_pool iswi_pool;

enum { ISWI_PARTS_MAX = 32 };

typedef struct iswi_part {
    char *path;
    bool executed; /* and not loaded */
    iswi_file_look look;
} iswi_part;

/* Zero it to begin. */
typedef struct iswi_parts {
    iswi_part items[ISWI_PARTS_MAX];
    unsigned count;
} iswi_parts;

/* Add a file as it is now, unless it is there already, or there is no room. */
void iswi_parts_add(iswi_parts *parts, const char *folder, const char *file, bool executed);

/* Add those of a worker: its program, and the shared objects that its command and its YAML name. */
void iswi_parts_find(iswi_parts *parts, iswi_pool *pool);
void iswi_parts_forget(iswi_parts *parts);

/* See how they are now: one that is not as it was at the last time; NULL: all are. */
const char *iswi_parts_look(iswi_parts *parts);

#endif
