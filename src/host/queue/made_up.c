/* SPDX-License-Identifier: Apache-2.0 */
/* A message that nobody has put and nobody keeps: whatever becomes of its call, it is not there
 * again, and what the function says of it changes nothing. */
#include "base/clock.h"
#include "host/queue/internal.h"

/* What it is delivered as; NULL: no memory. */
static iswi_delivered *create(const iswi_feed_kind *kind, const iswi_entry *entry,
                              unsigned max_attempts, iswi_arena *arena)
{
    iswi_consumer *consumer = iswi_arena_calloc(arena, 1, sizeof *consumer);
    iswi_delivered *delivered = iswi_arena_calloc(arena, 1, sizeof *delivered);
    iswi_delivery *message = iswi_arena_calloc(arena, 1, sizeof *message);
    iswi_delivery **items = iswi_arena_calloc(arena, 1, sizeof(iswi_delivery *));

    if (!consumer || !delivered || !message || !items)
        return NULL;
    iswi_consumer_of(consumer, entry, kind);
    consumer->max_attempts = max_attempts;
    items[0] = message;
    delivered->consumer = consumer;
    delivered->items = items;
    delivered->count = 1;
    return delivered;
}

isw_status iswi_queue_make_up(const iswi_feed_kind *kind, const iswi_entry *entry,
                              unsigned max_attempts, const iswi_made_up *event,
                              iswi_arena *arena, iswi_call *call, isw_error *error)
{
    bool text = event->data.type == ISW_VALUE_STRING || event->data.type == ISW_VALUE_JSON;
    iswi_delivered *delivered = create(kind, entry, max_attempts, arena);
    iswi_delivery *message;

    if (!delivered)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a message");
    message = delivered->items[0];
    message->queue = isw_str_of(delivered->consumer->queue);
    message->id = isw_str_of("invoked");
    message->body = isw_value_payload(&event->data);
    message->content_type = event->content_type.size ? event->content_type
                            : text ? isw_str_of("text/plain")
                                   : isw_str_of("application/octet-stream");
    message->attempt = 1;
    message->put_ms = message->due_ms = iswi_wall_us() / 1000;
    return iswi_queue_values(delivered, arena, call)
               ? ISW_OK
               : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a message");
}
