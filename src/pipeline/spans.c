/* SPDX-License-Identifier: Apache-2.0 */
/* A record of how a chain ran. */
#include "pipeline/chain.h"

#include "base/clock.h"

static bool grow(iswi_spans *spans)
{
    size_t capacity = spans->capacity ? 2 * spans->capacity : 16;
    iswi_span *items = iswi_arena_alloc(spans->arena, capacity * sizeof *items);

    if (!items)
        return false;
    if (spans->count)
        memcpy(items, spans->items, spans->count * sizeof *items);
    spans->items = items;
    spans->capacity = capacity;
    return true;
}

size_t iswi_spans_begin(iswi_spans *spans, const char *name)
{
    size_t parent = spans->open;
    unsigned depth = spans->depth++;

    if (spans->count == spans->capacity && !grow(spans))
        return SIZE_MAX;
    spans->items[spans->count] = (iswi_span){ .name = name, .depth = depth, .parent = parent,
                                              .start_ns = iswi_now_ns() };
    spans->open = ++spans->count;
    return spans->count - 1;
}

void iswi_spans_end(iswi_spans *spans, size_t at, isw_status status)
{
    int64_t now_ns = iswi_now_ns();

    if (at == SIZE_MAX) {
        spans->depth--;
        return;
    }
    while (spans->open > at + 1) { /* what nobody ended within */
        iswi_span *left = &spans->items[spans->open - 1];

        left->end_ns = now_ns;
        spans->open = left->parent;
    }
    spans->items[at].end_ns = now_ns;
    spans->items[at].status = status;
    spans->open = spans->items[at].parent;
    spans->depth = spans->items[at].depth;
}
