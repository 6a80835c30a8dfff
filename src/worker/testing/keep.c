/* SPDX-License-Identifier: Apache-2.0 */
/* What a test keeps, in its arena; one whose memory is out has no use in going on. */
#include "worker/testing/testing.h"

#include "value/copy.h"

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

isw_map iswi_test_copy_map(isw_test *test, const isw_map *map)
{
    isw_map copy;

    if (!iswi_map_copy(&test->arena, map, &copy))
        iswi_test_must(NULL);
    return copy;
}

isw_value iswi_test_copy(isw_test *test, const isw_value *value)
{
    isw_value copy;

    if (!iswi_value_copy(&test->arena, value, &copy))
        iswi_test_must(NULL);
    return copy;
}
