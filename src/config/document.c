/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a document. All that a document hands out lies in its arena or is kept by its list,
 * so closing it is the only clean-up there is. */
#include "config/document.h"

#include "base/alloc.h"
#include "config/node.h"

enum { ARENA_BLOCK_BYTES = 8 * 1024 };

iswi_config *iswi_config_create(const char *name, iswi_faults *faults)
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

void iswi_config_spare_secrets(iswi_config *config)
{
    config->spares_secrets = true;
}

iswi_config *iswi_config_hold(iswi_config *config)
{
    atomic_fetch_add(&config->users, 1);
    return config;
}

void iswi_config_keep(iswi_config *config, iswi_kept *kept)
{
    kept->older = config->kept;
    config->kept = kept;
}

void iswi_config_close(iswi_config *config)
{
    if (!config || atomic_fetch_sub(&config->users, 1) != 1)
        return;
    for (iswi_kept *kept = config->kept; kept; kept = kept->older)
        kept->free(kept);
    iswi_arena_fini(&config->arena);
    iswi_free(config);
}

const iswi_node *iswi_config_root(const iswi_config *config)
{
    return config->root;
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
