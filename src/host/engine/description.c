/* SPDX-License-Identifier: Apache-2.0 */
/* How functions are described, for whoever describes them to others: copies, in the host's arena. */
#include "host/engine/engine.h"

static bool copy_text(iswi_arena *arena, isw_str from, isw_str *out)
{
    *out = (isw_str){ iswi_arena_strndup(arena, from.data, from.size), from.size };
    return out->data != NULL;
}

static bool copy_pairs(iswi_arena *arena, const isw_pairs *from, isw_pairs *out)
{
    isw_pair *items = iswi_arena_calloc(arena, from->count + 1, sizeof *items);

    for (size_t i = 0; items && i < from->count; i++)
        if (!copy_text(arena, from->items[i].name, &items[i].name) ||
            !copy_text(arena, from->items[i].value, &items[i].value))
            return false;
    *out = (isw_pairs){ items, from->count };
    return items != NULL;
}

static bool copy_binding(iswi_arena *arena, const iswi_wire_binding *from, iswi_wire_binding *out)
{
    out->direction = from->direction;
    return copy_text(arena, from->name, &out->name) && copy_text(arena, from->type, &out->type) &&
           copy_pairs(arena, &from->properties, &out->properties);
}

bool iswi_description_take(iswi_host *host, iswi_host_function *function,
                           const iswi_wire_function *wire)
{
    iswi_description *own = &function->description;
    iswi_arena *arena = &host->arena;
    iswi_wire_binding *bindings =
        iswi_arena_calloc(arena, wire->bindings.count + 1, sizeof *bindings);
    isw_str type;
    isw_str binding = wire->trigger_binding.size ? wire->trigger_binding : isw_str_of("trigger");

    for (size_t i = 0; bindings && i < wire->bindings.count; i++)
        if (!copy_binding(arena, &wire->bindings.items[i], &bindings[i]))
            return false;
    own->bindings = bindings;
    own->binding_count = wire->bindings.count;
    if (!bindings || !copy_text(arena, wire->trigger_type, &type) ||
        !copy_text(arena, binding, &binding))
        return false;
    own->trigger_type = type.data;
    own->trigger_binding = binding.data;
    return copy_pairs(arena, &wire->trigger, &own->given) &&
           copy_pairs(arena, &wire->metadata, &own->metadata);
}

const iswi_description *iswi_function_description(const iswi_host_function *function)
{
    return &function->description;
}
