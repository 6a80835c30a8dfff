/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of a middleware, or the list of those that are known, as text for people. */
#include "worker/registry/worker.h"

#include "base/alloc.h"

static bool is_file(const char *name)
{
    return strchr(name, '/') != NULL;
}

static void explain_one(const isw_middleware *middleware, iswi_buffer *out)
{
    iswi_buffer_printf(out, "%s%s%s\n", middleware->name, middleware->summary ? ": " : "",
                       middleware->summary ? middleware->summary : "");
    if (!middleware->options || !middleware->options->name) {
        iswi_buffer_append_text(out, "\nIt has no options.\n");
        return;
    }
    iswi_buffer_append_text(out, "\noptions:\n");
    iswi_config_reference(middleware->options, 2, out);
}

static void list_all(const iswi_registry *registry, iswi_buffer *out)
{
    size_t width = 0;

    for (size_t i = 0; i < registry->count; i++)
        if (strlen(registry->items[i]->name) > width)
            width = strlen(registry->items[i]->name);
    iswi_buffer_append_text(out, "middleware, as worker.yaml may name it under `middleware:`\n");
    for (size_t i = 0; i < registry->count; i++)
        iswi_buffer_printf(out, "  %-*s  %s\n", (int)width, registry->items[i]->name,
                           registry->items[i]->summary);
    iswi_buffer_append_text(out, "\nEach entry may say `when` it is for:\n");
    iswi_config_reference(iswi_pipeline_when_rows(), 2, out);
    iswi_buffer_append_text(out, "\nOne from a shared object says `plugin`, its path: "
                                 "- mine: { plugin: ./mine.so }\n");
}

/* "a, b, c" */
static void name_all(const iswi_registry *registry, iswi_buffer *out)
{
    for (size_t i = 0; i < registry->count; i++)
        iswi_buffer_printf(out, "%s%s", i ? ", " : "", registry->items[i]->name);
}

static isw_status unknown(const iswi_registry *registry, const char *name, isw_error *error)
{
    iswi_buffer names = { 0 };

    name_all(registry, &names);
    isw_error_set(error, ISW_E_NOT_FOUND,
                  "there is no middleware \"%s\"; there are: %s; a shared object is named by a "
                  "path with a '/'", name,
                  iswi_buffer_text(&names) ? iswi_buffer_text(&names) : "");
    iswi_buffer_fini(&names);
    return ISW_E_NOT_FOUND;
}

/* All that a shared object brings. */
static isw_status explain_file(iswi_registry *registry, const char *path, iswi_buffer *out,
                               isw_error *error)
{
    const isw_middleware *const *at;
    const iswi_module *module;
    isw_status status = iswi_registry_open(registry, path, &module, error);

    if (status != ISW_OK)
        return status;
    at = module->exports->app->middleware;
    for (; at && *at; at++) {
        iswi_buffer_append_text(out, out->size ? "\n" : "");
        explain_one(*at, out);
        iswi_buffer_printf(out, "\nin worker.yaml:\n  - %s: { plugin: %s }\n", (*at)->name, path);
    }
    if (module->exports->app->functions && module->exports->app->functions->name)
        iswi_buffer_printf(out, "%s%s has functions: `isoworker worker %s --describe`\n",
                           out->size ? "\n" : "", path, path);
    else if (!out->size)
        iswi_buffer_printf(out, "%s brings neither middleware nor functions.\n", path);
    return ISW_OK;
}

static isw_status explain(isw_worker *worker, const char *name, iswi_buffer *out,
                          isw_error *error)
{
    iswi_registry *registry = &worker->registry;
    const isw_middleware *found;
    isw_status status;

    if (name && is_file(name))
        return explain_file(registry, name, out, error);
    status = iswi_registry_load_all_known(registry, error);
    if (status != ISW_OK)
        return status;
    if (!name) {
        list_all(registry, out);
        return ISW_OK;
    }
    found = iswi_registry_find(registry, name);
    if (!found)
        return unknown(registry, name, error);
    explain_one(found, out);
    return ISW_OK;
}

isw_status isw_middleware_explain(const char *name, char **out, isw_error *error)
{
    isw_worker *worker = NULL;
    iswi_buffer text = { 0 };
    isw_status status = isw_worker_create(NULL, &worker, error);

    if (status == ISW_OK)
        status = explain(worker, name, &text, error);
    if (status == ISW_OK) {
        *out = iswi_buffer_text(&text) ? iswi_strdup(iswi_buffer_text(&text)) : NULL;
        if (!*out)
            status = isw_error_set(error, ISW_E_NO_MEMORY, "no memory for the reference");
    }
    iswi_buffer_fini(&text);
    isw_worker_destroy(worker);
    return status;
}
