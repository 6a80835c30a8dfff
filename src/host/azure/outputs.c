/* SPDX-License-Identifier: Apache-2.0 */
/* What an invocation has put out, as its response has it. */
#include "host/azure/names.h"
#include "host/azure/outbox.h"

/* All of its calls, in a row; NULL: no memory. */
static const iswi_azure_item **list(const iswi_azure_outbox *first, iswi_arena *arena,
                                    size_t *count)
{
    const iswi_azure_item **items;

    *count = 0;
    for (const iswi_azure_outbox *at = first; at; at = at->next)
        *count += at->count;
    items = iswi_arena_calloc(arena, *count + 1, sizeof *items);
    *count = 0;
    for (const iswi_azure_outbox *at = first; items && at; at = at->next)
        for (size_t i = 0; i < at->count; i++)
            items[(*count)++] = &at->items[i];
    return items;
}

static bool came_before(const iswi_azure_item *const *items, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(items[i]->name, items[index]->name) == 0)
            return true;
    return false;
}

/* All of one name: one as it is, several as an array, which is JSON there. */
static const iswi_rpc_data *gather(const iswi_azure_item *const *items, size_t count,
                                   const char *name, iswi_arena *arena)
{
    iswi_rpc_data *data = iswi_arena_calloc(arena, 1, sizeof *data);
    isw_value *values = iswi_arena_calloc(arena, count, sizeof *values);
    isw_value all;
    size_t found = 0;

    if (!data || !values)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i]->name, name) == 0)
            values[found++] = items[i]->value;
    all = isw_value_array(values, found);
    return iswi_azure_data(found == 1 ? values : &all, arena, data, NULL) == ISW_OK ? data : NULL;
}

/* As it was told, in the arena. */
static isw_str name_of(const iswi_azure_item *item, iswi_arena *arena)
{
    char called[ISWI_AZURE_NAME_BYTES];

    iswi_azure_binding_name(isw_str_of(item->name), called);
    return isw_str_of(iswi_arena_strndup(arena, called, strlen(called)));
}

bool iswi_azure_outputs(const iswi_outbox *box, iswi_arena *arena, iswi_proto_list *out)
{
    size_t given;
    const iswi_azure_item **items = list((const iswi_azure_outbox *)box, arena, &given);
    iswi_rpc_named *told = items ? iswi_arena_calloc(arena, given + 1, sizeof *told) : NULL;
    size_t count = 0;

    for (size_t i = 0; told && i < given; i++) {
        if (came_before(items, i))
            continue;
        told[count] = (iswi_rpc_named){ .name = name_of(items[i], arena),
                                        .which = 2,
                                        .data = gather(items, given, items[i]->name, arena) };
        if (!told[count].name.data || !told[count++].data)
            return false;
    }
    *out = (iswi_proto_list){ told, count };
    return told != NULL;
}
