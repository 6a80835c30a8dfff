/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_PIPELINE_REGISTRY_H
#define ISWI_PIPELINE_REGISTRY_H

/* The middleware that YAML may name. Filled before the configuration is read; one thread. */
#include <isoworker/sys/middleware.h>

typedef struct iswi_registry {
    const isw_middleware **items;
    size_t count, capacity;
    void **modules; /* handles of shared objects, open until fini */
    size_t module_count, module_capacity;
} iswi_registry;

void iswi_registry_fini(iswi_registry *registry); /* a zeroed registry is a valid empty one */

/* Errors: ISW_E_INVALID for a descriptor that breaks the contract, ISW_E_CONFLICT for a name that
 * is taken by another descriptor, ISW_E_NO_MEMORY. */
isw_status iswi_registry_add(iswi_registry *registry, const isw_middleware *middleware,
                             isw_error *error);

const isw_middleware *iswi_registry_find(const iswi_registry *registry, const char *name);

/* Add what a shared object exports. The file must not be writable by group or others.
 * Errors: ISW_E_CONFIG naming the file. */
isw_status iswi_registry_load(iswi_registry *registry, const char *path, isw_error *error);

/* Load `name` from the folder where the library's own modules lie, if there is such a file; the
 * folder "isoworker" beside the library. No other place is searched. Errors as above. */
isw_status iswi_registry_load_known(iswi_registry *registry, const char *name, isw_error *error);

/* Load all that lie there, in the order of their names. */
isw_status iswi_registry_load_all_known(iswi_registry *registry, isw_error *error);

#endif
