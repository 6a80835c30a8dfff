/* SPDX-License-Identifier: Apache-2.0 */
/* Anything as an event, in structured mode and in binary mode: what is one is the same when it was
 * written in either and read again. */
#include "host/cloudevents/event.h"

#include "base/text.h"
#include "value/value.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void must_be_the_same(const iswi_event *one, const iswi_event *other)
{
    must(one->count == other->count);
    for (size_t i = 0; i < one->count; i++) {
        const isw_named_value *attribute = &one->attributes[i];
        char name[101];

        if (attribute->value.type != ISW_VALUE_STRING)
            continue;
        must(attribute->name.size < sizeof name);
        memcpy(name, attribute->name.data, attribute->name.size);
        name[attribute->name.size] = '\0';
        must(isw_str_equal(iswi_event_text(other, name), attribute->value.as.string));
    }
}

static void must_have_the_same_data(const iswi_event *one, const iswi_event *other)
{
    must(one->data.size == other->data.size &&
         (!one->data.size || memcmp(one->data.data, other->data.data, one->data.size) == 0));
}

static void go_round(const iswi_event *event, iswi_arena *arena)
{
    isw_error error = { ISW_OK, "" };
    isw_http request = { .body = event->data };
    iswi_event again;
    isw_bytes json;
    isw_value map;

    must(iswi_event_to_headers(event, arena, &request.headers));
    must(iswi_event_of_headers(&request, arena, &again, &error) == ISW_OK);
    must_be_the_same(event, &again);
    must_have_the_same_data(event, &again);
    if (iswi_event_to_json(event, arena, &json, &error) != ISW_OK)
        return; /* data in binary mode that is not the JSON that it says */
    must(iswi_json_parse(arena, (isw_str){ json.data, json.size }, &map, &error) == ISW_OK);
    must(iswi_event_of_map(&map, arena, &again, &error) == ISW_OK);
    must_be_the_same(event, &again);
    if (!iswi_type_is_json(iswi_event_text(event, "datacontenttype")))
        must_have_the_same_data(event, &again);
}

static void try_map(const isw_value *map, iswi_arena *arena)
{
    isw_error error = { ISW_OK, "" };
    iswi_event event;

    if (iswi_event_of_map(map, arena, &event, &error) == ISW_OK)
        go_round(&event, arena);
    else
        must(error.status == ISW_E_INVALID && error.message[0]);
}

static void try_json(isw_str text, iswi_arena *arena)
{
    isw_error error = { ISW_OK, "" };
    isw_value value;

    if (iswi_json_parse(arena, text, &value, &error) != ISW_OK)
        return;
    try_map(&value, arena);
    for (size_t i = 0; value.type == ISW_VALUE_ARRAY && i < value.as.array.count; i++)
        try_map(&value.as.array.items[i], arena);
}

/* Lines of headers, an empty one, and a body; as the front has read them. */
static void try_headers(char *text, size_t size, iswi_arena *arena)
{
    enum { LINES = 80 };
    isw_pair pairs[LINES];
    isw_http request = { .headers = { pairs, 0 } };
    isw_error error = { ISW_OK, "" };
    char *at = text;
    char *end = text + size;
    iswi_event event;

    while (at < end && *at != '\n' && request.headers.count < LINES) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        char *colon = memchr(at, ':', (size_t)((stop ? stop : end) - at));

        stop = stop ? stop : end;
        if (colon)
            pairs[request.headers.count++] =
                (isw_pair){ { at, (size_t)(colon - at) }, { colon + 1, (size_t)(stop - colon - 1) } };
        at = stop < end ? stop + 1 : end;
    }
    if (at < end)
        request.body = (isw_bytes){ at + 1, (size_t)(end - at - 1) };
    for (size_t i = 0; i < request.headers.count; i++)
        if (!iswi_utf8_valid(pairs[i].name.data, pairs[i].name.size) ||
            !iswi_utf8_valid(pairs[i].value.data, pairs[i].value.size))
            return;
    if (iswi_event_of_headers(&request, arena, &event, &error) == ISW_OK)
        go_round(&event, arena);
    else
        must(error.status == ISW_E_INVALID && error.message[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    iswi_arena arena;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    iswi_arena_init(&arena, 4096);
    try_json((isw_str){ text, size }, &arena);
    try_headers(text, size, &arena);
    iswi_arena_fini(&arena);
    free(text);
    return 0;
}
