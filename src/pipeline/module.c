/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening modules. Invariant: nothing of a module is used before its version and its descriptors
 * have been checked, beside the constructors that the loader runs.
 *
 * It is loaded by its name, which trusted.c vouches for, and not by way of a descriptor: to the
 * loader /proc/self/fd/5 would be the same object as the one that once had this number, $ORIGIN in
 * a module would mean /proc, and debuggers and backtraces would show a name that leads nowhere.
 */
#include "pipeline/module.h"

#include "base/alloc.h"
#include "config/config.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* -- Descriptors ------------------------------------------------------------------------------- */

/* Of a descriptor that was built before `tell` was there. */
enum { WITHOUT_TELL = offsetof(isw_middleware, tell) };

bool iswi_middleware_tells(const isw_middleware *middleware)
{
    return middleware->size > WITHOUT_TELL && middleware->tell;
}

static const char *reserved_option(const isw_option *rows)
{
    for (; rows && rows->name; rows++)
        if (strcmp(rows->name, "when") == 0 || strcmp(rows->name, "plugin") == 0)
            return rows->name;
    return NULL;
}

isw_status iswi_middleware_check(const isw_middleware *middleware, isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    const char *reserved;

    if (middleware->size != sizeof *middleware && middleware->size != WITHOUT_TELL)
        return isw_error_set(error, ISW_E_INVALID,
                             "a middleware has the size %zu, not %zu: set it to "
                             "sizeof(isw_middleware), and build it with the headers of this "
                             "isoworker", middleware->size, sizeof *middleware);
    if (!middleware->name || !*middleware->name)
        return isw_error_set(error, ISW_E_INVALID, "a middleware has no name");
    if (!middleware->invoke)
        return isw_error_set(error, ISW_E_INVALID, "middleware \"%s\" has no invoke",
                             middleware->name);
    reserved = reserved_option(middleware->options);
    if (reserved)
        return isw_error_set(error, ISW_E_INVALID,
                             "middleware \"%s\" declares the option \"%s\", which belongs to the "
                             "chain", middleware->name, reserved);
    if (iswi_option_table_check(middleware->options, middleware->options_size, &own) != ISW_OK)
        return isw_error_set(error, ISW_E_INVALID, "middleware \"%s\": %s", middleware->name,
                             own.message);
    return ISW_OK;
}

static const isw_middleware *const *list_of(const iswi_module *module)
{
    static const isw_middleware *const none[] = { NULL };

    return module->exports->app->middleware ? module->exports->app->middleware : none;
}

const isw_middleware *iswi_module_find(const iswi_module *module, const char *name)
{
    for (const isw_middleware *const *at = list_of(module); *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

bool iswi_module_has(const iswi_module *module, const isw_middleware *middleware)
{
    const isw_middleware *const *at = list_of(module);

    while (*at && *at != middleware)
        at++;
    return *at != NULL;
}

/* -- Opening ----------------------------------------------------------------------------------- */

/* Why the loader does not want it, without the path in front that it repeats. */
static isw_status refuse_load(const char *path, const char *real, isw_error *error)
{
    const char *why = dlerror();
    size_t size = strlen(real);

    if (strncmp(why, real, size) == 0 && strncmp(why + size, ": ", 2) == 0)
        why += size + 2;
    return isw_error_set(error, ISW_E_CONFIG, "module %s: %s%s", path, why,
                         strstr(why, "undefined symbol: isw_")
                             ? "; it was built for a newer isoworker than this one, "
                               ISW_VERSION_STRING
                             : "");
}

static isw_status check_version(const char *path, const isw_module *exports, isw_error *error)
{
    if (!exports)
        return isw_error_set(error, ISW_E_CONFIG,
                             "module %s exports no " ISW_MODULE_SYMBOL "; put ISW_MODULE or "
                             "ISW_APP_MODULE of <isoworker/sys/module.h> into its source", path);
    if (exports->abi != ISW_MODULE_ABI)
        return isw_error_set(error, ISW_E_CONFIG,
                             "module %s was built for version %u of the module interface "
                             "(isoworker %s), and this is version %d (isoworker %s); build it "
                             "again with the headers of this one",
                             path, (unsigned)exports->abi,
                             exports->version ? exports->version : "?", ISW_MODULE_ABI,
                             ISW_VERSION_STRING);
    if (!exports->app)
        return isw_error_set(error, ISW_E_CONFIG, "module %s brings nothing: its isw_app is NULL",
                             path);
    return ISW_OK;
}

static isw_status check_middleware(const char *path, const iswi_module *module, isw_error *error)
{
    for (const isw_middleware *const *at = list_of(module); *at; at++) {
        isw_error own = { ISW_OK, "" };

        if (iswi_middleware_check(*at, &own) != ISW_OK)
            return isw_error_set(error, ISW_E_CONFIG, "module %s: %s", path, own.message);
        if (iswi_module_find(module, (*at)->name) != *at)
            return isw_error_set(error, ISW_E_CONFIG,
                                 "module %s brings two middleware named \"%s\"", path,
                                 (*at)->name);
    }
    return ISW_OK;
}

isw_status iswi_module_open(const char *path, const char *real, iswi_module *out,
                            isw_error *error)
{
    iswi_module module = { .path = iswi_strdup(real) };
    struct stat info;
    isw_status status;

    if (!module.path)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for module %s", path);
    if (stat(real, &info) == 0) {
        module.written = info.st_mtim;
        module.inode = info.st_ino;
    }
    module.handle = dlopen(real, RTLD_NOW | RTLD_LOCAL);
    if (module.handle) {
        module.exports = dlsym(module.handle, ISW_MODULE_SYMBOL);
        status = check_version(path, module.exports, error);
    } else {
        status = refuse_load(path, real, error);
    }
    if (status == ISW_OK)
        status = check_middleware(path, &module, error);
    if (status == ISW_OK)
        *out = module;
    else
        iswi_module_close(&module);
    return status;
}

bool iswi_module_changed(const iswi_module *module)
{
    struct stat info;

    return stat(module->path, &info) == 0 &&
           (info.st_ino != module->inode || info.st_mtim.tv_sec != module->written.tv_sec ||
            info.st_mtim.tv_nsec != module->written.tv_nsec);
}

void iswi_module_close(iswi_module *module)
{
    if (module->handle)
        dlclose(module->handle);
    iswi_free(module->path);
}
