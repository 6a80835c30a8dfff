/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's YAML: which file, and what it says. */
#include "worker/registry/worker.h"

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

enum { MIDDLEWARE = 3 }; /* its row among the document's */

typedef struct document {
    iswi_settings worker;
    iswi_store_settings store;
    isw_option_strings modules;
    iswi_named_list middleware;
    isw_option_list functions;
} document;

static const isw_option worker_rows[] = {
    { .name = "concurrency", .type = ISW_OPTION_INT, .default_value = "16", .min = 1, .max = 1024,
      .offset = offsetof(iswi_settings, concurrency),
      .help = "invocations that run side by side" },
    { .name = "max_in_flight", .type = ISW_OPTION_INT, .default_value = "0", .min = 0,
      .max = ISWI_CREDIT_MAX, .offset = offsetof(iswi_settings, max_in_flight),
      .help = "running and waiting together; 0: four times concurrency" },
    { .name = "crash_report", .type = ISW_OPTION_BOOL, .default_value = "true",
      .offset = offsetof(iswi_settings, crash_report),
      .help = "say where it happened when the worker crashes" },
    { 0 },
};

/* The rows of the whole document, made anew since they hold those of the known middleware. */
static const isw_option *document_rows(const isw_worker *worker, iswi_arena *arena)
{
    isw_option *rows = iswi_arena_calloc(arena, 6, sizeof *rows);
    const isw_option *names = iswi_pipeline_rows(&worker->registry, arena);

    if (!rows || !names)
        return NULL;
    rows[0] = (isw_option){ .name = "worker", .type = ISW_OPTION_GROUP,
                            .offset = offsetof(document, worker), .group = worker_rows,
                            .group_size = sizeof(iswi_settings), .help = "the worker itself" };
    rows[1] = (isw_option){ .name = "store", .type = ISW_OPTION_GROUP, .optional = true,
                            .offset = offsetof(document, store), .group = iswi_store_rows,
                            .group_size = sizeof(iswi_store_settings),
                            .help = "where rate_limit, idempotency, circuit_breaker and others "
                                    "keep what they share with other hosts; left out: in memory, "
                                    "for the processes of this worker on this host" };
    rows[2] = (isw_option){ .name = "modules", .type = ISW_OPTION_STRINGS, .optional = true,
                            .offset = offsetof(document, modules),
                            .help = "shared objects with more middleware, taken from this "
                                    "file's folder" };
    rows[MIDDLEWARE] = (isw_option){ .name = "middleware", .type = ISWI_OPTION_NAMED_LIST,
                                     .optional = true, .offset = offsetof(document, middleware),
                                     .group = names, .help = "the chain, outermost first" };
    rows[4] = (isw_option){ .name = "functions", .type = ISW_OPTION_GROUP_LIST, .optional = true,
                            .offset = offsetof(document, functions), .group = iswi_function_rows,
                            .group_size = sizeof(iswi_function_settings),
                            .help = "what holds for some functions; later entries count more" };
    return rows;
}

/* -- Reading ----------------------------------------------------------------------------------- */

static const char *path_to_read(const isw_worker *worker)
{
    const char *given = worker->config_path ? worker->config_path : getenv("ISOWORKER_CONFIG");

    if (given && *given)
        return given;
    return access("worker.yaml", F_OK) == 0 ? "worker.yaml" : NULL;
}

static isw_status open_document(const isw_worker *worker, iswi_generation *generation,
                                const char *path, iswi_faults *faults, isw_error *error)
{
    const char *text = worker->config_text ? worker->config_text : "worker: {}\n";

    if (path)
        return iswi_config_open(path, faults, &generation->config, error);
    return iswi_config_open_text(worker->config_text ? "(text)" : "(none)", text, strlen(text),
                                 faults, &generation->config, error);
}

static isw_status load_document(isw_worker *worker, iswi_generation *generation,
                                const document **out, isw_error *error)
{
    const isw_option *rows = document_rows(worker, &generation->arena);
    const void *loaded = NULL;
    isw_status status;

    if (!rows)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for the configuration");
    status = iswi_config_load(generation->config, rows, sizeof(document), &loaded, error);
    if (status != ISW_OK)
        return status;
    *out = loaded;
    generation->settings = (*out)->worker;
    generation->stores = (*out)->store;
    generation->function_settings = (*out)->functions;
    generation->middleware = (*out)->middleware;
    return ISW_OK;
}

/* What is wrong with `store` is said with its place. */
static isw_status begin_stores(isw_worker *worker, const iswi_generation *generation,
                               const document *doc, isw_error *error)
{
    const iswi_node *root = iswi_config_root(generation->config);
    const iswi_node *node = iswi_node_find(root, "store");
    isw_error own = { ISW_OK, "" };
    isw_status status = iswi_stores_begin(&worker->stores, &doc->store, &worker->arena, &own);

    return status == ISW_OK || status == ISW_E_NO_MEMORY
               ? status
               : isw_error_set(error, ISW_E_CONFIG, "%s: store: %s",
                               iswi_config_where(generation->config, node ? node : root),
                               own.message);
}

/* What follows from a document whose options are what they may be. */
static isw_status make_pipeline(isw_worker *worker, iswi_generation *generation,
                                const document *doc, const iswi_generation *old, isw_error *error)
{
    iswi_faults *faults = iswi_config_faults(generation->config);
    isw_status all = iswi_generation_check_rows(worker, generation, error);

    if (all != ISW_OK && !faults)
        return all;
    if (iswi_faults_go_on(faults, iswi_generation_check_names(generation, error), &all) &&
        iswi_faults_go_on(faults, begin_stores(worker, generation, doc, error), &all) &&
        worker->stores.place.driver)
        iswi_faults_go_on(faults, iswi_pipeline_create(&worker->registry, generation->config,
                                                       &doc->middleware, &worker->stores.place,
                                                       old ? old->pipeline : NULL,
                                                       &generation->pipeline, error), &all);
    return all;
}

isw_status iswi_generation_read(isw_worker *worker, iswi_generation *generation,
                                const iswi_generation *old, iswi_faults *faults, isw_error *error)
{
    const char *path = worker->config_text ? NULL : path_to_read(worker);
    const document *doc = NULL;
    size_t before = faults ? faults->count : 0;
    isw_error own = { ISW_OK, "" };
    isw_status status = open_document(worker, generation, path, faults, &own);

    if (status != ISW_OK && faults && faults->count == before)
        iswi_faults_add(faults, own.message); /* there is no file */
    if (status != ISW_OK)
        return isw_error_set(error, status, "%s", own.message);
    status = iswi_generation_load_modules(worker, generation, path ? path : "", error);
    if (status != ISW_OK)
        iswi_config_lacks_names(generation->config);
    if (status == ISW_OK || (faults && status != ISW_E_NO_MEMORY))
        iswi_faults_go_on(faults, load_document(worker, generation, &doc, error), &status);
    return status == ISW_OK ? make_pipeline(worker, generation, doc, old, error) : status;
}

/* -- What waits for a start -------------------------------------------------------------------- */

static void tell_change(const iswi_generation *generation, const iswi_node *node,
                        const char *name, iswi_faults *out)
{
    isw_error text = { ISW_OK, "" };

    isw_error_set(&text, ISW_E_CONFIG,
                  "%s: %s has changed, and stays as it was until the worker starts again",
                  iswi_config_where(generation->config,
                                    node ? node : iswi_config_root(generation->config)), name);
    iswi_faults_add(out, text.message);
}

static void tell_row(iswi_generation *generation, const isw_option *row, const iswi_settings *held,
                     iswi_faults *out)
{
    const isw_option one[] = { *row, { 0 } };
    const iswi_node *group = iswi_node_find(iswi_config_root(generation->config), "worker");

    if (!iswi_config_equal(one, held, &generation->settings))
        tell_change(generation, iswi_node_find(group, row->name), row->name, out);
}

static void tell_stores(isw_worker *worker, iswi_generation *generation, iswi_faults *out)
{
    if (!iswi_config_equal(iswi_store_rows, &worker->stores.settings, &generation->stores))
        tell_change(generation, iswi_node_find(iswi_config_root(generation->config), "store"),
                    "store", out);
}

void iswi_worker_waits(isw_worker *worker, iswi_faults *out)
{
    iswi_generation *generation = iswi_generation_take(worker);

    for (const isw_option *row = worker_rows; row->name; row++)
        tell_row(generation, row, &worker->settings, out);
    tell_stores(worker, generation, out);
    for (size_t i = 0; i < worker->registry.module_count; i++) {
        isw_error text = { ISW_OK, "" };

        if (!iswi_module_changed(&worker->registry.modules[i]))
            continue;
        isw_error_set(&text, ISW_E_CONFIG,
                      "%s has changed; what was loaded of it runs until the worker starts again",
                      worker->registry.modules[i].path);
        iswi_faults_add(out, text.message);
    }
    iswi_generation_drop(generation);
}

isw_status iswi_worker_reference(isw_worker *worker, iswi_buffer *out)
{
    isw_error unused = { ISW_OK, "" };
    const isw_option *rows;
    isw_option *names;

    iswi_registry_load_all_known(&worker->registry, &unused);
    rows = document_rows(worker, &worker->arena);
    names = rows ? (isw_option *)rows[MIDDLEWARE].group : NULL;
    if (!names)
        return ISW_E_NO_MEMORY;
    for (; names->name; names++)
        names->group = NULL; /* `isoworker explain` has their options */
    iswi_config_reference(rows, 2, out);
    return ISW_OK;
}
