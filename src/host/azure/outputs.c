/* SPDX-License-Identifier: Apache-2.0 */
/* What a call has put out, as its response has it. */
#include "host/azure/outbox.h"

static bool came_before(const iswi_azure_outbox *own, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(own->items[i].name, own->items[index].name) == 0)
            return true;
    return false;
}

/* All of one name: one as it is, several as an array, which is JSON there. */
static const iswi_rpc_data *gather(const iswi_azure_outbox *own, const char *name,
                                   iswi_arena *arena)
{
    iswi_rpc_data *data = iswi_arena_calloc(arena, 1, sizeof *data);
    isw_value *values = iswi_arena_calloc(arena, own->count, sizeof *values);
    isw_value all;
    size_t count = 0;

    if (!data || !values)
        return NULL;
    for (size_t i = 0; i < own->count; i++)
        if (strcmp(own->items[i].name, name) == 0)
            values[count++] = own->items[i].value;
    all = isw_value_array(values, count);
    return iswi_azure_data(count == 1 ? values : &all, arena, data, NULL) == ISW_OK ? data : NULL;
}

bool iswi_azure_outputs(const iswi_outbox *box, iswi_arena *arena, iswi_proto_list *out)
{
    const iswi_azure_outbox *own = (const iswi_azure_outbox *)box;
    iswi_rpc_named *items = iswi_arena_calloc(arena, own->count + 1, sizeof *items);
    size_t count = 0;

    for (size_t i = 0; items && i < own->count; i++) {
        if (came_before(own, i))
            continue;
        items[count] = (iswi_rpc_named){ .name = isw_str_of(own->items[i].name),
                                         .which = 2,
                                         .data = gather(own, own->items[i].name, arena) };
        if (!items[count++].data)
            return false;
    }
    *out = (iswi_proto_list){ items, count };
    return items != NULL;
}
