/* SPDX-License-Identifier: Apache-2.0 */
/* Set-Cookie as the Azure Functions host takes it where there are several: attribute by attribute,
 * from which it writes the header anew. */
#include "base/clock.h"
#include "host/azure/internal.h"
#include "url/date.h"

#include <stdlib.h>

typedef struct attribute {
    isw_str name, value;
} attribute;

static isw_str trim(const char *begin, const char *end)
{
    while (begin < end && (*begin == ' ' || *begin == '\t'))
        begin++;
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (isw_str){ begin, (size_t)(end - begin) };
}

/* The next of those that semicolons part; false: there is none. */
static bool next(const char **at, const char *end, attribute *out)
{
    const char *stop = memchr(*at, ';', (size_t)(end - *at));
    const char *equals;

    if (*at >= end)
        return false;
    stop = stop ? stop : end;
    equals = memchr(*at, '=', (size_t)(stop - *at));
    out->name = trim(*at, equals ? equals : stop);
    out->value = equals ? trim(equals + 1, stop) : (isw_str){ "", 0 };
    *at = stop < end ? stop + 1 : end;
    return true;
}

static bool is(const attribute *one, const char *name)
{
    return isw_str_equal_nocase(one->name, isw_str_of(name));
}

static const iswi_rpc_nullable *text(iswi_arena *arena, isw_str value)
{
    iswi_rpc_nullable *out = iswi_arena_calloc(arena, 1, sizeof *out);

    if (out)
        *out = (iswi_rpc_nullable){ 1, value };
    return out;
}

static const iswi_rpc_nullable_bool *yes(iswi_arena *arena)
{
    iswi_rpc_nullable_bool *out = iswi_arena_calloc(arena, 1, sizeof *out);

    if (out)
        *out = (iswi_rpc_nullable_bool){ 1, true };
    return out;
}

static const iswi_rpc_nullable_double *seconds(iswi_arena *arena, isw_str value)
{
    iswi_rpc_nullable_double *out = iswi_arena_calloc(arena, 1, sizeof *out);
    const char *digits = iswi_arena_strndup(arena, value.data, value.size);

    if (!out || !digits)
        return NULL;
    *out = (iswi_rpc_nullable_double){ 1, (double)atoll(digits) };
    return out;
}

/* "Wed, 21 Oct 2026 07:28:00 GMT"; NULL: it is none. */
static const iswi_rpc_nullable_time *instant(iswi_arena *arena, isw_str value)
{
    iswi_rpc_nullable_time *out = iswi_arena_calloc(arena, 1, sizeof *out);
    iswi_rpc_duration *at = iswi_arena_calloc(arena, 1, sizeof *at);

    if (!out || !at || !iswi_http_date_read(value, iswi_wall_us() / 1000000, &at->seconds))
        return NULL;
    *out = (iswi_rpc_nullable_time){ 1, at };
    return out;
}

static int32_t same_site(isw_str value)
{
    static const char *const names[] = { "", "lax", "strict", "none" };

    for (int32_t i = 1; i < 4; i++)
        if (isw_str_equal_nocase(value, isw_str_of(names[i])))
            return i;
    return 0;
}

static void take(const attribute *one, iswi_arena *arena, iswi_rpc_cookie *out)
{
    if (is(one, "domain"))
        out->domain = text(arena, one->value);
    else if (is(one, "path"))
        out->path = text(arena, one->value);
    else if (is(one, "expires"))
        out->expires = instant(arena, one->value);
    else if (is(one, "max-age"))
        out->max_age = seconds(arena, one->value);
    else if (is(one, "secure"))
        out->secure = yes(arena);
    else if (is(one, "httponly"))
        out->http_only = yes(arena);
    else if (is(one, "samesite"))
        out->same_site = same_site(one->value);
}

static bool read(isw_str header, iswi_arena *arena, iswi_rpc_cookie *out)
{
    const char *copy = iswi_arena_strndup(arena, header.data, header.size);
    const char *end = copy + header.size;
    attribute one;

    if (!copy)
        return false;
    if (next(&copy, end, &one)) {
        out->name = one.name;
        out->value = one.value;
    }
    while (next(&copy, end, &one))
        take(&one, arena, out);
    return true;
}

bool iswi_azure_cookies(const isw_pairs *headers, iswi_arena *arena, iswi_proto_list *out)
{
    iswi_rpc_cookie *items = iswi_arena_calloc(arena, headers->count + 1, sizeof *items);
    const isw_pair *one;
    size_t count = 0;
    size_t at = 0;

    while (items && (one = isw_pairs_next(headers, "set-cookie", &at)) != NULL)
        if (!read(one->value, arena, &items[count++]))
            return false;
    *out = (iswi_proto_list){ items, count };
    return items != NULL;
}
