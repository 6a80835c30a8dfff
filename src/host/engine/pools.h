/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_POOLS_H
#define ISWI_HOST_ENGINE_POOLS_H

/*
 * Which workers a host has: they are made before it runs, and come and go as host.yaml says from
 * then on. Pools lie in one array that never moves, with room for those that may come, so that
 * whoever holds one, or its number, may look at it for as long as the host lives: one that is gone
 * keeps its place, for a worker of the same name. Inside the engine; written by pools.c alone. The
 * supervisor's thread, or before that runs.
 */
#include "host/settings/settings.h"

typedef struct iswi_host iswi_host;
typedef struct iswi_pool iswi_pool;

enum { ISWI_POOLS_SPARE = 256 }; /* workers that may come beside those of the start */

typedef enum iswi_presence {
    ISWI_POOL_HERE,
    ISWI_POOL_LEAVES, /* host.yaml names it no more: what its processes have, they finish */
    ISWI_POOL_GONE    /* nobody is left of it */
} iswi_presence;

/* What a worker is to be. */
typedef struct iswi_pool_wish {
    const iswi_worker_settings *settings; /* live as long as the host */
    iswi_queue_settings queue;
    const char *program; /* its path, likewise */
} iswi_pool_wish;

/* Make those of the settings. Errors: ISW_E_NOT_FOUND for a program, ISW_E_NO_MEMORY. */
isw_status iswi_pools_make(iswi_host *host, isw_error *error);
void iswi_pools_fini(iswi_host *host); /* no process runs */

/* The program of a worker with these settings; lives as long as the host. Errors: as
 * iswi_spawn_find. */
isw_status iswi_pools_program(iswi_host *host, const iswi_worker_settings *settings,
                              const char **out, isw_error *error);

/* The one that is here under that name, or else was, and runs its processes in the same way. NULL:
 * there was none. */
iswi_pool *iswi_pools_find(const iswi_host *host, const iswi_worker_settings *settings);

/* Make one that nobody sees yet, behind `ahead` others of that kind. It is to join, in their order,
 * or to be dropped. Errors: ISW_E_UNSUPPORTED where there is no room, and as iswi_pools_make. */
isw_status iswi_pools_prepare(iswi_host *host, const iswi_pool_wish *wish, size_t ahead,
                              iswi_pool **out, isw_error *error);
void iswi_pools_drop(iswi_pool *pool);

/* It is here from now on: one that was prepared, that was gone or that leaves. Cannot fail.
 * Triggers are to be told, as of the next. */
void iswi_pools_join(iswi_host *host, iswi_pool *pool, const iswi_pool_wish *wish);

/* It gets no calls from now on, and is gone once those that it has have ended. */
void iswi_pools_leave(iswi_pool *pool);

/* Of one that leaves: go on with it. */
void iswi_pools_tend(iswi_pool *pool);

#endif
