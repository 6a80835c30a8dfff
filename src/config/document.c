/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a document, and the look of its nodes. All that a document hands out lies in
 * its arena or hangs on its list of loads, so closing it is the only clean-up there is. */
#include "config/document.h"

#include "base/alloc.h"
#include "config/file.h"

enum { ARENA_BLOCK_BYTES = 8 * 1024 };

static iswi_config *create(const char *name, iswi_faults *faults)
{
    iswi_config *config = iswi_calloc(1, sizeof *config);

    if (!config)
        return NULL;
    atomic_init(&config->users, 1);
    iswi_arena_init(&config->arena, ARENA_BLOCK_BYTES);
    config->faults = faults;
    config->name = iswi_arena_strndup(&config->arena, name, strlen(name));
    if (!config->name) {
        iswi_config_close(config);
        return NULL;
    }
    return config;
}

isw_status iswi_config_open_text(const char *name, const char *text, size_t size,
                                 iswi_faults *faults, iswi_config **out, isw_error *error)
{
    iswi_config *config = create(name, faults);
    isw_status status;

    if (!config)
        return isw_error_set(error, ISW_E_NO_MEMORY, "%s: out of memory", name);
    status = iswi_config_parse(config, text, size, &config->root, error);
    if (status != ISW_OK) {
        iswi_config_close(config);
        return status;
    }
    *out = config;
    return ISW_OK;
}

isw_status iswi_config_open(const char *path, iswi_faults *faults, iswi_config **out,
                            isw_error *error)
{
    iswi_buffer text = { 0 };
    const char *why = "";
    isw_status status = iswi_file_read(path, ISWI_CONFIG_MAX_BYTES, &text, &why);

    if (status == ISW_OK)
        status = iswi_config_open_text(path, (const char *)text.data, text.size, faults, out,
                                       error);
    else if (status == ISW_E_TOO_LARGE)
        status = isw_error_set(error, ISW_E_CONFIG, "%s:1:1: the file is larger than %d bytes",
                               path, ISWI_CONFIG_MAX_BYTES);
    else
        status = isw_error_set(error, status, "%s: cannot be read: %s", path, why);
    iswi_buffer_fini(&text);
    return status;
}

iswi_faults *iswi_config_faults(const iswi_config *config)
{
    return config->faults;
}

void iswi_config_told(iswi_config *config)
{
    config->faults = NULL;
}

void iswi_config_lacks_names(iswi_config *config)
{
    config->lacks_names = true;
}

iswi_config *iswi_config_hold(iswi_config *config)
{
    atomic_fetch_add(&config->users, 1);
    return config;
}

void iswi_config_close(iswi_config *config)
{
    if (!config || atomic_fetch_sub(&config->users, 1) != 1)
        return;
    iswi_config_free_loaded(config);
    iswi_arena_fini(&config->arena);
    iswi_free(config);
}

/* -- Nodes ------------------------------------------------------------------------------------- */

const iswi_node *iswi_config_root(const iswi_config *config)
{
    return config->root;
}

const iswi_node *iswi_node_find(const iswi_node *map, const char *key)
{
    if (!map || map->type != ISWI_NODE_MAP)
        return NULL;
    for (size_t i = 0; i < map->child_count; i++)
        if (strcmp(map->children[i].key, key) == 0)
            return &map->children[i];
    return NULL;
}

bool iswi_node_is_empty(const iswi_node *node)
{
    static const char *const nothing[] = { "", "~", "null", "Null", "NULL" };

    if (node->type != ISWI_NODE_SCALAR || node->quoted)
        return false;
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
        if (strcmp(node->text, nothing[i]) == 0)
            return true;
    return false;
}

iswi_place iswi_node_place(const iswi_node *node)
{
    return (iswi_place){ node->line, node->column };
}

iswi_place iswi_node_key_place(const iswi_node *node)
{
    return node->key ? (iswi_place){ node->key_line, node->key_column } : iswi_node_place(node);
}

const char *iswi_config_where(iswi_config *config, const iswi_node *node)
{
    iswi_place place = iswi_node_key_place(node);
    const char *where =
        iswi_arena_printf(&config->arena, "%s:%u:%u", config->name, place.line, place.column);

    return where ? where : config->name;
}

const char *iswi_config_path(iswi_config *config, const char *path)
{
    const char *slash = strrchr(config->name, '/');
    int folder = path[0] == '/' || !slash ? 0 : (int)(slash - config->name) + 1;

    return iswi_arena_printf(&config->arena, "%.*s%s", folder, config->name, path);
}
