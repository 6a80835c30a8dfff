/* SPDX-License-Identifier: Apache-2.0 */
/* The modules that the YAML names. Invariant: they are loaded before the YAML is held to the tables
 * of options, since they bring some of these. */
#include "worker/registry/worker.h"

/* As the YAML's other paths: from the folder that it lies in. */
static const char *in_folder_of(iswi_arena *arena, const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');

    if (*path == '/' || !slash)
        return strchr(path, '/') ? path : iswi_arena_printf(arena, "./%s", path);
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    return iswi_arena_printf(arena, "%.*s/%s", (int)(slash - file), file, path);
}

/* Load what `node` names: the middleware `name` of it, or with NULL all. */
static isw_status load_file(isw_worker *worker, iswi_generation *generation, const char *file,
                            const iswi_node *node, const char *name, isw_error *error)
{
    const char *path = in_folder_of(&generation->arena, file, node->text);
    isw_error own = { ISW_OK, "" };
    isw_status status;

    if (!path)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for modules");
    status = name ? iswi_registry_load_one(&worker->registry, path, name, &own)
                  : iswi_registry_load(&worker->registry, path, &own);
    return status == ISW_OK
               ? ISW_OK
               : iswi_config_refuse(generation->config, node, error, "%s", own.message);
}

/* `modules: [...]`. What is no text is refused with its place when the document is loaded. */
static isw_status load_listed(isw_worker *worker, iswi_generation *generation, const char *file,
                              isw_error *error)
{
    const iswi_node *list = iswi_node_find(iswi_config_root(generation->config), "modules");
    isw_status all = ISW_OK;

    for (size_t i = 0; list && i < list->child_count; i++) {
        const iswi_node *node = &list->children[i];

        if (node->type == ISWI_NODE_SCALAR && !node->wrong &&
            !iswi_faults_go_on(iswi_config_faults(generation->config),
                               load_file(worker, generation, file, node, NULL, error), &all))
            break;
    }
    return all;
}

/* The name of an entry of `middleware`: `- name` or `- name: {...}`. */
static const char *entry_name(const iswi_node *node)
{
    if (node->type == ISWI_NODE_SCALAR)
        return node->text;
    return node->type == ISWI_NODE_MAP && node->child_count == 1 ? node->children[0].key : "";
}

/* What an entry says of `plugin`, or NULL. */
static const iswi_node *plugin_of(const iswi_node *node)
{
    if (node->type != ISWI_NODE_MAP || node->child_count != 1)
        return NULL;
    return iswi_node_find(&node->children[0], "plugin");
}

static isw_status load_plugin(isw_worker *worker, iswi_generation *generation, const char *file,
                              const iswi_node *entry, isw_error *error)
{
    const iswi_node *plugin = plugin_of(entry);

    if (plugin->wrong)
        return ISW_E_CONFIG; /* as is told when the document is loaded */
    if (plugin->type != ISWI_NODE_SCALAR || !*plugin->text)
        return iswi_config_refuse(generation->config, plugin, error,
                                  "\"plugin\" must be the path of the shared object that brings "
                                  "the middleware \"%s\"", entry_name(entry));
    return load_file(worker, generation, file, plugin, entry_name(entry), error);
}

/* Middleware that comes with the library but is not linked in, because it needs more libraries. */
static isw_status load_known(isw_worker *worker, iswi_generation *generation,
                             const iswi_node *entry, isw_error *error)
{
    isw_error own = { ISW_OK, "" };

    if (iswi_registry_find(&worker->registry, entry_name(entry)) ||
        iswi_registry_load_known(&worker->registry, entry_name(entry), &own) == ISW_OK) {
        if (!iswi_registry_find(&worker->registry, entry_name(entry)))
            iswi_registry_load_all_known(&worker->registry, &own); /* to be named in the refusal */
        return ISW_OK;
    }
    return iswi_config_refuse(generation->config, entry, error, "%s", own.message);
}

isw_status iswi_generation_load_modules(isw_worker *worker, iswi_generation *generation,
                                        const char *file, isw_error *error)
{
    const iswi_node *list = iswi_node_find(iswi_config_root(generation->config), "middleware");
    iswi_faults *faults = iswi_config_faults(generation->config);
    isw_status all = load_listed(worker, generation, file, error);
    bool on = all == ISW_OK || faults;

    for (size_t i = 0; list && on && i < list->child_count; i++)
        if (plugin_of(&list->children[i]))
            on = iswi_faults_go_on(
                faults, load_plugin(worker, generation, file, &list->children[i], error), &all);
    for (size_t i = 0; list && on && i < list->child_count; i++)
        if (!plugin_of(&list->children[i]))
            on = iswi_faults_go_on(faults,
                                   load_known(worker, generation, &list->children[i], error), &all);
    return all;
}
