/* SPDX-License-Identifier: Apache-2.0 */
#include "host/operate/message_shown.h"

#include "base/text.h"
#include "host/webhooks/request.h"
#include "url/fields.h"

const char *const iswi_message_states[] = { "ready", "delayed", "claimed", "dead", NULL };

static const char *copy(iswi_arena *arena, isw_str text)
{
    return text.size ? iswi_arena_strndup(arena, text.data, text.size) : NULL;
}

/* A request that is to be sent is shown as whoever put it did: its headers apart, and its body. */
static void show_request(iswi_arena *arena, const iswi_delivery *item,
                         iswi_report_message *out, isw_bytes *body)
{
    isw_pairs headers;

    if (!isw_str_equal(item->content_type, isw_str_of(ISWI_REQUEST_TYPE)) ||
        !iswi_request_unpack(item, arena, &headers, body))
        return;
    out->content_type = NULL;
    out->headers = iswi_arena_calloc(arena, headers.count + 1, sizeof *out->headers);
    for (size_t i = 0; out->headers && i < headers.count; i++) {
        const isw_pair *header = &headers.items[i];

        if (iswi_field_equal(header->name, "content-type"))
            out->content_type = copy(arena, header->value);
        out->headers[out->header_count] =
            iswi_arena_printf(arena, "%.*s: %.*s", (int)header->name.size,
                              header->name.data, (int)header->value.size, header->value.data);
        out->header_count += out->headers[out->header_count] != NULL;
    }
}

iswi_report_message iswi_message_shown(const iswi_delivery *item, iswi_arena *arena)
{
    iswi_report_message row = {
        .id = copy(arena, item->id),
        .state = iswi_message_states[item->state],
        .key = copy(arena, item->key),
        .content_type = copy(arena, item->content_type),
        .last_error = copy(arena, item->last_error),
        .attempts = item->attempt,
        .priority = item->priority,
        .put_ms = item->put_ms,
        .due_ms = item->due_ms,
        .expires_ms = item->expires_ms,
        .died_ms = item->died_ms,
    };
    isw_bytes body = item->body;

    show_request(arena, item, &row, &body);
    row.size = (int64_t)body.size;
    if (iswi_utf8_valid(body.data, body.size) && !memchr(body.data ? body.data : "", 0, body.size))
        row.body = copy(arena, (isw_str){ body.data, body.size });
    else
        row.body_bytes = body;
    return row;
}
