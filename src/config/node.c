/* SPDX-License-Identifier: Apache-2.0 */
#include "config/node.h"

#include <string.h>

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
