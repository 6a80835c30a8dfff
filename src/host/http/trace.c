/* SPDX-License-Identifier: Apache-2.0 */
/* W3C Trace Context and Baggage out of a request's headers. */
#include "host/http/trace.h"

#include "base/text.h"
#include "base/traceparent.h"
#include "url/fields.h"
#include "url/percent.h"

enum {
    MEMBERS_MAX = 64, /* W3C Baggage, section 3.3.2 */
    BAGGAGE_MAX = 8192,
    STATE_MEMBERS_MAX = 32, /* W3C Trace Context, section 3.3.1 */
    STATE_PART_MAX = 256,   /* of a key, and of a value */
    STATE_LONG = 128        /* a member that goes first when there is no room for all */
};

/* One "key=value;property". False: it is malformed, or memory is out. */
static bool read_member(isw_str member, iswi_arena *arena, isw_pair *pair)
{
    isw_str value = iswi_field_split(&member, ';');
    char *decoded;

    if (!memchr(value.data, '=', value.size))
        return false;
    pair->name = iswi_field_split(&value, '=');
    value = iswi_field_trim(value);
    decoded = iswi_arena_alloc(arena, value.size + 1);
    if (!pair->name.size || !decoded)
        return false;
    pair->value = (isw_str){ decoded, iswi_percent_decode(value, false, decoded) };
    return pair->value.size != SIZE_MAX && iswi_utf8_valid(decoded, pair->value.size);
}

/* A header's members behind the `count` that are there already; returns how many there are then. */
static size_t read_list(isw_str list, iswi_arena *arena, isw_pair *pairs, size_t count)
{
    while (list.size && count < MEMBERS_MAX)
        count += read_member(iswi_field_split(&list, ','), arena, &pairs[count]);
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

/* -- tracestate -------------------------------------------------------------------------------- */

/* Members of all of a request's lines, in order, each "key=value". */
typedef struct state_members {
    isw_str items[STATE_MEMBERS_MAX];
    size_t count;
    size_t bytes; /* joined with commas */
} state_members;

static bool is_key_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("_-*/@", c);
}

/* Level 2, section 3.3.1.3, which takes all that level 1 takes. */
static bool is_state_member(isw_str member)
{
    const char *equals = memchr(member.data, '=', member.size);
    const size_t key = equals ? (size_t)(equals - member.data) : 0;
    const size_t value = equals ? member.size - key - 1 : 0;

    if (!key || key > STATE_PART_MAX || !value || value > STATE_PART_MAX)
        return false;
    for (size_t i = 0; i < key; i++)
        if (!member.data[i] || !is_key_byte(member.data[i]))
            return false;
    for (size_t i = 0; i < value; i++)
        if (equals[1 + i] < ' ' || equals[1 + i] > '~' || strchr("=,", equals[1 + i]))
            return false;
    return !strchr("_-*/@", member.data[0]);
}

static bool same_key(isw_str a, isw_str b)
{
    const char *equals = memchr(a.data, '=', a.size);
    const size_t size = (size_t)(equals - a.data) + 1;

    return b.size >= size && memcmp(a.data, b.data, size) == 0;
}

/* The first of a key is the latest; those behind it say nothing any more. */
static void add_state_member(state_members *members, isw_str member)
{
    for (size_t i = 0; i < members->count; i++)
        if (same_key(members->items[i], member))
            return;
    members->items[members->count++] = member;
    members->bytes += member.size + (members->count > 1);
}

/* False: the list is not valid, which makes all of it worth nothing (section 3.3.1). *seen counts
 * members, the same ones too. */
static bool read_state(isw_str list, state_members *members, size_t *seen)
{
    while (list.size) {
        const isw_str member = iswi_field_split(&list, ',');

        if (member.size) {
            if (++*seen > STATE_MEMBERS_MAX || !is_state_member(member))
                return false;
            add_state_member(members, member);
        }
    }
    return true;
}

/* Whole members go, the long ones first, each kind from the end (section 3.3.1.5). */
static void shorten_state(state_members *members, size_t most)
{
    for (size_t longer_than = STATE_LONG; members->bytes > most; longer_than = 0)
        for (size_t i = members->count; i-- > 0 && members->bytes > most;) {
            if (members->items[i].size <= longer_than)
                continue;
            members->bytes -= members->items[i].size + 1;
            memmove(&members->items[i], &members->items[i + 1],
                    (--members->count - i) * sizeof *members->items);
        }
}

static isw_str join_state(const state_members *members, iswi_arena *arena)
{
    char *text = iswi_arena_alloc(arena, members->bytes + 1);
    char *at = text;

    for (size_t i = 0; text && i < members->count; i++) {
        if (i)
            *at++ = ',';
        memcpy(at, members->items[i].data, members->items[i].size);
        at += members->items[i].size;
    }
    return (isw_str){ text, text ? (size_t)(at - text) : 0 };
}

static isw_str state_of(const isw_pairs *headers, iswi_arena *arena)
{
    static const isw_str nothing = { NULL, 0 };
    state_members members;
    size_t seen = 0;

    members.count = members.bytes = 0;
    for (size_t i = 0; i < headers->count; i++)
        if (isw_str_equal(headers->items[i].name, isw_str_of("tracestate")) &&
            !read_state(headers->items[i].value, &members, &seen))
            return nothing;
    if (members.count == 0)
        return nothing;
    shorten_state(&members, ISWI_LINE_MAX);
    return join_state(&members, arena);
}

/* -- The whole --------------------------------------------------------------------------------- */

/* NULL: there is none that is valid, or more than one (section 3.2). */
static const isw_str *parent_of(const isw_pairs *headers)
{
    const isw_str *found = NULL;
    iswi_traceparent parent;

    for (size_t i = 0; i < headers->count; i++) {
        if (!isw_str_equal(headers->items[i].name, isw_str_of("traceparent")))
            continue;
        if (found)
            return NULL;
        found = &headers->items[i].value;
    }
    return found && found->size <= ISWI_LINE_MAX && iswi_traceparent_read(*found, &parent) ? found
                                                                                          : NULL;
}

iswi_wire_trace iswi_trace_of(const isw_http *request, iswi_arena *arena)
{
    const isw_str *parent = parent_of(&request->headers);
    iswi_wire_trace trace = { .baggage = baggage_of(request, arena) };

    if (parent) {
        trace.parent = *parent;
        trace.state = state_of(&request->headers, arena);
    }
    return trace;
}
