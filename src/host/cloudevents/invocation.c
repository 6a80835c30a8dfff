/* SPDX-License-Identifier: Apache-2.0 */
/* An event as its function is given it: an HTTP request whose body is the data, and the attributes
 * beside what is known of the request (PROTOCOL.md, section 19). */
#include "host/cloudevents/internal.h"
#include "url/fields.h"

/* Without those that spoke of the event as a whole. */
static bool copy_headers(const isw_pairs *given, isw_str type, iswi_arena *arena, isw_pairs *out)
{
    isw_pair *headers = iswi_arena_calloc(arena, given->count + 1, sizeof *headers);
    size_t count = 0;

    for (size_t i = 0; headers && i < given->count; i++)
        if (!iswi_field_equal(given->items[i].name, "content-type") &&
            !iswi_field_equal(given->items[i].name, "content-length"))
            headers[count++] = given->items[i];
    if (headers && type.size)
        headers[count++] = (isw_pair){ isw_str_of("content-type"), type };
    *out = (isw_pairs){ headers, count };
    return headers != NULL;
}

bool iswi_event_fill(const iswi_event *event, bool as_it_came, iswi_arena *arena, iswi_call *call)
{
    const isw_map known = call->trigger_metadata;
    isw_named_value *metadata = iswi_arena_calloc(arena, known.count + 1, sizeof *metadata);
    isw_http *request = iswi_arena_alloc(arena, sizeof *request);

    if (!metadata || !request)
        return false;
    *request = *call->trigger.as.http;
    if (!as_it_came && !copy_headers(&request->headers, iswi_event_text(event, "datacontenttype"),
                                     arena, &request->headers))
        return false;
    request->body = event->data;
    if (known.count)
        memcpy(metadata, known.items, known.count * sizeof *metadata);
    metadata[known.count] =
        isw_named("cloudevent", isw_value_map(event->attributes, event->count));
    call->trigger.as.http = request;
    call->trigger_metadata = (isw_map){ metadata, known.count + 1 };
    return true;
}
