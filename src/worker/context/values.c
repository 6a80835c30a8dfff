/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into a function and what comes out of it. */
#include "worker/context/answer.h"
#include "worker/context/failure.h"

static const isw_value *find(const isw_named_value *items, size_t count, isw_str name)
{
    for (size_t i = 0; i < count; i++)
        if (isw_str_equal(items[i].name, name))
            return &items[i].value;
    return NULL;
}

/* Arrays and maps of a value are often made on the stack: copies of them live as long as the
 * invocation. Text and bytes are not copied. False: no memory. */
static bool keep(isw_context *ctx, isw_value *value)
{
    size_t count = value->type == ISW_VALUE_ARRAY ? value->as.array.count : value->as.map.count;
    isw_named_value *members;
    isw_value *items;
    bool kept = true;

    if (value->type == ISW_VALUE_ARRAY) {
        items = iswi_arena_calloc(&ctx->arena, count, sizeof *items);
        for (size_t i = 0; items && kept && i < count; i++) {
            items[i] = value->as.array.items[i];
            kept = keep(ctx, &items[i]);
        }
        value->as.array.items = items;
        return items && kept;
    }
    if (value->type != ISW_VALUE_MAP)
        return true;
    members = iswi_arena_calloc(&ctx->arena, count, sizeof *members);
    for (size_t i = 0; members && kept && i < count; i++) {
        members[i] = value->as.map.items[i];
        kept = keep(ctx, &members[i].value);
    }
    value->as.map.items = members;
    return members && kept;
}

static isw_status no_memory(isw_context *ctx)
{
    return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for an input, an output or a result");
}

static isw_status put(isw_context *ctx, iswi_named_bag *bag, const char *name,
                      const isw_value *data)
{
    isw_value *known = (isw_value *)find(bag->items, bag->count, isw_str_of(name));
    isw_value kept = *data;
    char *copy;

    if (!keep(ctx, &kept))
        return no_memory(ctx);
    if (known) {
        *known = kept;
        return ISW_OK;
    }
    copy = isw_context_strndup(ctx, name, strlen(name));
    if (!copy || !iswi_context_grow(ctx, &bag->items, &bag->capacity, bag->count,
                                    sizeof *bag->items))
        return no_memory(ctx);
    bag->items[bag->count++] = (isw_named_value){ isw_str_of(copy), kept };
    return ISW_OK;
}

static const char *trigger_binding(const isw_context *ctx)
{
    const char *name = ctx->bound->function->trigger.binding;

    return name ? name : "trigger";
}

const isw_value *isw_context_trigger(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return &ctx->trigger;
}

const isw_value *isw_context_input(const isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    if (name && strcmp(name, trigger_binding(ctx)) == 0)
        return &ctx->trigger;
    return find(ctx->inputs.items, ctx->inputs.count, isw_str_of(name));
}

const isw_value *isw_context_trigger_metadata(const isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    return find(ctx->trigger_metadata.items, ctx->trigger_metadata.count, isw_str_of(name));
}

/* Inputs that were received cannot be changed; copies of them can. */
static bool own_inputs(isw_context *ctx)
{
    iswi_named_bag *bag = &ctx->own_inputs;

    bag->capacity = ctx->inputs.count + 4;
    bag->items = iswi_arena_calloc(&ctx->arena, bag->capacity, sizeof *bag->items);
    if (!bag->items)
        return false;
    if (ctx->inputs.count)
        memcpy(bag->items, ctx->inputs.items, ctx->inputs.count * sizeof *bag->items);
    bag->count = ctx->inputs.count;
    return true;
}

isw_status isw_context_set_input(isw_context *ctx, const char *name, const isw_value *data)
{
    ISWI_ALIVE(ctx);
    isw_status status = iswi_needs(ctx, __func__, "name", name);

    if (status == ISW_OK)
        status = iswi_needs(ctx, __func__, "value", data);
    if (status != ISW_OK)
        return status;
    if (strcmp(name, trigger_binding(ctx)) == 0) {
        ctx->trigger = *data;
        return keep(ctx, &ctx->trigger) ? ISW_OK : no_memory(ctx);
    }
    if (!ctx->own_inputs.items && !own_inputs(ctx))
        return no_memory(ctx);
    status = put(ctx, &ctx->own_inputs, name, data);
    ctx->inputs = (isw_map){ ctx->own_inputs.items, ctx->own_inputs.count };
    return status;
}

isw_map isw_context_inputs(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->inputs;
}

isw_map isw_context_trigger_metadata_all(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->trigger_metadata;
}

/* -- What comes out ---------------------------------------------------------------------------- */

isw_status iswi_context_may_add(isw_context *ctx)
{
    if (!ctx->answered)
        return ISW_OK;
    return iswi_misuse(ctx, ISW_E_CONFLICT, "the answer was sent already");
}

isw_status iswi_context_may_answer(isw_context *ctx)
{
    if (!ctx->head.begun)
        return iswi_context_may_add(ctx);
    return iswi_misuse(ctx, ISW_E_CONFLICT, "the response has begun, and cannot be replaced");
}

const isw_value *isw_context_result(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->has_result ? &ctx->result : NULL;
}

isw_status isw_context_set_result(isw_context *ctx, const isw_value *data)
{
    ISWI_ALIVE(ctx);
    isw_status status = iswi_context_may_answer(ctx);

    if (status == ISW_OK && data)
        status = iswi_answer_check_value(ctx, "the result", "", data);
    if (status != ISW_OK)
        return status;
    ctx->has_result = data != NULL;
    if (!data)
        return ISW_OK;
    ctx->result = *data;
    return keep(ctx, &ctx->result) ? ISW_OK : no_memory(ctx);
}

void iswi_context_reply(isw_context *ctx, int status, isw_bytes body)
{
    ctx->head.reply.status = status;
    ctx->head.reply.body = body;
    ctx->result = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = &ctx->head.reply };
    ctx->has_result = true;
}

void iswi_context_drop_result(isw_context *ctx)
{
    ctx->has_result = false;
}

isw_map isw_context_outputs(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return (isw_map){ ctx->outputs.items, ctx->outputs.count };
}

const isw_value *isw_context_output(const isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    return find(ctx->outputs.items, ctx->outputs.count, isw_str_of(name));
}

void isw_context_start_over(isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    ctx->has_result = ctx->head.begun; /* what has left stays */
    ctx->outputs.count = 0;
    iswi_answer_head_start_over(&ctx->head, NULL);
    iswi_body_start_over(&ctx->body);
    ctx->outcome_decided = false;
    ctx->retry_after_ms = 0;
    ctx->failure_logged = false;
    isw_context_recover(ctx);
}

void isw_context_start_over_from(isw_context *ctx, const isw_mark *mark)
{
    isw_context_start_over(ctx);
    iswi_answer_head_start_over(&ctx->head, mark);
}

/* "receipt, ledger"; "none". */
static const char *declared_outputs(isw_context *ctx)
{
    const char *names = NULL;

    for (const isw_binding *at = ctx->bound->function->bindings; at && at->name; at++)
        if (at->direction != ISW_IN)
            names = names ? isw_context_printf(ctx, "%s, %s", names, at->name) : at->name;
    return names ? names : "none";
}

static bool is_output(const isw_context *ctx, const char *name)
{
    for (const isw_binding *at = ctx->bound->function->bindings; at && at->name; at++)
        if (strcmp(at->name, name) == 0)
            return at->direction != ISW_IN;
    return false;
}

isw_status iswi_context_has_output(isw_context *ctx, const char *name)
{
    if (!name)
        return iswi_misuse(ctx, ISW_E_INVALID, "the name of an output is NULL");
    if (is_output(ctx, name) || strcmp(name, "$settle") == 0) /* queue.h */
        return ISW_OK;
    return iswi_misuse(ctx, ISW_E_NOT_FOUND, "function %s has no output \"%s\"; declared: %s",
                     ctx->bound->function->name, name, declared_outputs(ctx));
}

static void remove_output(isw_context *ctx, const char *name)
{
    iswi_named_bag *bag = &ctx->outputs;
    size_t kept = 0;

    for (size_t i = 0; i < bag->count; i++)
        if (!isw_str_equal(bag->items[i].name, isw_str_of(name)))
            bag->items[kept++] = bag->items[i];
    bag->count = kept;
}

isw_status isw_context_set_output(isw_context *ctx, const char *name, const isw_value *data)
{
    ISWI_ALIVE(ctx);
    isw_status status = iswi_context_may_add(ctx);

    if (status == ISW_OK)
        status = iswi_context_has_output(ctx, name);
    if (status != ISW_OK)
        return status;
    if (!data) {
        remove_output(ctx, name);
        return ISW_OK;
    }
    status = iswi_answer_check_value(ctx, "the value of output ", name, data);
    return status != ISW_OK ? status : put(ctx, &ctx->outputs, name, data);
}
