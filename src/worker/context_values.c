/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into a function and what comes out of it. */
#include "worker/context.h"

static const isw_value *find(const isw_named_value *items, size_t count, isw_str name)
{
    for (size_t i = 0; i < count; i++)
        if (isw_str_equal(items[i].name, name))
            return &items[i].value;
    return NULL;
}

static isw_status put(isw_context *ctx, iswi_named_bag *bag, const char *name,
                      const isw_value *data)
{
    isw_value *known = (isw_value *)find(bag->items, bag->count, isw_str_of(name));
    char *copy;

    if (known) {
        *known = *data;
        return ISW_OK;
    }
    copy = isw_context_strndup(ctx, name, strlen(name));
    if (!copy || !iswi_context_grow(ctx, &bag->items, &bag->capacity, bag->count,
                                    sizeof *bag->items))
        return ISW_E_NO_MEMORY;
    bag->items[bag->count++] = (isw_named_value){ isw_str_of(copy), *data };
    return ISW_OK;
}

static const char *trigger_binding(const isw_context *ctx)
{
    const char *name = ctx->entry->function->trigger.binding;

    return name ? name : "trigger";
}

const isw_value *isw_context_trigger(const isw_context *ctx)
{
    return &ctx->trigger;
}

const isw_value *isw_context_input(const isw_context *ctx, const char *name)
{
    const isw_value *own = find(ctx->own_inputs.items, ctx->own_inputs.count, isw_str_of(name));

    if (own)
        return own;
    if (strcmp(name, trigger_binding(ctx)) == 0)
        return &ctx->trigger;
    return find(ctx->inputs.items, ctx->inputs.count, isw_str_of(name));
}

const isw_value *isw_context_trigger_metadata(const isw_context *ctx, const char *name)
{
    return find(ctx->trigger_metadata.items, ctx->trigger_metadata.count, isw_str_of(name));
}

isw_status isw_context_set_input(isw_context *ctx, const char *name, const isw_value *data)
{
    if (strcmp(name, trigger_binding(ctx)) == 0) {
        ctx->trigger = *data;
        return ISW_OK;
    }
    return put(ctx, &ctx->own_inputs, name, data);
}

const isw_value *isw_context_result(const isw_context *ctx)
{
    return ctx->has_result ? &ctx->result : NULL;
}

isw_status isw_context_set_result(isw_context *ctx, const isw_value *data)
{
    ctx->has_result = data != NULL;
    if (data)
        ctx->result = *data;
    return ISW_OK;
}

const isw_value *isw_context_output(const isw_context *ctx, const char *name)
{
    return find(ctx->outputs.items, ctx->outputs.count, isw_str_of(name));
}

isw_status isw_context_set_output(isw_context *ctx, const char *name, const isw_value *data)
{
    const isw_binding *binding = ctx->entry->function->bindings;

    while (binding && binding->name && strcmp(binding->name, name) != 0)
        binding++;
    if (!binding || !binding->name || binding->direction == ISW_IN)
        return ISW_E_NOT_FOUND;
    return put(ctx, &ctx->outputs, name, data);
}
