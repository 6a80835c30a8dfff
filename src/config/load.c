/* SPDX-License-Identifier: Apache-2.0 */
/* The last step: libcyaml fills the struct from checked values. Its blocks stay its own until the
 * document ends and they are given back to it, in the shape in which it made them. */
#include "base/alloc.h"
#include "config/check.h"
#include "config/message.h"
#include "config/schema.h"

#include <assert.h>
#include <stdio.h>

/* A named list in a loaded struct, where libcyaml had put its rows of slots. */
typedef struct converted {
    struct converted *next;
    iswi_named_list *place;
    iswi_named_list as_loaded;
} converted;

typedef struct loaded {
    iswi_kept kept; /* first: it is what the document knows of it */
    const cyaml_schema_value_t *schema;
    void *data;
    converted *converted;
} loaded;

/* -- libcyaml ---------------------------------------------------------------------------------- */

typedef struct complaint {
    char text[256];
} complaint;

static void keep_first(cyaml_log_t level, void *user, const char *format, va_list args)
{
    complaint *first = user;

    (void)level;
    if (first->text[0])
        return;
    vsnprintf(first->text, sizeof first->text, format, args);
    first->text[strcspn(first->text, "\n")] = '\0';
}

static void *reallocate(void *user, void *block, size_t size)
{
    (void)user;
    if (size)
        return iswi_realloc(block, size);
    iswi_free(block);
    return NULL;
}

static cyaml_config_t library(complaint *first)
{
    return (cyaml_config_t){
        .log_fn = first ? keep_first : NULL,
        .log_ctx = first,
        .mem_fn = reallocate,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS,
    };
}

static isw_status fill(iswi_config *config, loaded *load, const iswi_buffer *plain,
                       isw_error *error)
{
    complaint first = { "" };
    cyaml_config_t cyaml = library(&first);
    cyaml_err_t code =
        cyaml_load_data(plain->data, plain->size, &cyaml, load->schema, &load->data, NULL);

    if (code == CYAML_ERR_OOM)
        return iswi_config_no_memory(config, error);
    if (code != CYAML_OK)
        return isw_error_set(error, ISW_E_INTERNAL, "%s: checked, yet refused by libcyaml: %s (%s)",
                             config->name, cyaml_strerror(code), first.text);
    return ISW_OK;
}

static void give_back(iswi_kept *kept)
{
    loaded *load = (loaded *)kept;
    cyaml_config_t cyaml = library(NULL);

    for (converted *list = load->converted; list; list = list->next)
        *list->place = list->as_loaded;
    cyaml_free(&cyaml, load->schema, load->data, 0);
}

/* -- Named lists ------------------------------------------------------------------------------- */

typedef struct converter {
    iswi_config *config;
    loaded *load;
} converter;

static bool convert_map(converter *c, const isw_option *table, void *data, const iswi_node *map);

static size_t count_rows(const isw_option *table)
{
    size_t count = 0;

    while (table && table[count].name)
        count++;
    return count;
}

/* One row of slots, of which one is filled, to an entry. */
static bool convert_entry(converter *c, const isw_option *known, void *const *slots,
                          const iswi_node *node, iswi_named_entry *out)
{
    size_t at = 0;

    while (!slots[at])
        at++;
    out->row = &known[at];
    out->options = slots[at];
    out->node = node->type == ISWI_NODE_MAP ? node->children : node;
    return convert_map(c, out->row->group, slots[at], out->node);
}

static bool convert_named_list(converter *c, const isw_option *known, iswi_named_list *list,
                               const iswi_node *node)
{
    converted *record = iswi_arena_alloc(&c->config->arena, sizeof *record);
    iswi_named_entry *entries = iswi_arena_calloc(&c->config->arena, list->count, sizeof *entries);
    void *const *slots = (void *const *)(const void *)list->items;

    if (!record || !entries)
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (!convert_entry(c, known, slots + i * count_rows(known), &node->children[i],
                           &entries[i]))
            return false;
    *record = (converted){ c->load->converted, list, *list };
    c->load->converted = record;
    list->items = entries;
    return true;
}

static bool convert_row(converter *c, const isw_option *row, unsigned char *data,
                        const iswi_node *node)
{
    const isw_option_list *list = (const void *)data;

    switch ((int)row->type) {
    case ISW_OPTION_GROUP:
    case (int)ISWI_OPTION_SHORT_GROUP:
        return convert_map(c, row->group, data, node);
    case ISW_OPTION_GROUP_LIST:
        for (size_t i = 0; i < list->count; i++)
            if (!convert_map(c, row->group, (unsigned char *)list->items + i * row->group_size,
                             &node->children[i]))
                return false;
        return true;
    case (int)ISWI_OPTION_NAMED_LIST:
        return convert_named_list(c, row->group, (void *)data, node);
    default:
        return true;
    }
}

/* The struct that `map` was loaded into. What the document leaves out holds no named list: such a
 * row has no default. */
static bool convert_map(converter *c, const isw_option *table, void *data, const iswi_node *map)
{
    for (const isw_option *row = table; row && row->name; row++) {
        const iswi_node *node = iswi_node_find(map, row->name);

        if (node && !convert_row(c, row, (unsigned char *)data + row->offset, node))
            return false;
    }
    return true;
}

/* -- The public call --------------------------------------------------------------------------- */

isw_status iswi_config_load(iswi_config *config, const isw_option *table, size_t size,
                            const void **out, isw_error *error)
{
    loaded *load = iswi_arena_calloc(&config->arena, 1, sizeof *load);
    converter convert = { config, load };
    iswi_buffer plain = { 0 };
    isw_status status;

    if (load)
        load->schema = iswi_schema_make(&config->arena, table, size);
    if (!load || !load->schema)
        return iswi_config_no_memory(config, error);
    status = iswi_check(config, table, &plain, error);
    if (status == ISW_OK && config->lacks_names)
        status = ISW_E_CONFIG; /* as was said */
    if (status == ISW_OK)
        status = fill(config, load, &plain, error);
    iswi_buffer_fini(&plain);
    if (status != ISW_OK)
        return status;
    /* From here on libcyaml's blocks are freed when the document is closed, come what may. */
    load->kept.free = give_back;
    iswi_config_keep(config, &load->kept);
    if (!convert_map(&convert, table, load->data, config->root))
        return iswi_config_no_memory(config, error);
    *out = load->data;
    return ISW_OK;
}
