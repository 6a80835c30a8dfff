/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_REBUILT_H
#define ISWI_HOST_ENGINE_REBUILT_H

/* `isoworker run --watch`: a worker whose program, shared object or modules have changed on disk is
 * restarted once they are there as a whole. Inside the engine; written by rebuilt.c alone. The
 * supervisor's thread. */
#include "host/engine/parts.h"

#include <stdint.h>

typedef struct iswi_host iswi_host;
typedef struct iswi_pool iswi_pool;

/* Part of a pool: what its processes are made of. */
typedef struct iswi_rebuilt {
    iswi_parts parts;
    const char *changed; /* the file that has, and is to settle; NULL: none */
    int64_t since_ns;    /* that nothing more has happened */
    int64_t look_ns;     /* when to look again */
} iswi_rebuilt;

/* Once the files of configurations are watched; nothing where nobody has asked for it. */
void iswi_rebuilt_begin(iswi_host *host);
void iswi_rebuilt_forget(iswi_pool *pool);

/* A worker has another program, or other objects, too. */
void iswi_rebuilt_follow(iswi_host *host, iswi_pool *pool);

/* Something has happened in the folders that are watched. */
void iswi_rebuilt_look(iswi_host *host);

/* Restart what has settled. Sets *next_ns to when it wants to be called again, if that is
 * sooner. */
void iswi_rebuilt_tend(iswi_host *host, int64_t now_ns, int64_t *next_ns);

#endif
