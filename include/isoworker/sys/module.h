/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_SYS_MODULE_H
#define ISOWORKER_SYS_MODULE_H

/*
 * Modules: shared objects that bring middleware, functions, or both. One line at file scope makes
 * a shared object a module:
 *
 *     ISW_MODULE(&mine);         its middleware, one or more; the YAML names them:
 *                                    middleware:
 *                                      - mine: { plugin: ./mine.so }
 *     ISW_APP_MODULE(&app);      functions, services and middleware: `isoworker worker ./app.so`,
 *                                which a host may run in its own process (isolation: none)
 *
 * A module is loaded once by a process, stays until the worker is destroyed, and is refused if it
 * was built for another ISW_MODULE_ABI, if its parts break their contracts, or if somebody besides
 * root and the user of the process could have written it: the file and all folders above it must
 * belong to these two and must not be writable for group and others. A folder like /tmp, in which
 * nobody can replace what is another's (sticky bit), is allowed. Replace the file of a module by
 * renaming a new one over it (install(1) and mv(1) do), never by writing into it: it is mapped.
 */
#include <isoworker/export.h>
#include <isoworker/status.h>
#include <isoworker/sys/middleware.h>
#include <isoworker/worker.h>
#include <stdint.h>

ISW_BEGIN_DECLS

/* Number of the contract between library and module: of the layout and meaning of isw_middleware,
 * isw_option, isw_app, isw_function, isw_service and what these point to. Raised when one of them
 * differs from the last release, so that a module of another number is refused and never
 * misread. */
#define ISW_MODULE_ABI 1

/* What a module exports. The first two members stay as they are in all versions. */
typedef struct isw_module {
    uint32_t abi;        /* ISW_MODULE_ABI of the headers that it was built with */
    const char *version; /* ISW_VERSION_STRING of the same */
    const isw_app *app;  /* what it brings; outlives the worker */
} isw_module;

/* The name of the one symbol. */
#define ISW_MODULE_SYMBOL "isw_module_exports"

#ifdef __cplusplus
#define ISW_MODULE_EXTERN extern "C"
#else
#define ISW_MODULE_EXTERN extern
#endif

/* Export `module_app`, the address of a const isw_app. Once in a shared object. */
#define ISW_APP_MODULE(module_app)                                                          \
    ISW_MODULE_EXTERN const isw_module isw_module_exports                                   \
        __attribute__((visibility("default")));                                             \
    const isw_module isw_module_exports = { ISW_MODULE_ABI, ISW_VERSION_STRING, (module_app) }

/* The same for middleware alone, given by their addresses. */
#define ISW_MODULE(...)                                                                     \
    static const isw_middleware *const isw_module_middleware[] = { __VA_ARGS__, NULL };     \
    static const isw_app isw_module_app = { NULL, NULL, isw_module_middleware };            \
    ISW_APP_MODULE(&isw_module_app)

/* Load the shared object at `path` and add all that it brings, as isw_worker_add_app. Before the
 * worker is configured, on its thread. Errors: ISW_E_CONFIG for a file that is refused or brings
 * neither functions nor services, else those of isw_worker_add_app; each names the file. Blocks on
 * it, and runs its constructors. */
ISW_API isw_status isw_worker_add_module(isw_worker *worker, const char *path, isw_error *error);

ISW_END_DECLS

#endif
