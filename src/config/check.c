/* SPDX-License-Identifier: Apache-2.0 */
/* The tree against a table. The walk follows the table, never the tree, so it ends where the table
 * ends; what it has not accepted is not in its output. */
#include "config/check.h"

#include "config/message.h"
#include "config/parse.h"
#include "config/refusal.h"
#include "config/value.h"
#include "config/variables.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Secrets and aliases can make the plain text larger than the document; not without end. */
enum { MAX_PLAIN_BYTES = 16 << 20 };

typedef struct checker {
    iswi_config *config;
    iswi_buffer *out;
    isw_error *error;
} checker;

static isw_status check_map(checker *c, const iswi_scope *in, const isw_option *table,
                            const iswi_node *map, const iswi_node *owner);
static isw_status check_value(checker *c, const iswi_scope *in, const isw_option *row,
                              const iswi_node *node);

static bool goes_on(const checker *c, isw_status one, isw_status *all)
{
    return iswi_faults_go_on(c->config->faults, one, all);
}

/* -- Lists ------------------------------------------------------------------------------------- */

typedef isw_status (*check_item_fn)(checker *c, const iswi_scope *in, const isw_option *row,
                                    const iswi_node *item);

/* A list; `key:` alone is an empty one, as where all entries are commented out. */
static isw_status check_list(checker *c, const iswi_scope *in, const isw_option *row,
                             const iswi_node *node, const char *must_be, check_item_fn check_item)
{
    isw_status all = ISW_OK;

    if (node->type != ISWI_NODE_LIST && !iswi_node_is_empty(node))
        return iswi_refuse_shape(c->config, row, must_be, node, c->error);
    iswi_buffer_append_text(c->out, "[");
    for (size_t i = 0; i < node->child_count; i++) {
        const iswi_node *item = &node->children[i];

        if (!goes_on(c, item->wrong ? ISW_OK : check_item(c, in, row, item), &all))
            break;
        iswi_buffer_append_text(c->out, ",\n");
        if (c->out->size > MAX_PLAIN_BYTES)
            return iswi_config_refuse(c->config, node, c->error, "\"%s\" is too large", row->name);
    }
    iswi_buffer_append_text(c->out, "]");
    return all;
}

static isw_status check_text_item(checker *c, const iswi_scope *in, const isw_option *row,
                                  const iswi_node *item)
{
    const isw_option text = { .name = row->name, .type = ISW_OPTION_STRING };

    (void)in;
    if (item->type != ISWI_NODE_SCALAR)
        return iswi_refuse_entry(c->config, row, "a text", item, c->error);
    return iswi_check_scalar(c->config, &text, item, c->out, c->error);
}

/* A text alone is a list of one. */
static isw_status check_texts(checker *c, const iswi_scope *in, const isw_option *row,
                              const iswi_node *node)
{
    isw_status status;

    if (node->type != ISWI_NODE_SCALAR || iswi_node_is_empty(node))
        return check_list(c, in, row, node, "a text or a list of texts", check_text_item);
    iswi_buffer_append_text(c->out, "[");
    status = check_text_item(c, in, row, node);
    iswi_buffer_append_text(c->out, "]");
    return status;
}

/* A text, or a list of texts as one with spaces between them. */
static isw_status check_property(checker *c, const isw_option *row, const iswi_node *node)
{
    iswi_node joined = *node;
    iswi_buffer text = { 0 };
    isw_status status = ISW_OK;

    if (node->type == ISWI_NODE_MAP)
        return iswi_refuse_entry(c->config, row, "a text or a list of texts", node, c->error);
    for (size_t i = 0; status == ISW_OK && i < node->child_count; i++) {
        const iswi_node *item = &node->children[i];

        if (item->type != ISWI_NODE_SCALAR && !item->wrong)
            status = iswi_refuse_entry(c->config, row, "a text or a list of texts", item, c->error);
        else
            iswi_buffer_printf(&text, "%s%s", i ? " " : "", item->text);
    }
    if (node->type == ISWI_NODE_LIST) {
        joined.type = ISWI_NODE_SCALAR;
        joined.quoted = true;
        joined.text = text.size ? iswi_buffer_text(&text) : "";
    }
    if (status == ISW_OK)
        status = joined.text ? check_text_item(c, NULL, row, &joined)
                             : iswi_config_no_memory(c->config, c->error);
    iswi_buffer_fini(&text);
    return status;
}

/* A name and its value, with a comma behind each. */
static isw_status check_pair(checker *c, const isw_option *row, const iswi_node *pair)
{
    iswi_node name = *pair;
    isw_status status;

    name.type = ISWI_NODE_SCALAR;
    name.text = name.key;
    name.quoted = true;
    if (pair->wrong)
        return ISW_OK;
    status = check_text_item(c, NULL, row, &name);
    iswi_buffer_append_text(c->out, ",\n");
    if (status == ISW_OK)
        status = check_property(c, row, pair);
    iswi_buffer_append_text(c->out, ",\n");
    return status;
}

/* A mapping of free names, as a list of name, value, name, value. */
static isw_status check_properties(checker *c, const isw_option *row, const iswi_node *node)
{
    isw_status all = ISW_OK;

    if (node->type != ISWI_NODE_MAP && !iswi_node_is_empty(node))
        return iswi_refuse_shape(c->config, row, "a mapping of names to texts", node, c->error);
    iswi_buffer_append_text(c->out, "[");
    for (size_t i = 0; i < node->child_count; i++) {
        if (!goes_on(c, check_pair(c, row, &node->children[i]), &all))
            break;
        if (c->out->size > MAX_PLAIN_BYTES)
            return iswi_config_refuse(c->config, node, c->error, "\"%s\" is too large", row->name);
    }
    iswi_buffer_append_text(c->out, "]");
    return all;
}

/* -- Groups ------------------------------------------------------------------------------------ */

static isw_status check_group(checker *c, const iswi_scope *in, const isw_option *row,
                              const iswi_node *node)
{
    if (node->type != ISWI_NODE_MAP && !iswi_node_is_empty(node))
        return iswi_refuse_shape(c->config, row, "a mapping", node, c->error);
    return check_map(c, in, row->group, node, node);
}

/* What stands there alone is its first option. */
static isw_status check_short_group(checker *c, const iswi_scope *in, const isw_option *row,
                                    const iswi_node *node)
{
    const size_t before = c->out->size;
    isw_option alone = *row->group;
    iswi_node first = *node;
    iswi_node map = *node;
    isw_status status;

    if (node->type == ISWI_NODE_LIST)
        return iswi_refuse_shape(c->config, row, "a whole number or a mapping", node, c->error);
    if (node->type == ISWI_NODE_MAP || iswi_node_is_empty(node))
        return check_group(c, in, row, node);
    alone.name = row->name; /* what is wrong with it is said of the option that stands there */
    status = check_value(c, in->outer, &alone, node);
    if (status != ISW_OK)
        return status;
    c->out->size = before;
    first.key = row->group->name;
    map.type = ISWI_NODE_MAP;
    map.children = &first;
    map.child_count = 1;
    return check_map(c, in, row->group, &map, node);
}

static isw_status check_group_item(checker *c, const iswi_scope *in, const isw_option *row,
                                   const iswi_node *item)
{
    const iswi_scope inner = { in, "[]" };

    if (item->type != ISWI_NODE_MAP)
        return iswi_refuse_entry(c->config, row, "a mapping", item, c->error);
    return check_map(c, &inner, row->group, item, item);
}

/* `- name`, or a mapping of that one name to its options. */
static isw_status check_named_item(checker *c, const iswi_scope *in, const isw_option *row,
                                   const iswi_node *item)
{
    bool bare = item->type == ISWI_NODE_SCALAR;
    const iswi_node *entry = bare ? item : item->children;
    const isw_option *named = row->group;
    const char *name;
    isw_status status;

    if (item->type == ISWI_NODE_LIST || iswi_node_is_empty(item) || (!bare && !item->child_count))
        return iswi_refuse_entry(c->config, row, "a name, with or without options", item, c->error);
    name = bare ? item->text : entry->key;
    if (!bare && entry->wrong)
        return ISW_OK;
    if (item->child_count > 1)
        return iswi_config_refuse(c->config, &entry[1], c->error,
                                  "an entry of \"%s\" has one name, but %s follows %s; indent it "
                                  "further if it is an option, or begin a new entry with \"-\"",
                                  row->name, iswi_config_quote(c->config, entry[1].key),
                                  iswi_config_quote(c->config, name));
    while (named && named->name && strcmp(named->name, name) != 0)
        named++;
    if ((!named || !named->name) && c->config->lacks_names)
        return ISW_OK;
    if (!named || !named->name)
        return iswi_refuse_unknown(c->config, in, row->group, "name", name,
                                   iswi_node_key_place(entry), c->error);
    iswi_buffer_printf(c->out, "{\"%s\": ", name);
    if (bare)
        status = check_map(c, &(iswi_scope){ in, name }, named->group, NULL, item);
    else
        status = check_group(c, &(iswi_scope){ in, name }, named, entry);
    iswi_buffer_append_text(c->out, "}");
    return status;
}

/* -- Rows and mappings ------------------------------------------------------------------------- */

static isw_status check_value(checker *c, const iswi_scope *in, const isw_option *row,
                              const iswi_node *node)
{
    const iswi_scope inner = { in, row->name };

    if (node->wrong)
        return ISW_OK;
    switch ((int)row->type) {
    case ISW_OPTION_GROUP:
        return check_group(c, &inner, row, node);
    case (int)ISWI_OPTION_SHORT_GROUP:
        return check_short_group(c, &inner, row, node);
    case ISW_OPTION_GROUP_LIST:
        return check_list(c, &inner, row, node, "a list of mappings", check_group_item);
    case ISW_OPTION_STRINGS:
        return check_list(c, &inner, row, node, "a list of texts", check_text_item);
    case (int)ISWI_OPTION_TEXTS:
        return check_texts(c, &inner, row, node);
    case ISW_OPTION_PROPERTIES:
        return check_properties(c, row, node);
    case (int)ISWI_OPTION_VARIABLES:
        return iswi_check_variables(c->config, row, node, c->out, c->error);
    case (int)ISWI_OPTION_NAMED_LIST:
        return check_list(c, &inner, row, node, "a list of names, each with or without options",
                          check_named_item);
    default:
        return iswi_check_scalar(c->config, row, node, c->out, c->error);
    }
}

/* A default as it would stand in YAML: a list is parsed, a scalar is its text. */
static isw_status check_default(checker *c, const iswi_scope *in, const isw_option *row,
                                const iswi_node *owner)
{
    iswi_place place = iswi_node_key_place(owner);
    const iswi_node scalar = { .type = ISWI_NODE_SCALAR,
                               .line = place.line,
                               .column = place.column,
                               .text = row->default_value,
                               .quoted = true };
    const iswi_node *root = NULL;
    const char *text;
    isw_status status;

    assert(row->type <= ISW_OPTION_STRINGS || row->type == ISWI_OPTION_TEXTS);
    if (row->type != ISW_OPTION_STRINGS)
        return check_value(c, in, row, &scalar);
    text = iswi_arena_printf(&c->config->arena, "default: %s", row->default_value);
    if (!text)
        return iswi_config_no_memory(c->config, c->error);
    status = iswi_config_parse(c->config, text, strlen(text), &root, c->error);
    return status == ISW_OK ? check_value(c, in, row, root->children) : status;
}

static bool is_spared(const iswi_config *config, const isw_option *row, const iswi_node *node)
{
    return config->spares_secrets && row->type == ISW_OPTION_SECRET && row->optional &&
           node->type == ISWI_NODE_SCALAR && strncmp(node->text, "env:", 4) == 0 &&
           !getenv(node->text + 4);
}

static isw_status check_row(checker *c, const iswi_scope *in, const isw_option *row,
                            const iswi_node *map, const iswi_node *owner)
{
    const iswi_node *node = iswi_node_find(map, row->name);
    const iswi_scope inner = { in, row->name };
    isw_status status;

    if (!node && !row->default_value && row->optional)
        return ISW_OK;
    if (node && is_spared(c->config, row, node))
        return ISW_OK;
    iswi_buffer_printf(c->out, "\"%s\": ", row->name);
    if (node)
        status = check_value(c, in, row, node);
    else if (row->default_value)
        status = check_default(c, in, row, owner);
    else if (row->type == ISW_OPTION_GROUP || row->type == ISWI_OPTION_SHORT_GROUP)
        status = check_map(c, &inner, row->group, NULL, owner);
    else
        status = iswi_config_refuse(c->config, owner, c->error, "missing option \"%s\" %s",
                                    row->name, iswi_scope_text(c->config, in));
    iswi_buffer_append_text(c->out, ",\n");
    return status;
}

/* Whether an option of a mapping is in the table. */
static isw_status check_name(checker *c, const iswi_scope *in, const isw_option *table,
                             const iswi_node *child)
{
    const isw_option *row = table;

    while (row && row->name && strcmp(row->name, child->key) != 0)
        row++;
    if ((row && row->name) || strcmp(child->key, ISWI_MERGE_KEY) == 0)
        return ISW_OK;
    return iswi_refuse_unknown(c->config, in, table, "option", child->key,
                               iswi_node_key_place(child), c->error);
}

/* `map` is NULL or empty where all is left to defaults; `owner` is where a missing option is
 * reported. */
static isw_status check_map(checker *c, const iswi_scope *in, const isw_option *table,
                            const iswi_node *map, const iswi_node *owner)
{
    isw_status all = ISW_OK;
    bool on = true;

    for (size_t i = 0; map && on && i < map->child_count; i++)
        on = goes_on(c, check_name(c, in, table, &map->children[i]), &all);
    iswi_buffer_append_text(c->out, "{");
    for (const isw_option *row = table; row && row->name && on; row++)
        on = goes_on(c, check_row(c, in, row, map, owner), &all);
    iswi_buffer_append_text(c->out, "}");
    return all;
}

isw_status iswi_check(iswi_config *config, const isw_option *table, iswi_buffer *out,
                      isw_error *error)
{
    checker c = { config, out, error };
    const iswi_scope top = { NULL, NULL };
    isw_status status = ISW_OK;

    if (config->wrong.status != ISW_OK)
        status = isw_error_set(error, ISW_E_CONFIG, "%s", config->wrong.message);
    if (status == ISW_OK || config->faults)
        goes_on(&c, check_map(&c, &top, table, config->root, config->root), &status);
    if (status == ISW_OK && out->failed)
        return iswi_config_no_memory(config, error);
    return status;
}
