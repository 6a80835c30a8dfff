/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message as its function sees it. One: the trigger is its body, and the metadata has the rest.
 * Several: the trigger is an array of bodies, and "messages" of the metadata an array of maps.
 */
#include "host/queue/internal.h"
#include "value/value.h"

enum { MEMBERS = 10 }; /* at most, besides those that are not ours */

static isw_value body_of(const iswi_delivered *delivered, const iswi_delivery *message,
                         iswi_arena *arena)
{
    const iswi_feed_kind *kind = delivered->consumer->kind;

    return kind->body ? kind->body(message, arena)
                      : iswi_body_by_type(message->body, message->content_type);
}

/* NULL: no memory. */
static isw_named_value *describe(const iswi_delivered *delivered, size_t index, iswi_arena *arena,
                                 size_t *described)
{
    const iswi_consumer *consumer = delivered->consumer;
    const iswi_delivery *message = delivered->items[index];
    const isw_map more = delivered->more ? delivered->more[index] : (isw_map){ NULL, 0 };
    isw_named_value *out = iswi_arena_calloc(arena, MEMBERS + more.count, sizeof *out);
    size_t count = 0;

    if (!out)
        return NULL;

    out[count++] = isw_named("id", isw_value_text(message->id));
    out[count++] = isw_named("queue", isw_value_string(consumer->queue));
    out[count++] = isw_named("dequeue_count", isw_value_int(message->attempt));
    out[count++] = isw_named("max_dequeue_count", isw_value_int(consumer->max_attempts));
    out[count++] = isw_named("inserted_ms", isw_value_int(message->put_ms));
    out[count++] = isw_named("priority", isw_value_int(message->priority));
    if (message->key.size)
        out[count++] = isw_named("key", isw_value_text(message->key));
    if (message->content_type.size)
        out[count++] = isw_named("content_type", isw_value_text(message->content_type));
    if (message->expires_ms)
        out[count++] = isw_named("expires_ms", isw_value_int(message->expires_ms));
    if (message->last_error.size)
        out[count++] = isw_named("last_error", isw_value_text(message->last_error));
    for (size_t i = 0; i < more.count; i++)
        out[count++] = more.items[i];
    *described = count;
    return out;
}

static bool one(const iswi_delivered *delivered, iswi_arena *arena, iswi_call *call)
{
    const iswi_delivery *message = delivered->items[0];
    unsigned most = delivered->consumer->max_attempts;

    call->trigger = body_of(delivered, message, arena);
    call->trigger_metadata.items = describe(delivered, 0, arena, &call->trigger_metadata.count);
    if (!call->trigger_metadata.items)
        return false;
    if (message->trace.size)
        call->trace.parent = message->trace;
    call->retry = (iswi_wire_retry){ message->attempt ? message->attempt - 1 : 0,
                                     most ? most - 1 : 0, message->last_error };
    return true;
}

static bool several(const iswi_delivered *delivered, iswi_arena *arena, iswi_call *call)
{
    size_t count = delivered->count;
    isw_value *bodies = iswi_arena_calloc(arena, count, sizeof *bodies);
    isw_value *maps = iswi_arena_calloc(arena, count, sizeof *maps);
    isw_named_value *metadata = iswi_arena_calloc(arena, 2, sizeof *metadata);

    if (!bodies || !maps || !metadata)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t described;
        isw_named_value *members = describe(delivered, i, arena, &described);

        if (!members)
            return false;
        bodies[i] = body_of(delivered, delivered->items[i], arena);
        maps[i] = isw_value_map(members, described);
    }
    call->trigger = isw_value_array(bodies, count);
    metadata[0] = isw_named("queue", isw_value_string(delivered->consumer->queue));
    metadata[1] = isw_named("messages", isw_value_array(maps, count));
    call->trigger_metadata = (isw_map){ metadata, 2 };
    return true;
}

bool iswi_queue_values(const iswi_delivered *delivered, iswi_arena *arena, iswi_call *call)
{
    return delivered->consumer->properties->batch_size > 1 ? several(delivered, arena, call)
                                                            : one(delivered, arena, call);
}
