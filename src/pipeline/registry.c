/* SPDX-License-Identifier: Apache-2.0 */
/* Known middleware, and the modules that brought some of them. Invariant: a file is open once, so
 * that a middleware has one descriptor, however often the YAML names it and is read. */
#include "pipeline/registry.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "pipeline/trusted.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef ISWI_STATIC
enum { linked_in = true };
#else
enum { linked_in = false };
#endif

void iswi_registry_trim(iswi_registry *registry, size_t count, size_t module_count)
{
    if (registry->count > count)
        registry->count = count;
    while (registry->module_count > module_count)
        iswi_module_close(&registry->modules[--registry->module_count]);
}

void iswi_registry_fini(iswi_registry *registry)
{
    iswi_registry_trim(registry, 0, 0);
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

const iswi_module *iswi_registry_origin(const iswi_registry *registry,
                                        const isw_middleware *middleware)
{
    for (size_t i = 0; i < registry->module_count; i++)
        if (iswi_module_has(&registry->modules[i], middleware))
            return &registry->modules[i];
    return NULL;
}

static isw_status refuse_twin(const iswi_registry *registry, const isw_middleware *known,
                              isw_error *error)
{
    const iswi_module *origin = iswi_registry_origin(registry, known);

    if (origin)
        return isw_error_set(error, ISW_E_CONFLICT,
                             "middleware \"%s\" comes from %s already; a worker has one of a name, "
                             "and takes another one when it starts again",
                             known->name, origin->path);
    return isw_error_set(error, ISW_E_CONFLICT,
                         "there is a middleware \"%s\" in this worker already; give the other one "
                         "a name of its own", known->name);
}

isw_status iswi_registry_add(iswi_registry *registry, const isw_middleware *middleware,
                             isw_error *error)
{
    isw_status status = iswi_middleware_check(middleware, error);
    const isw_middleware *known =
        status == ISW_OK ? iswi_registry_find(registry, middleware->name) : NULL;

    if (status != ISW_OK || known == middleware)
        return status;
    if (known)
        return refuse_twin(registry, known, error);
    if (!iswi_grow(&registry->items, &registry->capacity, registry->count,
                   sizeof registry->items[0]))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for middleware");
    registry->items[registry->count++] = middleware;
    return ISW_OK;
}

/* -- Modules ----------------------------------------------------------------------------------- */

/* A shared object brings libisoworker.so along: a second library in the process, with contexts of
 * its own. */
static isw_status refuse_any(const char *path, isw_error *error)
{
    isw_error_set(error, ISW_E_CONFIG,
                  "module %s: this program has isoworker linked in as a static library, which takes no "
                  "shared objects; link libisoworker.so", path);
    return ISW_E_CONFIG; /* so that compilers see that nothing comes of it */
}

static isw_status open_real(iswi_registry *registry, const char *path, const char *real,
                            const iswi_module **out, isw_error *error)
{
    iswi_module *module;
    isw_status status;

    for (size_t i = 0; i < registry->module_count; i++)
        if (strcmp(registry->modules[i].path, real) == 0) {
            *out = &registry->modules[i];
            return ISW_OK;
        }
    if (!iswi_grow(&registry->modules, &registry->module_capacity, registry->module_count,
                   sizeof registry->modules[0]))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for module %s", path);
    module = &registry->modules[registry->module_count];
    status = iswi_module_open(path, real, module, error);
    if (status != ISW_OK)
        return status;
    registry->module_count++;
    *out = module;
    return ISW_OK;
}

isw_status iswi_registry_open(iswi_registry *registry, const char *path, const iswi_module **out,
                              isw_error *error)
{
    char real[PATH_MAX];
    isw_status status;

    if (linked_in)
        return refuse_any(path, error);
    status = iswi_trusted_path(path, real, error);
    return status == ISW_OK ? open_real(registry, path, real, out, error) : status;
}

static isw_status add_from(iswi_registry *registry, const char *path,
                           const isw_middleware *middleware, isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    isw_status status = iswi_registry_add(registry, middleware, &own);

    return status == ISW_OK ? ISW_OK
                            : isw_error_set(error, status, "module %s: %s", path, own.message);
}

static isw_status add_all(iswi_registry *registry, const char *path, const iswi_module *module,
                          isw_error *error)
{
    const isw_middleware *const *at = module->exports->app->middleware;
    isw_status status = ISW_OK;

    for (; status == ISW_OK && at && *at; at++)
        status = add_from(registry, path, *at, error);
    return status;
}

isw_status iswi_registry_load(iswi_registry *registry, const char *path, isw_error *error)
{
    const iswi_module *module;
    isw_status status = iswi_registry_open(registry, path, &module, error);

    return status == ISW_OK ? add_all(registry, path, module, error) : status;
}

static isw_status refuse_name(const char *path, const char *name, const iswi_module *module,
                              isw_error *error)
{
    const isw_middleware *const *at = module->exports->app->middleware;
    iswi_buffer names = { 0 };

    for (; at && *at; at++)
        iswi_buffer_printf(&names, "%s%s", names.size ? ", " : "", (*at)->name);
    isw_error_set(error, ISW_E_CONFIG, "module %s brings no middleware \"%s\"; it brings: %s",
                  path, name, names.size && iswi_buffer_text(&names) ? iswi_buffer_text(&names)
                                                                     : "none");
    iswi_buffer_fini(&names);
    return ISW_E_CONFIG;
}

isw_status iswi_registry_load_one(iswi_registry *registry, const char *path, const char *name,
                                  isw_error *error)
{
    const isw_middleware *middleware;
    const iswi_module *module;
    isw_status status = iswi_registry_open(registry, path, &module, error);

    if (status != ISW_OK)
        return status;
    middleware = iswi_module_find(module, name);
    return middleware ? add_from(registry, path, middleware, error)
                      : refuse_name(path, name, module, error);
}

/* -- The library's own ------------------------------------------------------------------------- */

/* The folder where the library's own modules lie; false: it cannot be told, or has none. */
static bool find_folder(char path[PATH_MAX])
{
    Dl_info self;
    const char *slash;
    int size;

    if (linked_in || !dladdr((void *)(uintptr_t)iswi_registry_load_known, &self) ||
        !(slash = strrchr(self.dli_fname, '/')))
        return false;
    size = snprintf(path, PATH_MAX, "%.*s/isoworker", (int)(slash - self.dli_fname),
                    self.dli_fname);
    return size > 0 && size < PATH_MAX;
}

/* Whose the folder is does not matter: it is the library's, whose code runs already. */
isw_status iswi_registry_find_own(const char *name, char path[PATH_MAX], char real[PATH_MAX],
                                  isw_error *error)
{
    char folder[PATH_MAX];
    struct stat info;
    int size;

    if (!find_folder(folder))
        return ISW_E_NOT_FOUND;
    size = snprintf(path, PATH_MAX, "%s/%s.so", folder, name);
    if (size < 0 || size >= PATH_MAX || access(path, F_OK) != 0)
        return ISW_E_NOT_FOUND;
    if (!realpath(path, real) || stat(real, &info) != 0 || !S_ISREG(info.st_mode))
        return isw_error_set(error, ISW_E_CONFIG, "module %s: not a file", path);
    if (info.st_mode & (S_IWGRP | S_IWOTH))
        return isw_error_set(error, ISW_E_CONFIG,
                             "module %s is refused: it may be written by others; chmod go-w %s",
                             path, real);
    return ISW_OK;
}

isw_status iswi_registry_load_known(iswi_registry *registry, const char *name, isw_error *error)
{
    const iswi_module *module;
    char path[PATH_MAX];
    char real[PATH_MAX];
    isw_status status;

    if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return ISW_OK;
    status = iswi_registry_find_own(name, path, real, error);
    if (status == ISW_E_NOT_FOUND)
        return ISW_OK;
    if (status == ISW_OK)
        status = open_real(registry, path, real, &module, error);
    return status == ISW_OK ? add_all(registry, path, module, error) : status;
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
