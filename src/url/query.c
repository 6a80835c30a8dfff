/* SPDX-License-Identifier: Apache-2.0 */
/* Queries and forms: parts between '&', each decoded once and checked after that. */
#include "url/query.h"

#include "base/text.h"
#include "url/percent.h"

static iswi_query_result decode(isw_str raw, iswi_arena *arena, isw_str *out)
{
    char *text = iswi_arena_alloc(arena, raw.size + 1);

    if (!text)
        return ISWI_QUERY_NO_MEMORY;
    *out = (isw_str){ text, iswi_percent_decode(raw, true, text) };
    if (out->size == SIZE_MAX)
        return ISWI_QUERY_BAD_ESCAPE;
    if (memchr(text, 0, out->size))
        return ISWI_QUERY_NUL;
    return iswi_utf8_valid(text, out->size) ? ISWI_QUERY_OK : ISWI_QUERY_NOT_UTF8;
}

static iswi_query_result read_part(isw_str part, iswi_arena *arena, isw_pair *pair)
{
    const char *equals = memchr(part.data, '=', part.size);
    isw_str name = { part.data, equals ? (size_t)(equals - part.data) : part.size };
    isw_str value = { part.data + part.size, 0 };
    iswi_query_result result = decode(name, arena, &pair->name);

    if (equals)
        value = (isw_str){ equals + 1, part.size - name.size - 1 };
    return result == ISWI_QUERY_OK ? decode(value, arena, &pair->value) : result;
}

iswi_query_result iswi_query_read(isw_str text, iswi_arena *arena, isw_pairs *out, size_t *bad)
{
    const char *start = text.data;
    size_t most = text.size ? 1 : 0;
    size_t count = 0;
    isw_pair *pairs;

    for (size_t i = 0; i < text.size; i++)
        most += text.data[i] == '&';
    pairs = iswi_arena_alloc(arena, most * sizeof *pairs);
    *bad = 0;
    if (!pairs)
        return ISWI_QUERY_NO_MEMORY;
    while (text.size) {
        const char *ampersand = memchr(text.data, '&', text.size);
        isw_str part = { text.data, ampersand ? (size_t)(ampersand - text.data) : text.size };
        iswi_query_result result = ISWI_QUERY_OK;

        if (part.size)
            result = read_part(part, arena, &pairs[count]);
        if (result != ISWI_QUERY_OK) {
            *bad = (size_t)(part.data - start);
            return result;
        }
        count += part.size != 0;
        text.data += part.size + (ampersand ? 1 : 0);
        text.size -= part.size + (ampersand ? 1 : 0);
    }
    *out = (isw_pairs){ pairs, count };
    return ISWI_QUERY_OK;
}
