/* SPDX-License-Identifier: Apache-2.0 */
/* One value at a time, by a table of types; both ways in the same order. */
#include "value/typed.h"

#include "base/base64.h"
#include "base/text.h"

#include <math.h>

const char *iswi_outcome_name(isw_outcome outcome)
{
    static const char *const names[] = { "failed", "success", "cancelled", "retry_later" };

    return names[outcome];
}

/* -- To JSON ----------------------------------------------------------------------------------- */

static isw_value *room(iswi_arena *arena, size_t count)
{
    return iswi_arena_calloc(arena, count + 1, sizeof(isw_value));
}

/* {"name": value} */
static isw_status wrap(iswi_arena *arena, const char *name, isw_value value, isw_value *out)
{
    isw_named_value *item = iswi_arena_alloc(arena, sizeof *item);

    if (!item)
        return ISW_E_NO_MEMORY;
    *item = isw_named(name, value);
    *out = isw_value_map(item, 1);
    return ISW_OK;
}

isw_status iswi_typed_encode_pairs(iswi_arena *arena, const isw_pairs *pairs, isw_value *out)
{
    isw_value *items = room(arena, pairs->count);
    isw_value *both = room(arena, 2 * pairs->count);

    if (!items || !both)
        return ISW_E_NO_MEMORY;
    for (size_t i = 0; i < pairs->count; i++) {
        both[2 * i] = isw_value_text(pairs->items[i].name);
        both[2 * i + 1] = isw_value_text(pairs->items[i].value);
        items[i] = isw_value_array(&both[2 * i], 2);
    }
    *out = isw_value_array(items, pairs->count);
    return ISW_OK;
}

static isw_status encode_body(iswi_arena *arena, isw_bytes body, isw_value *out)
{
    isw_str text = { body.data, body.size };

    if (!body.size || iswi_utf8_valid(body.data, body.size))
        return wrap(arena, "string", isw_value_text(text), out);
    return wrap(arena, "bytes", isw_value_bytes(body.data, body.size), out);
}

static isw_status encode_http(iswi_arena *arena, const isw_http *http, isw_value *out)
{
    isw_named_value *items = iswi_arena_calloc(arena, 8, sizeof *items);
    size_t count = 0;

    if (!items)
        return ISW_E_NO_MEMORY;
    if (http->method.size)
        items[count++] = isw_named("method", isw_value_text(http->method));
    if (http->url.size)
        items[count++] = isw_named("url", isw_value_text(http->url));
    if (http->client.size)
        items[count++] = isw_named("client", isw_value_text(http->client));
    if (http->status)
        items[count++] = isw_named("status", isw_value_int(http->status));
    items[count].name = isw_str_of("headers");
    if (iswi_typed_encode_pairs(arena, &http->headers, &items[count++].value) != ISW_OK)
        return ISW_E_NO_MEMORY;
    items[count].name = isw_str_of("query");
    if (http->query.count &&
        iswi_typed_encode_pairs(arena, &http->query, &items[count++].value) != ISW_OK)
        return ISW_E_NO_MEMORY;
    items[count].name = isw_str_of("params");
    if (http->params.count &&
        iswi_typed_encode_pairs(arena, &http->params, &items[count++].value) != ISW_OK)
        return ISW_E_NO_MEMORY;
    items[count].name = isw_str_of("body");
    if (encode_body(arena, http->body, &items[count++].value) != ISW_OK)
        return ISW_E_NO_MEMORY;
    return wrap(arena, "http", isw_value_map(items, count), out);
}

static isw_status encode_array(iswi_arena *arena, const isw_value *value, isw_value *out)
{
    size_t count = value->as.array.count;
    isw_value *items = room(arena, count);
    isw_status status = items ? ISW_OK : ISW_E_NO_MEMORY;

    for (size_t i = 0; status == ISW_OK && i < count; i++)
        status = iswi_typed_encode(arena, &value->as.array.items[i], &items[i]);
    return status == ISW_OK ? wrap(arena, "array", isw_value_array(items, count), out) : status;
}

static isw_status encode_map(iswi_arena *arena, const isw_value *value, isw_value *out)
{
    size_t count = value->as.map.count;
    isw_named_value *items = iswi_arena_calloc(arena, count + 1, sizeof *items);
    isw_status status = items ? ISW_OK : ISW_E_NO_MEMORY;

    for (size_t i = 0; status == ISW_OK && i < count; i++) {
        items[i].name = value->as.map.items[i].name;
        status = iswi_typed_encode(arena, &value->as.map.items[i].value, &items[i].value);
    }
    return status == ISW_OK ? wrap(arena, "map", isw_value_map(items, count), out) : status;
}

isw_status iswi_typed_encode(iswi_arena *arena, const isw_value *value, isw_value *out)
{
    switch (value->type) {
    case ISW_VALUE_STRING:
        return wrap(arena, "string", *value, out);
    case ISW_VALUE_JSON: /* its text, whatever it is */
        return wrap(arena, "json", isw_value_text(value->as.string), out);
    case ISW_VALUE_BYTES:
        return wrap(arena, "bytes", *value, out);
    case ISW_VALUE_INT:
        return wrap(arena, "int", *value, out);
    case ISW_VALUE_DOUBLE:
        return wrap(arena, "double", isfinite(value->as.real) ? *value : isw_value_none(), out);
    case ISW_VALUE_BOOL:
        return wrap(arena, "bool", *value, out);
    case ISW_VALUE_HTTP:
        return encode_http(arena, value->as.http, out);
    case ISW_VALUE_ARRAY:
        return encode_array(arena, value, out);
    case ISW_VALUE_MAP:
        return encode_map(arena, value, out);
    default:
        return wrap(arena, "none", isw_value_none(), out);
    }
}

/* -- Back -------------------------------------------------------------------------------------- */

typedef struct reader {
    iswi_arena *arena;
    isw_error *error;
    const char *path;
} reader;

static isw_status refuse(const reader *r, const char *expected)
{
    return isw_error_set(r->error, ISW_E_INVALID, "%s: expected %s", r->path, expected);
}

static isw_status no_memory(const reader *r)
{
    return isw_error_set(r->error, ISW_E_NO_MEMORY, "no memory");
}

static isw_status decode_base64(const reader *r, isw_str text, isw_bytes *out)
{
    isw_status status = iswi_base64_read(r->arena, text, out);

    return status == ISW_E_NO_MEMORY ? no_memory(r)
                                     : status == ISW_OK ? ISW_OK : refuse(r, "base64");
}

static isw_status decode_pairs(const reader *r, const isw_value *from, isw_pairs *out)
{
    size_t count = from->type == ISW_VALUE_ARRAY ? from->as.array.count : 0;
    isw_pair *pairs = iswi_arena_calloc(r->arena, count + 1, sizeof *pairs);

    if (!pairs)
        return no_memory(r);
    if (from->type != ISW_VALUE_ARRAY)
        return refuse(r, "a list of pairs");
    for (size_t i = 0; i < count; i++) {
        const isw_value *both = &from->as.array.items[i];

        if (both->type != ISW_VALUE_ARRAY || both->as.array.count != 2 ||
            both->as.array.items[0].type != ISW_VALUE_STRING ||
            both->as.array.items[1].type != ISW_VALUE_STRING)
            return refuse(r, "a list of pairs of texts");
        pairs[i] = (isw_pair){ both->as.array.items[0].as.string,
                               both->as.array.items[1].as.string };
    }
    *out = (isw_pairs){ pairs, count };
    return ISW_OK;
}

isw_status iswi_typed_decode_pairs(iswi_arena *arena, const isw_value *from, const char *root,
                                   isw_pairs *out, isw_error *error)
{
    const reader r = { arena, error, root };

    return decode_pairs(&r, from, out);
}

static isw_status decode_text(const reader *r, const isw_value *from, isw_str *out)
{
    if (from->type != ISW_VALUE_STRING)
        return refuse(r, "text");
    *out = from->as.string;
    return ISW_OK;
}

static isw_status decode_body(const reader *r, const isw_value *from, isw_bytes *out)
{
    isw_value body;
    isw_status status = iswi_typed_decode(r->arena, from, r->path, &body, r->error);

    if (status == ISW_OK && body.type != ISW_VALUE_STRING && body.type != ISW_VALUE_BYTES)
        return refuse(r, "a string or bytes");
    if (status == ISW_OK)
        *out = isw_value_payload(&body);
    return status;
}

static isw_status decode_member(const reader *r, const isw_named_value *member, isw_http *out)
{
    const isw_value *value = &member->value;
    reader inner = *r;

    inner.path = iswi_arena_printf(r->arena, "%s.%.*s", r->path, (int)member->name.size,
                                   member->name.data);
    if (!inner.path)
        return no_memory(r);
    if (isw_str_equal(member->name, isw_str_of("method")))
        return decode_text(&inner, value, &out->method);
    if (isw_str_equal(member->name, isw_str_of("url")))
        return decode_text(&inner, value, &out->url);
    if (isw_str_equal(member->name, isw_str_of("client")))
        return decode_text(&inner, value, &out->client);
    if (isw_str_equal(member->name, isw_str_of("headers")))
        return decode_pairs(&inner, value, &out->headers);
    if (isw_str_equal(member->name, isw_str_of("query")))
        return decode_pairs(&inner, value, &out->query);
    if (isw_str_equal(member->name, isw_str_of("params")))
        return decode_pairs(&inner, value, &out->params);
    if (isw_str_equal(member->name, isw_str_of("body")))
        return decode_body(&inner, value, &out->body);
    if (!isw_str_equal(member->name, isw_str_of("status")))
        return ISW_OK;
    if (value->type != ISW_VALUE_INT || value->as.integer < 0 || value->as.integer > 999)
        return refuse(&inner, "an HTTP status");
    out->status = (int)value->as.integer;
    return ISW_OK;
}

static isw_status decode_http(const reader *r, const isw_value *from, isw_value *out)
{
    isw_http *http = iswi_arena_calloc(r->arena, 1, sizeof *http);
    isw_status status = http ? ISW_OK : no_memory(r);

    if (from->type != ISW_VALUE_MAP)
        return refuse(r, "an object");
    for (size_t i = 0; status == ISW_OK && i < from->as.map.count; i++)
        status = decode_member(r, &from->as.map.items[i], http);
    *out = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = http };
    return status;
}

static isw_status decode_array(const reader *r, const isw_value *from, isw_value *out)
{
    size_t count = from->type == ISW_VALUE_ARRAY ? from->as.array.count : 0;
    isw_value *items = room(r->arena, count);
    isw_status status = items ? ISW_OK : no_memory(r);

    if (from->type != ISW_VALUE_ARRAY)
        return refuse(r, "a list");
    for (size_t i = 0; status == ISW_OK && i < count; i++) {
        const char *path = iswi_arena_printf(r->arena, "%s[%zu]", r->path, i);

        status = path ? iswi_typed_decode(r->arena, &from->as.array.items[i], path, &items[i],
                                          r->error)
                      : no_memory(r);
    }
    *out = isw_value_array(items, count);
    return status;
}

static isw_status decode_map(const reader *r, const isw_value *from, isw_value *out)
{
    size_t count = from->type == ISW_VALUE_MAP ? from->as.map.count : 0;
    isw_named_value *items = iswi_arena_calloc(r->arena, count + 1, sizeof *items);
    isw_status status = items ? ISW_OK : no_memory(r);

    if (from->type != ISW_VALUE_MAP)
        return refuse(r, "an object");
    for (size_t i = 0; status == ISW_OK && i < count; i++) {
        isw_str name = from->as.map.items[i].name;
        const char *path =
            iswi_arena_printf(r->arena, "%s.%.*s", r->path, (int)name.size, name.data);

        items[i].name = name;
        status = path ? iswi_typed_decode(r->arena, &from->as.map.items[i].value, path,
                                          &items[i].value, r->error)
                      : no_memory(r);
    }
    *out = isw_value_map(items, count);
    return status;
}

static isw_status decode_bytes(const reader *r, const isw_value *from, isw_value *out)
{
    isw_str text = { 0 };
    isw_bytes bytes = { 0 };
    isw_status status = decode_text(r, from, &text);

    if (status == ISW_OK)
        status = decode_base64(r, text, &bytes);
    if (status == ISW_OK)
        *out = isw_value_bytes(bytes.data, bytes.size);
    return status;
}

/* A value that stands as it is, of this type or, for a double, an integer or nothing. */
static isw_status decode_plain(const reader *r, const isw_value *from, isw_value_type type,
                               isw_value *out)
{
    *out = *from;
    if (type == ISW_VALUE_DOUBLE && from->type == ISW_VALUE_INT)
        *out = isw_value_double((double)from->as.integer);
    else if (type == ISW_VALUE_DOUBLE && from->type == ISW_VALUE_NONE)
        *out = isw_value_double((double)NAN);
    else if (type == ISW_VALUE_JSON && from->type == ISW_VALUE_STRING)
        out->type = ISW_VALUE_JSON;
    else if (from->type != type)
        return refuse(r, isw_value_type_name(type));
    return ISW_OK;
}

isw_status iswi_typed_decode(iswi_arena *arena, const isw_value *from, const char *root,
                             isw_value *out, isw_error *error)
{
    static const struct {
        const char *name;
        isw_value_type type;
    } plain[] = { { "string", ISW_VALUE_STRING }, { "json", ISW_VALUE_JSON },
                  { "int", ISW_VALUE_INT },       { "double", ISW_VALUE_DOUBLE },
                  { "bool", ISW_VALUE_BOOL },     { "none", ISW_VALUE_NONE } };
    const reader r = { arena, error, root };
    const isw_named_value *only = from->as.map.items;

    if (from->type != ISW_VALUE_MAP || from->as.map.count != 1)
        return refuse(&r, "an object with one member, the value's type");
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (isw_str_equal(only->name, isw_str_of(plain[i].name)))
            return decode_plain(&r, &only->value, plain[i].type, out);
    if (isw_str_equal(only->name, isw_str_of("bytes")))
        return decode_bytes(&r, &only->value, out);
    if (isw_str_equal(only->name, isw_str_of("http")))
        return decode_http(&r, &only->value, out);
    if (isw_str_equal(only->name, isw_str_of("array")))
        return decode_array(&r, &only->value, out);
    if (isw_str_equal(only->name, isw_str_of("map")))
        return decode_map(&r, &only->value, out);
    return refuse(&r, "string, json, bytes, int, double, bool, none, http, array or map");
}
