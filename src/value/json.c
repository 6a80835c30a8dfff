/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: read at once where it is as mostly (json_read.c), else by jansson, which knows all of it and
 * says what is wrong; written by us over the scalars of base/logline.c. Invariant: jansson's tree is
 * gone when a call returns; what is handed out lies in the arena. */
#include "value/json_read.h"
#include "value/value.h"

#include "base/base64.h"
#include "base/logline.h"
#include "base/text.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

/* -- Reading ----------------------------------------------------------------------------------- */

typedef struct reader {
    iswi_arena *arena;
    isw_error *error;
} reader;

static isw_status no_memory(isw_error *error)
{
    return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for JSON");
}

static isw_status too_deep(isw_error *error)
{
    return isw_error_set(error, ISW_E_INVALID, "nested deeper than %d levels",
                         ISW_CONVERT_MAX_DEPTH);
}

static isw_status copy(reader *r, const json_t *from, unsigned depth, isw_value *out);

static bool copy_text(reader *r, const char *text, size_t size, isw_str *out)
{
    *out = (isw_str){ iswi_arena_strndup(r->arena, text, size), size };
    return out->data != NULL;
}

static isw_status copy_array(reader *r, const json_t *from, unsigned depth, isw_value *out)
{
    size_t count = json_array_size(from);
    isw_value *items = iswi_arena_calloc(r->arena, count, sizeof *items);
    isw_status status = items ? ISW_OK : no_memory(r->error);

    for (size_t i = 0; status == ISW_OK && i < count; i++)
        status = copy(r, json_array_get(from, i), depth, &items[i]);
    *out = isw_value_array(items, count);
    return status;
}

static isw_status copy_object(reader *r, const json_t *from, unsigned depth, isw_value *out)
{
    size_t count = json_object_size(from);
    isw_named_value *items = iswi_arena_calloc(r->arena, count, sizeof *items);
    isw_status status = items ? ISW_OK : no_memory(r->error);
    json_t *object = (json_t *)from;
    size_t i = 0;

    for (void *at = json_object_iter(object); status == ISW_OK && at;
         at = json_object_iter_next(object, at), i++) {
        const char *key = json_object_iter_key(at);

        if (!copy_text(r, key, strlen(key), &items[i].name))
            return no_memory(r->error);
        status = copy(r, json_object_iter_value(at), depth, &items[i].value);
    }
    *out = isw_value_map(items, count);
    return status;
}

static isw_status copy(reader *r, const json_t *from, unsigned depth, isw_value *out)
{
    switch (json_typeof(from)) {
    case JSON_OBJECT:
        return depth == ISW_CONVERT_MAX_DEPTH ? too_deep(r->error)
                                              : copy_object(r, from, depth + 1, out);
    case JSON_ARRAY:
        return depth == ISW_CONVERT_MAX_DEPTH ? too_deep(r->error)
                                              : copy_array(r, from, depth + 1, out);
    case JSON_STRING:
        out->type = ISW_VALUE_STRING;
        return copy_text(r, json_string_value(from), json_string_length(from), &out->as.string)
                   ? ISW_OK
                   : no_memory(r->error);
    case JSON_INTEGER:
        *out = isw_value_int(json_integer_value(from));
        return ISW_OK;
    case JSON_REAL:
        *out = isw_value_double(json_real_value(from));
        return ISW_OK;
    case JSON_NULL:
        *out = isw_value_none();
        return ISW_OK;
    default:
        *out = isw_value_bool(json_is_true(from));
        return ISW_OK;
    }
}

/* jansson takes a NUL behind a number for the end of its input, and passes over it. */
static isw_status refuse_nul(isw_str text, const char *nul, isw_error *error)
{
    size_t line = 1;
    size_t column = 1;

    for (const char *at = text.data; at < nul; at++) {
        line += *at == '\n';
        column = *at == '\n' ? 1 : column + ((*at & 0xc0) != 0x80);
    }
    return isw_error_set(error, ISW_E_INVALID,
                         "line %zu, column %zu: a NUL, which JSON has only as "
                         "\\u0000 in a text",
                         line, column);
}

/* RFC 8259, section 8.1: a byte order mark may be ignored. */
static isw_str without_mark(isw_str text)
{
    static const char mark[] = "\xef\xbb\xbf";

    if (text.size >= 3 && memcmp(text.data, mark, 3) == 0)
        return (isw_str){ text.data + 3, text.size - 3 };
    return text;
}

static json_t *load(isw_str text, isw_error *error)
{
    json_error_t why;
    const char *nul = text.size ? memchr(text.data, 0, text.size) : NULL;
    json_t *root;

    if (nul) {
        refuse_nul(text, nul, error);
        return NULL;
    }
    text = without_mark(text);
    root = json_loadb(text.size ? text.data : "", text.size,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!root && json_error_code(&why) == json_error_out_of_memory)
        no_memory(error);
    else if (!root)
        isw_error_set(error, ISW_E_INVALID, "line %d, column %d: %s", why.line, why.column,
                      why.text);
    return root;
}

static isw_status parse(iswi_arena *arena, isw_str text, isw_value *out, isw_error *error)
{
    reader r = { arena, error };
    json_t *root = load(text, error);
    isw_value value;
    isw_status status;

    if (!root)
        return error->status;
    status = copy(&r, root, 0, &value);
    json_decref(root);
    if (status == ISW_OK)
        *out = value;
    return status;
}

isw_status iswi_json_parse(iswi_arena *arena, isw_str text, isw_value *out, isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    isw_value value;

    if (!iswi_json_read(arena, without_mark(text), &value))
        return parse(arena, text, out, error ? error : &own);
    *out = value;
    return ISW_OK;
}

/* -- Writing ----------------------------------------------------------------------------------- */

enum { JSON_BYTES = 4096 }; /* of values that are read to see whether they can be */

typedef struct writer {
    iswi_buffer out;
    isw_error *error;
} writer;

static isw_status put(writer *w, const isw_value *value, unsigned depth);

static isw_status refuse(writer *w, const char *what)
{
    return isw_error_set(w->error, ISW_E_INVALID, "%s cannot be JSON", what);
}

static isw_status put_string(writer *w, isw_str text)
{
    if (!iswi_utf8_valid(text.data, text.size))
        return refuse(w, "text that is not UTF-8");
    iswi_json_string(&w->out, text);
    return ISW_OK;
}

/* Text that says it is JSON is believed once it was read. */
static isw_status put_json(writer *w, isw_str text)
{
    iswi_arena arena;
    isw_value value;
    json_t *root = NULL;
    bool taken;

    iswi_arena_init(&arena, JSON_BYTES);
    taken = iswi_json_read(&arena, without_mark(text), &value) ||
            (root = load(text, w->error)) != NULL;
    iswi_arena_fini(&arena);
    json_decref(root);
    if (!taken)
        return ISW_E_INVALID;
    text = without_mark(text); /* which may stand at the begin of a whole text alone */
    iswi_buffer_append(&w->out, text.data, text.size);
    return ISW_OK;
}

static isw_status put_array(writer *w, const isw_value *value, unsigned depth)
{
    isw_status status = ISW_OK;

    iswi_buffer_append(&w->out, "[", 1);
    for (size_t i = 0; status == ISW_OK && i < value->as.array.count; i++) {
        if (i)
            iswi_buffer_append(&w->out, ",", 1);
        status = put(w, &value->as.array.items[i], depth);
    }
    iswi_buffer_append(&w->out, "]", 1);
    return status;
}

static isw_status put_map(writer *w, const isw_map *map, unsigned depth)
{
    isw_status status = ISW_OK;

    iswi_buffer_append(&w->out, "{", 1);
    for (size_t i = 0; status == ISW_OK && i < map->count; i++) {
        if (i)
            iswi_buffer_append(&w->out, ",", 1);
        status = put_string(w, map->items[i].name);
        iswi_buffer_append(&w->out, ":", 1);
        if (status == ISW_OK)
            status = put(w, &map->items[i].value, depth);
    }
    iswi_buffer_append(&w->out, "}", 1);
    return status;
}

static isw_status put(writer *w, const isw_value *value, unsigned depth)
{
    if (depth == ISW_CONVERT_MAX_DEPTH &&
        (value->type == ISW_VALUE_ARRAY || value->type == ISW_VALUE_MAP))
        return too_deep(w->error);
    switch (value->type) {
    case ISW_VALUE_ARRAY:
        return put_array(w, value, depth + 1);
    case ISW_VALUE_MAP:
        return put_map(w, &value->as.map, depth + 1);
    case ISW_VALUE_STRING:
        return put_string(w, value->as.string);
    case ISW_VALUE_JSON:
        return put_json(w, value->as.string);
    case ISW_VALUE_BYTES:
        iswi_buffer_append(&w->out, "\"", 1);
        iswi_base64_append(&w->out, value->as.bytes);
        iswi_buffer_append(&w->out, "\"", 1);
        return ISW_OK;
    case ISW_VALUE_HTTP:
    case ISW_VALUE_MODEL:
        return refuse(w, isw_value_type_name(value->type));
    case ISW_VALUE_DOUBLE:
        if (!isfinite(value->as.real))
            return refuse(w, "an infinity or NaN");
        break;
    default:
        break;
    }
    iswi_json_value(&w->out, value);
    return ISW_OK;
}

isw_status iswi_json_write(iswi_arena *arena, const isw_value *value, isw_str *out,
                           isw_error *error)
{
    writer w = { .error = error };
    isw_status status = put(&w, value, 0);
    isw_str text = { NULL, w.out.size };

    if (status == ISW_OK && !w.out.failed)
        text.data = iswi_arena_strndup(arena, (const char *)w.out.data, w.out.size);
    iswi_buffer_fini(&w.out);
    if (status != ISW_OK)
        return status;
    if (!text.data)
        return no_memory(error);
    *out = text;
    return ISW_OK;
}
