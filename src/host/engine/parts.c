/* SPDX-License-Identifier: Apache-2.0 */
#include "host/engine/parts.h"

#include "base/alloc.h"
#include "config/config.h"
#include "host/engine/engine.h"

#include <limits.h>
#include <stdio.h>

void iswi_parts_add(iswi_parts *parts, const char *folder, const char *file, bool executed)
{
    iswi_part *part = &parts->items[parts->count];
    char path[PATH_MAX];

    if (*file == '/')
        snprintf(path, sizeof path, "%s", file);
    else
        snprintf(path, sizeof path, "%s/%s", folder, file);
    for (unsigned i = 0; i < parts->count; i++)
        if (strcmp(parts->items[i].path, path) == 0)
            return;
    if (parts->count == ISWI_PARTS_MAX)
        return;
    *part = (iswi_part){ .path = iswi_strdup(path), .executed = executed,
                         .look = iswi_file_look_at(path) };
    parts->count += part->path != NULL;
}

static bool is_object(const char *word)
{
    size_t size = strlen(word);

    return size > 3 && strcmp(word + size - 3, ".so") == 0;
}

static void add_text(iswi_parts *parts, const char *folder, const iswi_node *node)
{
    if (node && node->type == ISWI_NODE_SCALAR && *node->text)
        iswi_parts_add(parts, folder, node->text, false);
}

/* The shared objects that its YAML names: `modules`, and `plugin` of its middleware. */
static void add_modules(iswi_parts *parts, const char *file)
{
    isw_error ignored = { ISW_OK, "" }; /* its processes say what is wrong with it */
    const iswi_node *root;
    const iswi_node *list;
    iswi_config *config = NULL;
    char folder[PATH_MAX];

    if (!file || iswi_config_open(file, NULL, &config, &ignored) != ISW_OK)
        return;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(file, '/') - file), file);
    root = iswi_config_root(config);
    list = iswi_node_find(root, "modules");
    for (size_t i = 0; list && i < list->child_count; i++)
        add_text(parts, folder, &list->children[i]);
    list = iswi_node_find(root, "middleware");
    for (size_t i = 0; list && i < list->child_count; i++)
        if (list->children[i].type == ISWI_NODE_MAP && list->children[i].child_count == 1)
            add_text(parts, folder, iswi_node_find(list->children[i].children, "plugin"));
    iswi_config_close(config);
}

void iswi_parts_find(iswi_parts *parts, iswi_pool *pool)
{
    const iswi_worker_settings *settings = pool->settings;
    const char *folder = settings->directory ? settings->directory : pool->processes->host->folder;

    if (iswi_pool_waits(pool)) /* whoever starts it knows */
        return;
    iswi_parts_add(parts, folder, pool->program, true);
    for (size_t i = 1; i < settings->command.count; i++)
        if (is_object(settings->command.items[i]))
            iswi_parts_add(parts, folder, settings->command.items[i], false);
    add_modules(parts, pool->reload.file);
}

void iswi_parts_forget(iswi_parts *parts)
{
    while (parts->count)
        iswi_free(parts->items[--parts->count].path);
}

const char *iswi_parts_look(iswi_parts *parts)
{
    const char *changed = NULL;

    for (unsigned i = 0; i < parts->count; i++) {
        iswi_part *part = &parts->items[i];
        iswi_file_look now = iswi_file_look_at(part->path);

        if (iswi_file_look_same(&now, &part->look))
            continue;
        part->look = now;
        changed = part->path;
    }
    return changed;
}
