/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as the host tells of them, and says in which members of values: PROTOCOL.md, "Queues". */
#include "worker/context/failure.h"

#include <isoworker/queue.h>
#include <isoworker/stream.h>
#include <string.h>

enum { PRIORITY_MOST = 100, TEXT_MOST = 255 /* bytes */ };

/* -- Getting ----------------------------------------------------------------------------------- */

static bool is_queue(const isw_context *ctx)
{
    const char *type = ctx->bound->function->trigger.type;

    return strcmp(type, "queue") == 0 || strcmp(type, "file") == 0;
}

/* What is told of each of a batch; NULL: it is no batch. */
static const isw_value *batch_of(const isw_context *ctx)
{
    const isw_value *list = isw_context_trigger_metadata(ctx, "messages");

    return list && list->type == ISW_VALUE_ARRAY && ctx->trigger.type == ISW_VALUE_ARRAY &&
                   list->as.array.count == ctx->trigger.as.array.count
               ? list
               : NULL;
}

size_t isw_queue_count(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    const isw_value *batch = batch_of(ctx);

    if (!is_queue(ctx))
        return 0;
    return batch ? batch->as.array.count : 1;
}

static isw_str text_of(const isw_value *value)
{
    return value->type == ISW_VALUE_STRING ? value->as.string : (isw_str){ "", 0 };
}

static int64_t number_of(const isw_value *value)
{
    return value->type == ISW_VALUE_INT ? value->as.integer : 0;
}

static void take_member(const isw_named_value *member, isw_queue_message *out)
{
    const struct {
        const char *name;
        isw_str *text;
    } texts[] = { { "id", &out->id },
                  { "queue", &out->queue },
                  { "key", &out->key },
                  { "content_type", &out->content_type },
                  { "last_error", &out->last_error } };
    const isw_value *value = &member->value;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (isw_str_equal(member->name, isw_str_of(texts[i].name)))
            *texts[i].text = text_of(value);
    if (isw_str_equal(member->name, isw_str_of("dequeue_count")))
        out->dequeue_count = (uint32_t)number_of(value);
    else if (isw_str_equal(member->name, isw_str_of("max_dequeue_count")))
        out->max_dequeue_count = (uint32_t)number_of(value);
    else if (isw_str_equal(member->name, isw_str_of("priority")))
        out->priority = (int32_t)number_of(value);
    else if (isw_str_equal(member->name, isw_str_of("inserted_ms")))
        out->inserted_ms = number_of(value);
    else if (isw_str_equal(member->name, isw_str_of("expires_ms")))
        out->expires_ms = number_of(value);
}

isw_status isw_queue_message_at(isw_context *ctx, size_t index, isw_queue_message *out)
{
    ISWI_ALIVE(ctx);
    const isw_value *batch = batch_of(ctx);
    isw_map members = ctx->trigger_metadata;

    *out = (isw_queue_message){ .body = &ctx->trigger };
    if (index >= isw_queue_count(ctx))
        return iswi_misuse(ctx, ISW_E_NOT_FOUND, "there is no message %zu: it was given %zu", index,
                           isw_queue_count(ctx));
    if (batch) {
        const isw_value *told = &batch->as.array.items[index];

        members = told->type == ISW_VALUE_MAP ? told->as.map : (isw_map){ NULL, 0 };
        out->body = &ctx->trigger.as.array.items[index];
    }
    for (size_t i = 0; i < members.count; i++)
        take_member(&members.items[i], out);
    return ISW_OK;
}

/* -- Settling ---------------------------------------------------------------------------------- */

isw_status isw_queue_settle(isw_context *ctx, size_t index, isw_queue_verdict verdict,
                            uint32_t delay_ms, const char *reason)
{
    static const char *const verdicts[] = { "complete", "abandon", "defer", "dead_letter",
                                            "extend" };
    const isw_named_value members[] = {
        isw_named("index", isw_value_int((int64_t)index)),
        isw_named("verdict", isw_value_string(verdicts[verdict])),
        isw_named("delay_ms", isw_value_int(delay_ms)),
        isw_named("reason", isw_value_string(reason ? reason : "")),
    };
    isw_value value = isw_value_map(members, sizeof members / sizeof members[0]);

    ISWI_ALIVE(ctx);
    if (index >= isw_queue_count(ctx))
        return iswi_misuse(ctx, ISW_E_NOT_FOUND, "there is no message %zu to settle: it was given "
                           "%zu", index, isw_queue_count(ctx));
    return isw_context_emit(ctx, "$settle", &value);
}

/* -- Putting ----------------------------------------------------------------------------------- */

static isw_status check_priority(isw_context *ctx, const isw_queue_options *options)
{
    if (options->priority >= -PRIORITY_MOST && options->priority <= PRIORITY_MOST)
        return ISW_OK;
    return iswi_misuse(ctx, ISW_E_INVALID, "isw_queue_put: the priority %d is not from -%d to %d",
                       (int)options->priority, PRIORITY_MOST, PRIORITY_MOST);
}

static isw_status check_text(isw_context *ctx, const char *what, const char *text)
{
    if (!text || strlen(text) <= TEXT_MOST)
        return ISW_OK;
    return iswi_misuse(ctx, ISW_E_INVALID,
                       "isw_queue_put: the %s of a message has at most %d bytes, not %zu", what,
                       TEXT_MOST, strlen(text));
}

static isw_status check_options(isw_context *ctx, const isw_queue_options *options)
{
    if (!options)
        return ISW_OK;
    if (check_text(ctx, "id", options->id) != ISW_OK ||
        check_text(ctx, "key", options->key) != ISW_OK)
        return ISW_E_INVALID;
    return check_priority(ctx, options);
}

isw_status isw_queue_put(isw_context *ctx, const char *output, const isw_value *body,
                         const isw_queue_options *options)
{
    isw_named_value members[5];
    isw_named_value whole[2];
    isw_value value;
    size_t count = 0;

    ISWI_ALIVE(ctx);
    if (iswi_needs(ctx, __func__, "body", body) != ISW_OK ||
        check_options(ctx, options) != ISW_OK)
        return ISW_E_INVALID;
    if (options && options->id)
        members[count++] = isw_named("id", isw_value_string(options->id));
    if (options && options->key)
        members[count++] = isw_named("key", isw_value_string(options->key));
    if (options && options->delay_ms)
        members[count++] = isw_named("delay_ms", isw_value_int(options->delay_ms));
    if (options && options->expires_ms)
        members[count++] = isw_named("expires_ms", isw_value_int(options->expires_ms));
    if (options && options->priority)
        members[count++] = isw_named("priority", isw_value_int(options->priority));
    whole[0] = isw_named("$queue", isw_value_map(members, count));
    whole[1] = isw_named("body", *body);
    value = isw_value_map(whole, 2);
    return isw_context_emit(ctx, output, &value);
}
