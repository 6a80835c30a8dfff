/* SPDX-License-Identifier: Apache-2.0 */
/* W3C Trace Context and Baggage out of a request's headers. */
#include "host/trace.h"

#include "base/text.h"
#include "url/percent.h"

enum { MEMBERS_MAX = 64, BAGGAGE_MAX = 8192 }; /* W3C Baggage, section 3.3.2 */

static isw_str trimmed(const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    return (isw_str){ from, (size_t)(to - from) };
}

/* One "key=value;property". False: it is malformed, or memory is out. */
static bool read_member(isw_str member, iswi_arena *arena, isw_pair *pair)
{
    const char *semicolon = memchr(member.data, ';', member.size);
    const char *end = semicolon ? semicolon : member.data + member.size;
    const char *equals = memchr(member.data, '=', (size_t)(end - member.data));
    isw_str value;
    char *decoded;

    if (!equals)
        return false;
    pair->name = trimmed(member.data, equals);
    value = trimmed(equals + 1, end);
    decoded = iswi_arena_alloc(arena, value.size + 1);
    if (!pair->name.size || !decoded)
        return false;
    pair->value = (isw_str){ decoded, iswi_percent_decode(value, false, decoded) };
    return pair->value.size != SIZE_MAX && iswi_utf8_valid(decoded, pair->value.size);
}

/* A header's members behind the `count` that are there already; returns how many there are then. */
static size_t read_list(isw_str list, iswi_arena *arena, isw_pair *pairs, size_t count)
{
    while (list.size && count < MEMBERS_MAX) {
        const char *comma = memchr(list.data, ',', list.size);
        size_t size = comma ? (size_t)(comma - list.data) : list.size;

        count += read_member((isw_str){ list.data, size }, arena, &pairs[count]);
        list.data += size + (comma ? 1 : 0);
        list.size -= size + (comma ? 1 : 0);
    }
    return count;
}

static bool is_baggage(const isw_pair *header)
{
    return isw_str_equal(header->name, isw_str_of("baggage"));
}

static isw_pairs baggage_of(const isw_http *request, iswi_arena *arena)
{
    const isw_pairs *headers = &request->headers;
    isw_pair *pairs = NULL;
    size_t bytes = 0;
    size_t count = 0;

    for (size_t i = 0; i < headers->count; i++) {
        if (!is_baggage(&headers->items[i]))
            continue;
        bytes += headers->items[i].value.size;
        if (!pairs)
            pairs = iswi_arena_alloc(arena, MEMBERS_MAX * sizeof *pairs);
        if (!pairs || bytes > BAGGAGE_MAX)
            break;
        count = read_list(headers->items[i].value, arena, pairs, count);
    }
    return (isw_pairs){ pairs, count };
}

iswi_wire_trace iswi_trace_of(const isw_http *request, iswi_arena *arena)
{
    const isw_str *parent = isw_pairs_find(&request->headers, "traceparent");
    const isw_str *state = isw_pairs_find(&request->headers, "tracestate");
    iswi_wire_trace trace = { .baggage = baggage_of(request, arena) };

    if (parent && parent->size <= ISWI_LINE_MAX)
        trace.parent = *parent;
    if (parent && state && state->size <= ISWI_LINE_MAX)
        trace.state = *state;
    return trace;
}
