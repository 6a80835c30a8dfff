/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_REGISTRY_STORE_H
#define ISWI_WORKER_REGISTRY_STORE_H

/* Where the stores of a worker's middleware are: in the memory that the host has handed down, in
 * its own, or where the YAML says, by a shared object that is loaded for it. */
#include "base/arena.h"
#include "pipeline/store.h"

#include <isoworker/sys/middleware.h>

typedef struct iswi_stores {
    iswi_store_place place; /* without a driver: not begun */
    iswi_store_settings settings;
    const iswi_store_keeper *keeper; /* NULL: in memory */
    void *handle;
} iswi_stores;

/* The options of `store:`; they fill an iswi_store_settings. */
extern const isw_option iswi_store_rows[];

/* Begin, unless that was done. `settings` are copied to `arena`, which outlives the stores. Takes
 * ISOWORKER_STORE_FD. Connects to nothing. Errors: ISW_E_NO_MEMORY; of stores elsewhere
 * ISW_E_CONFIG and ISW_E_UNSUPPORTED. */
isw_status iswi_stores_begin(iswi_stores *stores, const iswi_store_settings *settings,
                             iswi_arena *arena, isw_error *error);

/* The descriptor that the host has handed down for them, in use or not; -1: none. */
int iswi_stores_file(const iswi_stores *stores);

/* This process is a child that was forked from the one that began them. */
void iswi_stores_forked(const iswi_stores *stores);

/* When no instance has a store any more. */
void iswi_stores_end(iswi_stores *stores);

#endif
