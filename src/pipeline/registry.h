/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_PIPELINE_REGISTRY_H
#define ISWI_PIPELINE_REGISTRY_H

/* The middleware that YAML may name, and the modules that brought some of them. Filled before the
 * configuration is loaded; one thread. */
#include "pipeline/module.h"

#include <limits.h>

typedef struct iswi_registry {
    const isw_middleware **items;
    size_t count, capacity;
    iswi_module *modules; /* open until fini */
    size_t module_count, module_capacity;
} iswi_registry;

void iswi_registry_fini(iswi_registry *registry); /* a zeroed registry is a valid empty one */

/* Errors: ISW_E_INVALID for a descriptor that breaks the contract, ISW_E_CONFLICT for a name that
 * is taken by another descriptor, ISW_E_NO_MEMORY. */
isw_status iswi_registry_add(iswi_registry *registry, const isw_middleware *middleware,
                             isw_error *error);

const isw_middleware *iswi_registry_find(const iswi_registry *registry, const char *name);

/* The module that brought it, or NULL. */
const iswi_module *iswi_registry_origin(const iswi_registry *registry,
                                        const isw_middleware *middleware);

/* -- Modules ----------------------------------------------------------------------------------- */

/* Open the shared object at `path`, whose folders and file nobody else may write (trusted.h),
 * unless it is open already; *out holds until another one is opened. Errors: ISW_E_CONFIG naming
 * the file, also for any file where isoworker is a static library, ISW_E_NO_MEMORY. */
isw_status iswi_registry_open(iswi_registry *registry, const char *path, const iswi_module **out,
                              isw_error *error);

/* The same, and add all middleware that it brings, or the one of that name. Errors: those of both
 * steps, all of them naming the file. */
isw_status iswi_registry_load(iswi_registry *registry, const char *path, isw_error *error);
isw_status iswi_registry_load_one(iswi_registry *registry, const char *path, const char *name,
                                  isw_error *error);

/* Load `name` from the folder where the library's own modules lie, if there is such a file; the
 * folder "isoworker" beside the library. No other place is searched. Errors as above. */
isw_status iswi_registry_load_known(iswi_registry *registry, const char *name, isw_error *error);

/* Where the library's own shared object `name`.so lies, "stores/redis" as well; `real` is the file
 * to open. Errors: ISW_E_NOT_FOUND, without a sentence; ISW_E_CONFIG for one that others may write. */
isw_status iswi_registry_find_own(const char *name, char path[PATH_MAX], char real[PATH_MAX],
                                  isw_error *error);

/* Load all that lie there, in the order of their names. */
isw_status iswi_registry_load_all_known(iswi_registry *registry, isw_error *error);

/* Forget what was added, and close what was opened, since there were so many of each. Nothing of
 * it may be in use. */
void iswi_registry_trim(iswi_registry *registry, size_t count, size_t module_count);

#endif
