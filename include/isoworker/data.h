/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_DATA_H
#define ISOWORKER_DATA_H

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

typedef enum isw_data_type {
    ISW_DATA_NONE = 0,
    ISW_DATA_STRING = 1, /* string */
    ISW_DATA_JSON = 2,   /* string: one JSON text */
    ISW_DATA_BYTES = 3,  /* bytes */
    ISW_DATA_INT = 4,    /* integer */
    ISW_DATA_DOUBLE = 5, /* real */
    ISW_DATA_BOOL = 6,   /* boolean */
    ISW_DATA_HTTP = 7,   /* http */
    ISW_DATA_MODEL = 8,  /* model */
    ISW_DATA_ARRAY = 9   /* array: items of one type out of STRING to BOOL, or MODEL */
} isw_data_type;

/* One HTTP request or response. A request has method, url, headers, query, params, body and
 * client; a response has status, headers and body. */
typedef struct isw_http {
    isw_str method;
    isw_str url;       /* path and query as they arrived, undecoded */
    isw_pairs headers; /* names in lower case */
    isw_pairs query;   /* percent-decoded */
    isw_pairs params;  /* route parameters, percent-decoded */
    isw_bytes body;
    isw_str client; /* address of the peer, such as "127.0.0.1" */
    int status;     /* 100 to 599 */
} isw_http;

/* A reference to something that an extension's client library opens (a blob, a queue message). */
typedef struct isw_model {
    isw_str version;
    isw_str source;
    isw_str content_type;
    isw_bytes content;
} isw_model;

typedef struct isw_data {
    isw_data_type type;
    union {
        isw_str string;
        isw_bytes bytes;
        int64_t integer;
        double real;
        bool boolean;
        const isw_http *http;
        const isw_model *model;
        struct {
            const struct isw_data *items;
            size_t count;
        } array;
    } as;
} isw_data;

/* Name and data of one binding or one log field. */
typedef struct isw_named_data {
    isw_str name;
    isw_data data;
} isw_named_data;

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

static inline isw_data isw_data_string(const char *text)
{
    isw_data data;
    data.type = ISW_DATA_STRING;
    data.as.string = isw_str_of(text);
    return data;
}

static inline isw_data isw_data_json(const char *text)
{
    isw_data data = isw_data_string(text);
    data.type = ISW_DATA_JSON;
    return data;
}

static inline isw_data isw_data_bytes(const void *bytes, size_t size)
{
    isw_data data;
    data.type = ISW_DATA_BYTES;
    data.as.bytes.data = bytes;
    data.as.bytes.size = size;
    return data;
}

static inline isw_data isw_data_int(int64_t value)
{
    isw_data data;
    data.type = ISW_DATA_INT;
    data.as.integer = value;
    return data;
}

static inline isw_data isw_data_double(double value)
{
    isw_data data;
    data.type = ISW_DATA_DOUBLE;
    data.as.real = value;
    return data;
}

static inline isw_data isw_data_bool(bool value)
{
    isw_data data;
    data.type = ISW_DATA_BOOL;
    data.as.boolean = value;
    return data;
}

/* "string", "http", ...; "unknown" for a number that is not in the list. Static text. */
ISW_API const char *isw_data_type_name(isw_data_type type);

/* The bytes that `data` carries: its text, its bytes or its HTTP body; empty for the other types.
 * Borrowed from `data`. */
ISW_API isw_bytes isw_data_payload(const isw_data *data);

/* The value of the first pair named `name`, letter case ignored (ASCII), or NULL. Borrowed. */
ISW_API const isw_str *isw_pairs_find(const isw_pairs *pairs, const char *name);

ISW_END_DECLS

#endif
