/* SPDX-License-Identifier: Apache-2.0 */
/* Variables of an environment: as a mapping or as a list, one plain form. */
#include "config/variables.h"

#include "config/expand.h"
#include "config/message.h"
#include "config/value.h"

enum { MOST = 1000 };

typedef struct variables {
    iswi_config *config;
    const isw_option *row;
    const iswi_node *all;
    iswi_buffer *out;
    isw_error *error;
} variables;

/* The name of an entry, of *size bytes; NULL: it has none. */
static const char *name_of(const iswi_node *node, size_t *size)
{
    const char *text = node->key ? node->key : node->text;

    if (node->type != ISWI_NODE_SCALAR)
        return NULL;
    *size = node->key ? strlen(text) : strcspn(text, "=");
    return iswi_variable_name_valid(text, *size) && (node->key || text[*size]) ? text : NULL;
}

/* A list may name one twice, which the reader of a mapping sees. */
static isw_status check_once(const variables *v, const iswi_node *node, const char *name,
                             size_t size)
{
    for (const iswi_node *other = v->all->children; !node->key && other < node; other++) {
        size_t other_size;
        const char *known = name_of(other, &other_size);

        if (known && other_size == size && strncmp(known, name, size) == 0)
            return iswi_config_refuse(v->config, node, v->error, "\"%.*s\" is given twice",
                                      (int)size, name);
    }
    return ISW_OK;
}

static isw_status refuse(const variables *v, const iswi_node *node)
{
    const char *text = node->key ? node->key : node->text;

    if (node->type != ISWI_NODE_SCALAR)
        return iswi_config_refuse(v->config, node, v->error,
                                  "an entry of \"%s\" must be a text, not %s", v->row->name,
                                  iswi_config_describe(v->config, node));
    return iswi_config_refuse(v->config, node, v->error,
                              "%s is no variable for \"%s\"; write NAME: value, or a list of "
                              "NAME=value",
                              iswi_config_quote(v->config, text), v->row->name);
}

/* NAME=value as a plain text. */
static isw_status check_one(const variables *v, const iswi_node *node)
{
    const isw_option text = { .name = v->row->name, .type = ISW_OPTION_STRING };
    iswi_node joined = *node;
    size_t size;
    const char *name = name_of(node, &size);
    isw_status status;

    if (node->wrong)
        return ISW_OK;
    if (!name)
        return refuse(v, node);
    if (node->key && iswi_node_is_empty(node))
        return iswi_config_refuse(v->config, node, v->error,
                                  "\"%s\" has no value; write \"\" for an empty text", name);
    status = check_once(v, node, name, size);
    if (status != ISW_OK)
        return status;
    if (node->key)
        joined.text = iswi_arena_printf(&v->config->arena, "%s=%s", name, node->text);
    joined.quoted = true;
    return joined.text ? iswi_check_scalar(v->config, &text, &joined, v->out, v->error)
                       : iswi_config_no_memory(v->config, v->error);
}

isw_status iswi_check_variables(iswi_config *config, const isw_option *row, const iswi_node *node,
                                iswi_buffer *out, isw_error *error)
{
    const variables v = { config, row, node, out, error };
    isw_status all = ISW_OK;

    if (node->type == ISWI_NODE_SCALAR && !iswi_node_is_empty(node))
        return iswi_config_refuse_at(config, iswi_node_place(node), error,
                                     "\"%s\" must be a mapping of names to values, or a list of "
                                     "NAME=value, not %s", row->name,
                                     iswi_config_describe(config, node));
    if (node->child_count > MOST)
        return iswi_config_refuse(config, node, error, "\"%s\" has more than %d entries",
                                  row->name, MOST);
    iswi_buffer_append_text(out, "[");
    for (size_t i = 0; i < node->child_count; i++) {
        if (!iswi_faults_go_on(config->faults, check_one(&v, &node->children[i]), &all))
            break;
        iswi_buffer_append_text(out, ",\n");
    }
    iswi_buffer_append_text(out, "]");
    return all;
}
