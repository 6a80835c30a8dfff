/* SPDX-License-Identifier: Apache-2.0 */
/* How functions are described, for whoever describes them to others: copies, in the host's arena. */
#include "host/engine/engine.h"
#include "value/copy.h"

static bool copy_binding(iswi_arena *arena, const iswi_wire_binding *from, iswi_wire_binding *out)
{
    out->direction = from->direction;
    return iswi_str_copy(arena, from->name, &out->name) &&
           iswi_str_copy(arena, from->type, &out->type) &&
           iswi_pairs_copy(arena, &from->properties, &out->properties);
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
    if (!bindings || !iswi_str_copy(arena, wire->trigger_type, &type) ||
        !iswi_str_copy(arena, binding, &binding))
        return false;
    own->trigger_type = type.data;
    own->trigger_binding = binding.data;
    return iswi_pairs_copy(arena, &wire->trigger, &own->given) &&
           iswi_pairs_copy(arena, &wire->metadata, &own->metadata);
}

const iswi_description *iswi_function_description(const iswi_host_function *function)
{
    return &function->description;
}
