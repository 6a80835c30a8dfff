/* SPDX-License-Identifier: Apache-2.0 */
/* Known middleware, and the shared objects that brought some of them. */
#include "pipeline/registry.h"

#include "base/alloc.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void iswi_registry_fini(iswi_registry *registry)
{
    for (size_t i = registry->module_count; i-- > 0;)
        dlclose(registry->modules[i]);
    iswi_free(registry->modules);
    iswi_free(registry->items);
    memset(registry, 0, sizeof *registry);
}

const isw_middleware *iswi_registry_find(const iswi_registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->count; i++)
        if (strcmp(registry->items[i]->name, name) == 0)
            return registry->items[i];
    return NULL;
}

static const char *fault_of(const isw_middleware *middleware)
{
    if (middleware->size != sizeof *middleware)
        return "was built for another version of isoworker";
    if (!middleware->name || !*middleware->name)
        return "has no name";
    if (!middleware->invoke)
        return "has no invoke";
    for (const isw_option *row = middleware->options; row && row->name; row++)
        if (strcmp(row->name, "when") == 0)
            return "declares the option \"when\", which belongs to the chain";
    return NULL;
}

isw_status iswi_registry_add(iswi_registry *registry, const isw_middleware *middleware,
                             isw_error *error)
{
    const char *fault = fault_of(middleware);
    const isw_middleware *known = fault ? NULL : iswi_registry_find(registry, middleware->name);

    if (fault)
        return isw_error_set(error, ISW_E_INVALID, "a middleware %s", fault);
    if (known == middleware)
        return ISW_OK;
    if (known)
        return isw_error_set(error, ISW_E_CONFLICT, "there are two middleware named \"%s\"",
                             middleware->name);
    if (!iswi_grow(&registry->items, &registry->capacity, registry->count,
                   sizeof registry->items[0]))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for middleware");
    registry->items[registry->count++] = middleware;
    return ISW_OK;
}

static isw_status add_exports(iswi_registry *registry, void *module, const char *path,
                              isw_error *error)
{
    isw_module_entry_fn entry;
    isw_status status = ISW_OK;

    *(void **)&entry = dlsym(module, ISW_MODULE_ENTRY);
    if (!entry)
        return isw_error_set(error, ISW_E_CONFIG, "%s exports no " ISW_MODULE_ENTRY, path);
    for (const isw_middleware *const *at = entry(); status == ISW_OK && *at; at++)
        status = iswi_registry_add(registry, *at, error);
    return status;
}

isw_status iswi_registry_load(iswi_registry *registry, const char *path, isw_error *error)
{
    struct stat info;
    void *module;

    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return isw_error_set(error, ISW_E_CONFIG, "module %s: no such file", path);
    if (info.st_mode & (S_IWGRP | S_IWOTH))
        return isw_error_set(error, ISW_E_CONFIG,
                             "module %s may be written by others; chmod go-w it", path);
    if (!iswi_grow(&registry->modules, &registry->module_capacity, registry->module_count,
                   sizeof registry->modules[0]))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for module %s", path);
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        return isw_error_set(error, ISW_E_CONFIG, "module %s: %s", path, dlerror());
    registry->modules[registry->module_count++] = module;
    return add_exports(registry, module, path, error);
}

/* The folder where the library's own modules lie; false: it cannot be told. */
static bool find_folder(char path[PATH_MAX])
{
    Dl_info self;
    const char *slash;
    int size;

    if (!dladdr((void *)(uintptr_t)iswi_registry_load_known, &self) ||
        !(slash = strrchr(self.dli_fname, '/')))
        return false;
    size = snprintf(path, PATH_MAX, "%.*s/isoworker", (int)(slash - self.dli_fname),
                    self.dli_fname);
    return size > 0 && size < PATH_MAX;
}

isw_status iswi_registry_load_known(iswi_registry *registry, const char *name, isw_error *error)
{
    char folder[PATH_MAX];
    char path[PATH_MAX];
    int size;

    if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return ISW_OK;
    if (!find_folder(folder))
        return ISW_OK;
    size = snprintf(path, sizeof path, "%s/%s.so", folder, name);
    if (size < 0 || (size_t)size >= sizeof path || access(path, F_OK) != 0)
        return ISW_OK;
    return iswi_registry_load(registry, path, error);
}

static int is_module(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');

    return end && strcmp(end, ".so") == 0;
}

isw_status iswi_registry_load_all_known(iswi_registry *registry, isw_error *error)
{
    isw_status status = ISW_OK;
    char folder[PATH_MAX];
    struct dirent **found;
    int count = find_folder(folder) ? scandir(folder, &found, is_module, alphasort) : -1;

    for (int i = 0; i < count; i++) {
        *strrchr(found[i]->d_name, '.') = '\0';
        if (status == ISW_OK)
            status = iswi_registry_load_known(registry, found[i]->d_name, error);
        free(found[i]);
    }
    if (count >= 0)
        free(found);
    return status;
}
