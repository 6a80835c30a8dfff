/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_VALUE_H
#define ISOWORKER_VALUE_H

/*
 * Typed data: what triggers bring in and what functions give back. Values are plain structs with
 * borrowed pointers; whoever filled one in owns what it points to. Data that a context hands out
 * lives until the invocation ends. Text is UTF-8 with a length and is not NUL-terminated.
 * The types are those of PROTOCOL.md, "Typed data".
 */
#include <isoworker/export.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

ISW_BEGIN_DECLS

typedef struct isw_str {
    const char *data;
    size_t size; /* bytes */
} isw_str;

typedef struct isw_bytes {
    const void *data;
    size_t size; /* bytes */
} isw_bytes;

typedef struct isw_pair {
    isw_str name;
    isw_str value;
} isw_pair;

/* A list of pairs in the order of arrival; names may repeat. */
typedef struct isw_pairs {
    const isw_pair *items;
    size_t count;
} isw_pairs;

typedef enum isw_value_type {
    ISW_VALUE_NONE = 0,
    ISW_VALUE_STRING = 1, /* string */
    ISW_VALUE_JSON = 2,   /* string: one JSON text */
    ISW_VALUE_BYTES = 3,  /* bytes */
    ISW_VALUE_INT = 4,    /* integer */
    ISW_VALUE_DOUBLE = 5, /* real */
    ISW_VALUE_BOOL = 6,   /* boolean */
    ISW_VALUE_HTTP = 7,   /* http */
    ISW_VALUE_MODEL = 8,  /* model */
    ISW_VALUE_ARRAY = 9,  /* array */
    ISW_VALUE_MAP = 10    /* map */
} isw_value_type;

/* One HTTP request or response. A request has method, url, headers, query, params, body and
 * client; a response has status, headers and body. */
typedef struct isw_http {
    isw_str method;
    isw_str url;       /* path and query as they arrived, undecoded */
    isw_pairs headers; /* names in lower case; a byte of a request's value that is no part of UTF-8
                          came as ISO 8859-1 and is that character */
    isw_pairs query;   /* percent-decoded */
    isw_pairs params;  /* route parameters, percent-decoded */
    isw_bytes body;
    isw_str client; /* who calls: an address such as "127.0.0.1", of the peer or whom a proxy names
                       that the host trusts; "unix" for one at a Unix socket */
    int status;     /* 100 to 599 */
} isw_http;

/* A reference to something that an extension's client library opens (a blob, a queue message). */
typedef struct isw_model {
    isw_str version;
    isw_str source;
    isw_str content_type;
    isw_bytes content;
} isw_model;

typedef struct isw_named_value isw_named_value;

/* Named values in order; of a name that comes twice the first counts. */
typedef struct isw_map {
    const isw_named_value *items;
    size_t count;
} isw_map;

typedef struct isw_value {
    isw_value_type type;
    union {
        isw_str string;
        isw_bytes bytes;
        int64_t integer;
        double real;
        bool boolean;
        const isw_http *http;
        const isw_model *model;
        struct {
            const struct isw_value *items;
            size_t count;
        } array;
        isw_map map;
    } as;
} isw_value;

/* One member of a map, one binding, one log field. */
struct isw_named_value {
    isw_str name;
    isw_value value;
};

/* A view of NUL-terminated text; NULL gives the empty view. */
static inline isw_str isw_str_of(const char *text)
{
    isw_str view = { text, text ? strlen(text) : 0 };
    return view;
}

static inline bool isw_str_equal(isw_str a, isw_str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Whether they are the same but for the case of ASCII letters. Not strcasecmp, which asks the
 * program's locale: in Turkish ones I is not the capital of i. */
static inline bool isw_str_equal_nocase(isw_str a, isw_str b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++) {
        const unsigned char one = (unsigned char)a.data[i];
        const unsigned char other = (unsigned char)b.data[i];

        if (one != other && ((one ^ other) != 0x20 || (one | 0x20) < 'a' || (one | 0x20) > 'z'))
            return false;
    }
    return true;
}

static inline isw_value isw_value_none(void)
{
    isw_value value;
    value.type = ISW_VALUE_NONE;
    value.as.integer = 0;
    return value;
}

static inline isw_value isw_value_text(isw_str text)
{
    isw_value value;
    value.type = ISW_VALUE_STRING;
    value.as.string = text;
    return value;
}

static inline isw_value isw_value_string(const char *text)
{
    return isw_value_text(isw_str_of(text));
}

static inline isw_value isw_value_json(const char *text)
{
    isw_value value = isw_value_string(text);
    value.type = ISW_VALUE_JSON;
    return value;
}

static inline isw_value isw_value_bytes(const void *bytes, size_t size)
{
    isw_value value;
    value.type = ISW_VALUE_BYTES;
    value.as.bytes.data = bytes;
    value.as.bytes.size = size;
    return value;
}

static inline isw_value isw_value_int(int64_t integer)
{
    isw_value value;
    value.type = ISW_VALUE_INT;
    value.as.integer = integer;
    return value;
}

static inline isw_value isw_value_double(double real)
{
    isw_value value;
    value.type = ISW_VALUE_DOUBLE;
    value.as.real = real;
    return value;
}

static inline isw_value isw_value_bool(bool boolean)
{
    isw_value value;
    value.type = ISW_VALUE_BOOL;
    value.as.boolean = boolean;
    return value;
}

/* Views of arrays that the caller keeps. */
static inline isw_value isw_value_array(const isw_value *items, size_t count)
{
    isw_value value;
    value.type = ISW_VALUE_ARRAY;
    value.as.array.items = items;
    value.as.array.count = count;
    return value;
}

static inline isw_value isw_value_map(const isw_named_value *items, size_t count)
{
    isw_value value;
    value.type = ISW_VALUE_MAP;
    value.as.map.items = items;
    value.as.map.count = count;
    return value;
}

static inline isw_named_value isw_named(const char *name, isw_value value)
{
    isw_named_value named;
    named.name = isw_str_of(name);
    named.value = value;
    return named;
}

/* "string", "http", ...; "unknown" for a number that is not in the list. Static text. */
ISW_API const char *isw_value_type_name(isw_value_type type);

/* The bytes that `value` carries: its text, its bytes or its HTTP body; empty for the other types.
 * Borrowed from `value`. */
ISW_API isw_bytes isw_value_payload(const isw_value *value);

/* The value of the first pair named `name`, letter case ignored (ASCII), or NULL. Borrowed. */
ISW_API const isw_str *isw_pairs_find(const isw_pairs *pairs, const char *name);

/* The pairs named `name` (letter case ignored; NULL: all of them), one with each call: begin with
 * *at = 0; NULL after the last one. The pair's own name tells "a" from "A". Borrowed. */
ISW_API const isw_pair *isw_pairs_next(const isw_pairs *pairs, const char *name, size_t *at);

ISW_END_DECLS

#endif
