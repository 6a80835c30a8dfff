/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that could never be served, found before a host is asked: `--check` and a start refuse
 * them alike. It is the host's own table of routes that says so, hence both always agree. */
#include "worker/registry/worker.h"

#include "url/routes.h"
#include "value/value.h"

static const char *route_of(const isw_function *function)
{
    return function->trigger.route ? function->trigger.route : function->name;
}

/* With which it is found by its route; NULL: its trigger has none. */
static const char *methods_of(const isw_function *function)
{
    if (strcmp(function->trigger.type, "cloudevents") == 0)
        return "POST";
    if (strcmp(function->trigger.type, "http") != 0)
        return NULL;
    return function->trigger.methods ? function->trigger.methods : "";
}

/* Fill `own` with why the route of `function` was refused. */
static isw_status refuse(const iswi_routes *routes, const isw_function *function,
                         const isw_error *why, isw_error *own)
{
    const isw_function *rival = iswi_routes_rival(routes);

    if (why->status == ISW_E_CONFLICT && rival)
        return isw_error_set(own, why->status, "functions %s and %s cannot both be served: %s",
                             rival->name, function->name, why->message);
    return isw_error_set(own, why->status, "function %s cannot be served: %s", function->name,
                         why->message);
}

static isw_status check_route(iswi_routes *routes, const isw_function *function,
                              iswi_faults *faults, isw_error *error)
{
    const char *methods = methods_of(function);
    isw_error why = { ISW_OK, "" };
    isw_error own = { ISW_OK, "" };

    if (!methods || iswi_routes_add(routes, methods, route_of(function), (void *)function, &why) ==
                        ISW_OK)
        return ISW_OK;
    refuse(routes, function, &why, &own);
    iswi_faults_add(faults, own.message);
    return isw_error_set(error, own.status, "%s", own.message);
}

/* A table of fields that nothing could fit. */
static isw_status check_fields(const isw_function *function, const isw_field *fields,
                               const char *root, iswi_faults *faults, isw_error *error)
{
    isw_error why = { ISW_OK, "" };
    isw_error own = { ISW_OK, "" };

    if (!fields || iswi_fields_check(fields, root, &why) == ISW_OK)
        return ISW_OK;
    isw_error_set(&own, why.status, "function %s: %s", function->name, why.message);
    iswi_faults_add(faults, own.message);
    return isw_error_set(error, own.status, "%s", own.message);
}

static isw_status check_one(iswi_routes *routes, const isw_function *function, iswi_faults *faults,
                            isw_error *error)
{
    isw_status all = ISW_OK;

    if (iswi_faults_go_on(faults, iswi_function_check(function, faults, error), &all) &&
        iswi_faults_go_on(faults, check_route(routes, function, faults, error), &all) &&
        iswi_faults_go_on(faults, check_fields(function, function->body, "body", faults, error),
                          &all))
        iswi_faults_go_on(faults, check_fields(function, function->query, "query", faults, error),
                          &all);
    return all;
}

isw_status iswi_worker_check_triggers(const isw_worker *worker, iswi_faults *faults,
                                      isw_error *error)
{
    iswi_routes *routes = iswi_routes_create();
    isw_status all = ISW_OK;

    if (!routes)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for routes");
    for (size_t i = 0; i < worker->function_count; i++)
        if (!iswi_faults_go_on(faults, check_one(routes, worker->functions[i], faults, error),
                               &all))
            break;
    iswi_routes_destroy(routes);
    return all;
}
