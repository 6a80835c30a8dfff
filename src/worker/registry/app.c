/* SPDX-License-Identifier: Apache-2.0 */
/* All that an application brings, as lists of its program or of a module. */
#include "worker/registry/worker.h"

#include <isoworker/sys/module.h>
#include <stddef.h>

/* A row that has lost its name ends no list: what follows it would be gone in silence. */
static bool ends(const isw_function *row)
{
    return !row->name && !row->handler && !row->trigger.type;
}

static isw_status refuse_row(const char *list, ptrdiff_t at, isw_error *error)
{
    return isw_error_set(
        error, ISW_E_INVALID,
        "row %td of the list of %s has no name; only the last one, { 0 }, has none", at + 1, list);
}

/* Take up what came of one row. False: there is no use in going on. */
static bool took(iswi_faults *faults, const isw_error *own, isw_status *all, isw_error *error)
{
    if (own->status != ISW_OK) {
        iswi_faults_add(faults, own->message);
        isw_error_set(error, own->status, "%s", own->message);
    }
    return iswi_faults_go_on(faults, own->status, all);
}

static void add_functions(isw_worker *worker, const isw_function *list, iswi_faults *faults,
                          isw_status *all, isw_error *error)
{
    bool on = true;

    for (const isw_function *at = list; on && at && !ends(at); at++) {
        isw_error own = { ISW_OK, "" };

        if (at->name)
            isw_worker_add_function(worker, at, &own);
        else
            refuse_row("functions", at - list, &own);
        on = took(faults, &own, all, error);
    }
}

static void add_services(isw_worker *worker, const isw_service *list, iswi_faults *faults,
                         isw_status *all, isw_error *error)
{
    bool on = *all == ISW_OK || faults;

    for (const isw_service *at = list; on && at && (at->name || at->create || at->type); at++) {
        isw_error own = { ISW_OK, "" };

        if (at->name)
            isw_worker_add_service(worker, at, &own);
        else
            refuse_row("services", at - list, &own);
        on = took(faults, &own, all, error);
    }
}

isw_status iswi_worker_add_app(isw_worker *worker, const isw_app *app, iswi_faults *faults,
                               isw_error *error)
{
    const isw_middleware *const *middleware = app->middleware;
    isw_status all = ISW_OK;
    bool on = true;

    add_functions(worker, app->functions, faults, &all, error);
    add_services(worker, app->services, faults, &all, error);
    for (on = all == ISW_OK || faults; on && middleware && *middleware; middleware++) {
        isw_error own = { ISW_OK, "" };

        isw_worker_add_middleware(worker, *middleware, &own);
        on = took(faults, &own, &all, error);
    }
    return all;
}

isw_status isw_worker_add_app(isw_worker *worker, const isw_app *app, isw_error *error)
{
    return iswi_worker_add_app(worker, app, NULL, error);
}

isw_status isw_worker_add_module(isw_worker *worker, const char *path, isw_error *error)
{
    const iswi_module *module;
    const isw_app *app;
    isw_error own = { ISW_OK, "" };
    isw_status status = iswi_registry_open(&worker->registry, path, &module, error);

    if (status != ISW_OK)
        return status;
    app = module->exports->app;
    if (!(app->functions && app->functions->name) && !(app->services && app->services->name))
        return isw_error_set(error, ISW_E_CONFIG,
                             "module %s brings no functions; if it brings middleware, name that in "
                             "worker.yaml with `plugin`, see `isoworker explain %s%s`",
                             path, strchr(path, '/') ? "" : "./", path);
    status = isw_worker_add_app(worker, app, &own);
    return status == ISW_OK ? ISW_OK
                            : isw_error_set(error, status, "module %s: %s", path, own.message);
}
