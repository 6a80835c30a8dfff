/* SPDX-License-Identifier: Apache-2.0 */
/* What a test keeps, in its arena; one whose memory is out has no use in going on. */
#include "worker/testing/testing.h"

#include <stdio.h>
#include <stdlib.h>

void *iswi_test_must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "isw_test: out of memory\n");
        abort();
    }
    return memory;
}

void *iswi_test_add(isw_test *test, iswi_test_list *list, size_t item_size)
{
    void *item;

    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 8;
        void *grown = iswi_test_must(iswi_arena_calloc(&test->arena, capacity, item_size));

        if (list->count)
            memcpy(grown, list->items, list->count * item_size);
        list->items = grown;
        list->capacity = capacity;
    }
    item = (char *)list->items + list->count++ * item_size;
    return item;
}

const char *iswi_test_text(isw_test *test, isw_str text)
{
    return iswi_test_must(iswi_arena_strndup(&test->arena, text.data, text.size));
}

isw_str iswi_test_str(isw_test *test, const char *text)
{
    return isw_str_of(iswi_test_text(test, isw_str_of(text)));
}

static isw_str copy_text(isw_test *test, isw_str text)
{
    return (isw_str){ iswi_test_text(test, text), text.size };
}

static isw_pairs copy_pairs(isw_test *test, const isw_pairs *pairs)
{
    isw_pair *copy = iswi_test_must(iswi_arena_calloc(&test->arena, pairs->count, sizeof *copy));

    for (size_t i = 0; i < pairs->count; i++)
        copy[i] = (isw_pair){ copy_text(test, pairs->items[i].name),
                              copy_text(test, pairs->items[i].value) };
    return (isw_pairs){ copy, pairs->count };
}

isw_map iswi_test_copy_map(isw_test *test, const isw_map *map)
{
    isw_named_value *copy =
        iswi_test_must(iswi_arena_calloc(&test->arena, map->count, sizeof *copy));

    for (size_t i = 0; i < map->count; i++)
        copy[i] = (isw_named_value){ copy_text(test, map->items[i].name),
                                     iswi_test_copy(test, &map->items[i].value) };
    return (isw_map){ copy, map->count };
}

static const isw_http *copy_http(isw_test *test, const isw_http *http)
{
    isw_http *copy = iswi_test_must(iswi_arena_calloc(&test->arena, 1, sizeof *copy));

    copy->method = copy_text(test, http->method);
    copy->url = copy_text(test, http->url);
    copy->headers = copy_pairs(test, &http->headers);
    copy->query = copy_pairs(test, &http->query);
    copy->params = copy_pairs(test, &http->params);
    copy->body.data = iswi_test_text(test, (isw_str){ http->body.data, http->body.size });
    copy->body.size = http->body.size;
    copy->client = copy_text(test, http->client);
    copy->status = http->status;
    return copy;
}

static const isw_model *copy_model(isw_test *test, const isw_model *model)
{
    isw_model *copy = iswi_test_must(iswi_arena_calloc(&test->arena, 1, sizeof *copy));

    copy->version = copy_text(test, model->version);
    copy->source = copy_text(test, model->source);
    copy->content_type = copy_text(test, model->content_type);
    copy->content.size = model->content.size;
    copy->content.data = iswi_test_text(test, (isw_str){ model->content.data, copy->content.size });
    return copy;
}

static isw_value copy_array(isw_test *test, const isw_value *value)
{
    size_t count = value->as.array.count;
    isw_value *items = iswi_test_must(iswi_arena_calloc(&test->arena, count, sizeof *items));

    for (size_t i = 0; i < count; i++)
        items[i] = iswi_test_copy(test, &value->as.array.items[i]);
    return isw_value_array(items, count);
}

isw_value iswi_test_copy(isw_test *test, const isw_value *value)
{
    isw_value copy = *value;

    switch (value->type) {
    case ISW_VALUE_STRING:
    case ISW_VALUE_JSON:
        copy.as.string = copy_text(test, value->as.string);
        break;
    case ISW_VALUE_BYTES:
        copy.as.bytes.data =
            iswi_test_text(test, (isw_str){ value->as.bytes.data, value->as.bytes.size });
        break;
    case ISW_VALUE_HTTP:
        copy.as.http = copy_http(test, value->as.http);
        break;
    case ISW_VALUE_MODEL:
        copy.as.model = copy_model(test, value->as.model);
        break;
    case ISW_VALUE_ARRAY:
        return copy_array(test, value);
    case ISW_VALUE_MAP:
        copy.as.map = iswi_test_copy_map(test, &value->as.map);
        break;
    default:
        break;
    }
    return copy;
}
