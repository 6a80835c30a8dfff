/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs that leave before the answer does. Without a host that takes them they are kept in the
 * invocation's arena, as frames: a frame is a copy that points to nothing else, and what cannot
 * travel is refused either way. */
#include "worker/context/failure.h"

#include <isoworker/stream.h>

static isw_status refuse(isw_context *ctx, isw_status status, const char *name, const char *why)
{
    switch (status) {
    case ISW_E_INVALID:
    case ISW_E_TOO_LARGE:
        return iswi_misuse(ctx, status, "a value of output \"%s\" cannot travel: %s", name, why);
    case ISW_E_NO_MEMORY:
        return iswi_fail(ctx, status, "no memory for a value of output \"%s\"", name);
    default:
        return iswi_fail(ctx, ISW_E_IO, "a value of output \"%s\" could not be sent: the host is "
                                        "gone", name);
    }
}

/* A copy of the frame in the arena, read back. */
static isw_status copy_frame(isw_context *ctx, const iswi_frame *frame, iswi_frame *copy,
                             isw_error *error)
{
    iswi_buffer *piece = iswi_body_piece(&ctx->body);
    isw_status status = iswi_frame_encode(frame, piece, error);
    void *bytes = NULL;
    size_t used;

    if (status != ISW_OK)
        return status;
    bytes = iswi_arena_alloc(&ctx->arena, piece->size);
    if (!bytes)
        return ISW_E_NO_MEMORY;
    memcpy(bytes, piece->data, piece->size);
    return iswi_frame_decode(bytes, piece->size, &ctx->arena, copy, &used, error);
}

static isw_status keep(isw_context *ctx, const iswi_frame *frame, isw_error *error)
{
    iswi_named_bag *bag = &ctx->emitted;
    iswi_frame copy;
    isw_status status = copy_frame(ctx, frame, &copy, error);

    if (status != ISW_OK)
        return status;
    if (!iswi_context_grow(ctx, &bag->items, &bag->capacity, bag->count, sizeof *bag->items))
        return ISW_E_NO_MEMORY;
    bag->items[bag->count++] = (isw_named_value){ copy.as.output.name, copy.as.output.value };
    return ISW_OK;
}

isw_status isw_context_emit(isw_context *ctx, const char *name, const isw_value *value)
{
    ISWI_ALIVE(ctx);
    iswi_frame frame = { .kind = ISWI_OUTPUT };
    isw_status status = iswi_context_may_add(ctx);
    isw_error error = { ISW_OK, "" };

    if (status == ISW_OK)
        status = iswi_context_has_output(ctx, name);
    if (status == ISW_OK)
        status = iswi_needs(ctx, __func__, "value", value);
    if (status != ISW_OK)
        return status;
    frame.as.output.name = isw_str_of(name);
    frame.as.output.value = *value;
    if (ctx->host)
        status = ctx->host->send(ctx->host->user, ctx, &frame, &error);
    else
        status = keep(ctx, &frame, &error);
    return status == ISW_OK ? ISW_OK : refuse(ctx, status, name, error.message);
}

/* -- The end ----------------------------------------------------------------------------------- */

static size_t count_of(const iswi_named_bag *bag, isw_str name)
{
    size_t count = 0;

    for (size_t i = 0; i < bag->count; i++)
        count += isw_str_equal(bag->items[i].name, name);
    return count;
}

/* All values of `name`, the one that was set last. */
static isw_status settle_one(isw_context *ctx, isw_str name, const char *text)
{
    const isw_value *set = isw_context_output(ctx, text);
    size_t count = count_of(&ctx->emitted, name) + (set != NULL);
    isw_value *items = iswi_arena_alloc(&ctx->arena, count * sizeof *items);
    isw_value value;
    size_t at = 0;

    if (!items)
        return ISW_E_NO_MEMORY;
    for (size_t i = 0; i < ctx->emitted.count; i++)
        if (isw_str_equal(ctx->emitted.items[i].name, name))
            items[at++] = ctx->emitted.items[i].value;
    if (set)
        items[at++] = *set;
    value = count == 1 ? items[0] : isw_value_array(items, count);
    return isw_context_set_output(ctx, text, &value);
}

isw_status iswi_emit_settle(isw_context *ctx)
{
    const isw_binding *at = ctx->bound->function->bindings;
    isw_status status = ISW_OK;

    for (; at->name && status == ISW_OK; at++)
        if (count_of(&ctx->emitted, isw_str_of(at->name)))
            status = settle_one(ctx, isw_str_of(at->name), at->name);
    if (status == ISW_OK && count_of(&ctx->emitted, isw_str_of("$settle")))
        status = settle_one(ctx, isw_str_of("$settle"), "$settle");
    ctx->emitted.count = 0;
    if (status != ISW_OK)
        return iswi_fail(ctx, status, "no memory for what was emitted");
    return ISW_OK;
}
