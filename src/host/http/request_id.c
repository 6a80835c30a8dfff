/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/request_id.h"

#include "base/clock.h"
#include "url/fields.h"

static const char name[] = "x-request-id";

bool iswi_request_ids_init(iswi_request_ids *ids)
{
    atomic_init(&ids->next, 1);
    return iswi_random(ids->prefix, sizeof ids->prefix);
}

static bool is_named(const isw_pair *header)
{
    return isw_str_equal(header->name, (isw_str){ name, sizeof name - 1 });
}

static char *make(iswi_request_ids *ids, iswi_arena *arena)
{
    uint64_t number = atomic_fetch_add_explicit(&ids->next, 1, memory_order_relaxed);
    char *text = iswi_arena_alloc(arena, ISWI_REQUEST_ID_OWN + 1);
    unsigned char id[ISWI_REQUEST_ID_OWN / 2];

    memcpy(id, ids->prefix, sizeof ids->prefix);
    for (size_t i = sizeof id; i > sizeof ids->prefix; i--, number >>= 8)
        id[i - 1] = (unsigned char)number;
    if (text)
        iswi_hex(id, sizeof id, text);
    return text;
}

/* The headers without those of that name, and with one that has `id`. */
static bool put(isw_http *data, isw_str id, iswi_arena *arena)
{
    const isw_pairs *from = &data->headers;
    isw_pair *items = iswi_arena_alloc(arena, (from->count + 1) * sizeof *items);
    size_t count = 0;

    if (!items)
        return false;
    for (size_t i = 0; i < from->count; i++)
        if (!is_named(&from->items[i]))
            items[count++] = from->items[i];
    items[count++] = (isw_pair){ { name, sizeof name - 1 }, id };
    data->headers = (isw_pairs){ items, count };
    return true;
}

bool iswi_request_id_set(iswi_request_ids *ids, isw_http *data, iswi_arena *arena, isw_str *id)
{
    const isw_pair *found = NULL;
    size_t count = 0;
    char *made;

    for (size_t i = 0; i < data->headers.count; i++)
        if (is_named(&data->headers.items[i])) {
            found = &data->headers.items[i];
            count++;
        }
    if (count == 1 && found->value.size <= ISWI_REQUEST_ID_MAX &&
        iswi_field_is_token(found->value)) {
        *id = found->value;
        return true;
    }
    made = make(ids, arena);
    *id = (isw_str){ made, ISWI_REQUEST_ID_OWN };
    return made && put(data, *id, arena);
}
