/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_PIPELINE_MODULE_H
#define ISWI_PIPELINE_MODULE_H

/* A shared object that is open, and the check of what comes out of one. */
#include <isoworker/sys/module.h>
#include <time.h>

typedef struct iswi_module {
    char *path; /* without links: the same file has the same path */
    void *handle;
    const isw_module *exports;
    struct timespec written; /* the file that was opened */
    uint64_t inode;
} iswi_module;

/* Open the file at `real` and check its version and every middleware that it brings; `path` is how
 * messages call it. *out is the caller's to close. Errors: ISW_E_CONFIG, ISW_E_NO_MEMORY. */
isw_status iswi_module_open(const char *path, const char *real, iswi_module *out,
                            isw_error *error);
void iswi_module_close(iswi_module *module);

/* Whether another file, or a file written anew, lies there since it was opened. */
bool iswi_module_changed(const iswi_module *module);

/* The middleware `name` that it brings, or NULL; and whether it brings that one. */
const isw_middleware *iswi_module_find(const iswi_module *module, const char *name);
bool iswi_module_has(const iswi_module *module, const isw_middleware *middleware);

/* Whether a descriptor keeps the contract. Errors: ISW_E_INVALID, which says what does not. */
isw_status iswi_middleware_check(const isw_middleware *middleware, isw_error *error);

/* Whether it has `tell`, which descriptors of an earlier release lack. */
bool iswi_middleware_tells(const isw_middleware *middleware);

#endif
