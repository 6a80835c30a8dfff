/* SPDX-License-Identifier: Apache-2.0 */
/* A value into a struct, row by row. Invariant: a member is written only when its value fits. */
#include "value/value.h"

#include "base/buffer.h"
#include "base/number.h"

#include <assert.h>
#include <stdio.h>

/* The way from the root to a value, for messages. */
typedef struct place {
    const struct place *from; /* NULL at the root */
    const char *name;         /* of a member, or of the root */
    size_t index;             /* of an element, if name is NULL */
} place;

typedef struct binder {
    iswi_arena *arena;
    bool lenient;
    isw_error *error;
} binder;

static void write_place(const place *at, iswi_buffer *out)
{
    if (at->from)
        write_place(at->from, out);
    if (!at->name)
        iswi_buffer_printf(out, "[%zu]", at->index);
    else if (*at->name)
        iswi_buffer_printf(out, "%s%s", out->size ? "." : "", at->name);
}

static isw_status refuse(binder *b, const place *at, const char *format, ...) ISW_PRINTF(3, 4);

static isw_status refuse(binder *b, const place *at, const char *format, ...)
{
    char what[256];
    iswi_buffer path = { 0 };
    isw_status status;
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    write_place(at, &path);
    status = isw_error_set(b->error, ISW_E_INVALID, "%s%s%s",
                           path.size ? iswi_buffer_text(&path) : "", path.size ? ": " : "", what);
    iswi_buffer_fini(&path);
    return status;
}

static isw_status no_memory(binder *b)
{
    return isw_error_set(b->error, ISW_E_NO_MEMORY, "no memory for a struct");
}

static isw_status expected(binder *b, const place *at, const char *what, const isw_value *value)
{
    char found[ISWI_FOUND_BYTES];

    return refuse(b, at, "expected %s, found %s", what, iswi_found(value, found));
}

/* -- Scalars ----------------------------------------------------------------------------------- */

static bool is_text(const isw_value *value)
{
    return value->type == ISW_VALUE_STRING || value->type == ISW_VALUE_JSON;
}

/* Whether a value of another kind than its member's may be read as one. */
static bool may_convert(const binder *b, const isw_value *value)
{
    return b->lenient || !is_text(value);
}

static bool in_range(const isw_field *row, double number)
{
    iswi_limits limits = iswi_field_limits(row);

    /* A double knows numbers beyond those of an int64_t. */
    return (limits.min == INT64_MIN || number >= (double)limits.min) &&
           (limits.max == INT64_MAX || number <= (double)limits.max);
}

/* Refuse `number`, "a length of 9", for its row's limits. One that no value can meet is the
 * table's fault, not the caller's. */
static isw_status out_of_range(binder *b, const place *at, const isw_field *row, bool less,
                               const char *number)
{
    iswi_limits limits = iswi_field_limits(row);

    if (limits.min > limits.max)
        return isw_error_set(b->error, ISW_E_INTERNAL,
                             "the field \"%s\" has a range that no value can meet: at least %lld "
                             "and at most %lld", row->name, (long long)limits.min,
                             (long long)limits.max);
    return refuse(b, at, "%s is %s than %lld", number, less ? "less" : "more",
                  (long long)(less ? limits.min : limits.max));
}

static isw_status size_out_of_range(binder *b, const place *at, const isw_field *row,
                                    const char *what, size_t size)
{
    char number[64];

    snprintf(number, sizeof number, "%s%zu", what, size);
    return out_of_range(b, at, row, (double)size < (double)iswi_field_limits(row).min, number);
}

static isw_status bind_int(binder *b, const place *at, const isw_field *row, const isw_value *value,
                           int64_t *out)
{
    iswi_limits limits;
    int64_t number;
    char text[32];

    if (!may_convert(b, value) || isw_value_to_int(value, &number, NULL) != ISW_OK)
        return expected(b, at, "integer", value);
    limits = iswi_field_limits(row);
    if (number < limits.min || number > limits.max) {
        snprintf(text, sizeof text, "%lld", (long long)number);
        return out_of_range(b, at, row, number < limits.min, text);
    }
    *out = number;
    return ISW_OK;
}

static isw_status bind_double(binder *b, const place *at, const isw_field *row,
                              const isw_value *value, double *out)
{
    double number;
    char text[ISWI_DOUBLE_BYTES];

    if (!may_convert(b, value) || isw_value_to_double(value, &number, NULL) != ISW_OK)
        return expected(b, at, "number", value);
    if (!in_range(row, number)) {
        iswi_double_text(number, text);
        return out_of_range(b, at, row, number < (double)iswi_field_limits(row).min, text);
    }
    *out = number;
    return ISW_OK;
}

static isw_status bind_bool(binder *b, const place *at, const isw_value *value, bool *out)
{
    if (!may_convert(b, value) || isw_value_to_bool(value, out, NULL) != ISW_OK)
        return expected(b, at, "true or false", value);
    return ISW_OK;
}

static isw_status bind_string(binder *b, const place *at, const isw_field *row,
                              const isw_value *value, const char **out)
{
    char *copy;

    if (!is_text(value))
        return expected(b, at, "string", value);
    if (value->as.string.size && memchr(value->as.string.data, 0, value->as.string.size))
        return refuse(b, at, "holds a NUL");
    if (!in_range(row, (double)value->as.string.size))
        return size_out_of_range(b, at, row, "its length of ", value->as.string.size);
    copy = iswi_arena_strndup(b->arena, value->as.string.data, value->as.string.size);
    *out = copy;
    return copy ? ISW_OK : no_memory(b);
}

static isw_status bind_bytes(binder *b, const place *at, const isw_field *row,
                             const isw_value *value, isw_bytes *out)
{
    isw_bytes bytes;

    if (isw_value_to_bytes(value, &bytes, NULL) != ISW_OK)
        return expected(b, at, "bytes", value);
    if (!in_range(row, (double)bytes.size))
        return size_out_of_range(b, at, row, "its size of ", bytes.size);
    *out = bytes;
    return ISW_OK;
}

static isw_status bind_enum(binder *b, const place *at, const isw_field *row,
                            const isw_value *value, int64_t *out)
{
    char found[ISWI_FOUND_BYTES];
    iswi_buffer names = { 0 };
    isw_status status;

    if (!is_text(value))
        return expected(b, at, "string", value);
    for (int64_t i = 0; row->choices[i]; i++) {
        if (isw_str_equal(value->as.string, isw_str_of(row->choices[i]))) {
            *out = i;
            return ISW_OK;
        }
    }
    for (size_t i = 0; row->choices[i]; i++)
        iswi_buffer_printf(&names, "%s%s", i ? ", " : "", row->choices[i]);
    status = refuse(b, at, "%s is none of %s", iswi_found(value, found) + strlen("string "),
                    names.size ? iswi_buffer_text(&names) : "nothing");
    iswi_buffer_fini(&names);
    return status;
}

/* -- Structs and arrays ------------------------------------------------------------------------ */

static isw_status bind_struct(binder *b, const place *at, const isw_field *fields,
                              const isw_value *value, unsigned char *out);

static isw_status bind_one(binder *b, const place *at, isw_field_type type, const isw_field *row,
                           const isw_value *value, void *out)
{
    switch (type) {
    case ISW_FIELD_BOOL:
        return bind_bool(b, at, value, out);
    case ISW_FIELD_INT:
        return bind_int(b, at, row, value, out);
    case ISW_FIELD_DOUBLE:
        return bind_double(b, at, row, value, out);
    case ISW_FIELD_STRING:
        return bind_string(b, at, row, value, out);
    case ISW_FIELD_BYTES:
        return bind_bytes(b, at, row, value, out);
    case ISW_FIELD_ENUM:
        return bind_enum(b, at, row, value, out);
    case ISW_FIELD_STRUCT:
        return bind_struct(b, at, row->fields, value, out);
    case ISW_FIELD_VALUE:
        *(isw_value *)out = *value;
        return ISW_OK;
    default:
        assert(false); /* a row of the table has no type that is known */
        return ISW_E_INTERNAL;
    }
}

static isw_status bind_array(binder *b, const place *at, const isw_field *row,
                             const isw_value *value, unsigned char *base)
{
    isw_field item = *row; /* its limits are those of the array */
    size_t size = iswi_field_size(row->item_type, row);
    size_t count = value->as.array.count;
    unsigned char *items;
    isw_status status = ISW_OK;

    if (value->type != ISW_VALUE_ARRAY)
        return expected(b, at, "array", value);
    if (!in_range(row, (double)count))
        return size_out_of_range(b, at, row, "its number of items, ", count);
    assert(size);
    item.min = item.max = 0;
    items = iswi_arena_calloc(b->arena, count, size);
    if (!items)
        return no_memory(b);
    for (size_t i = 0; status == ISW_OK && i < count; i++) {
        const place inner = { at, NULL, i };

        status = bind_one(b, &inner, row->item_type, &item, &value->as.array.items[i],
                          items + i * size);
    }
    *(void **)(base + row->offset) = items;
    *(size_t *)(base + row->count_offset) = count;
    return status;
}

/* All zero, with the defaults of its rows. */
static isw_status bind_missing(binder *b, const place *at, const isw_field *row,
                               unsigned char *base)
{
    binder text = { b->arena, true, b->error };
    isw_value value;

    if (row->required)
        return refuse(b, at, "is required");
    if (row->type == ISW_FIELD_ARRAY) {
        *(void **)(base + row->offset) = NULL;
        *(size_t *)(base + row->count_offset) = 0;
        return ISW_OK;
    }
    if (row->type == ISW_FIELD_STRUCT) {
        value = isw_value_map(NULL, 0);
        return bind_struct(b, at, row->fields, &value, base + row->offset);
    }
    memset(base + row->offset, 0, iswi_field_size(row->type, row));
    if (!row->default_value)
        return ISW_OK;
    value = isw_value_string(row->default_value);
    return bind_one(&text, at, row->type, row, &value, base + row->offset);
}

static isw_status bind_struct(binder *b, const place *at, const isw_field *fields,
                              const isw_value *value, unsigned char *out)
{
    isw_status status = ISW_OK;

    if (value->type != ISW_VALUE_MAP)
        return expected(b, at, "object", value);
    for (const isw_field *row = fields; status == ISW_OK && row->name; row++) {
        const place inner = { at, row->name, 0 };
        const isw_value *member = NULL;

        for (size_t i = 0; !member && i < value->as.map.count; i++)
            if (isw_str_equal(value->as.map.items[i].name, isw_str_of(row->name)))
                member = &value->as.map.items[i].value;
        if (!member || member->type == ISW_VALUE_NONE)
            status = bind_missing(b, &inner, row, out);
        else if (row->type == ISW_FIELD_ARRAY)
            status = bind_array(b, &inner, row, member, out);
        else
            status = bind_one(b, &inner, row->type, row, member, out + row->offset);
    }
    return status;
}

isw_status iswi_bind(iswi_arena *arena, const isw_value *from, const char *root,
                     const isw_field *fields, bool lenient, void *out, isw_error *error)
{
    binder b = { arena, lenient, error };
    const place top = { NULL, root, 0 };
    isw_value parsed;

    if (from->type == ISW_VALUE_JSON) {
        isw_error own = { ISW_OK, "" };
        isw_status status = iswi_json_parse(arena, from->as.string, &parsed, &own);

        if (status != ISW_OK)
            return refuse(&b, &top, "%s", own.message);
        from = &parsed;
    }
    return bind_struct(&b, &top, fields, from, out);
}

/* -- Pairs ------------------------------------------------------------------------------------- */

static isw_value all_of_name(iswi_arena *arena, const isw_pairs *pairs, isw_str name)
{
    isw_value *items = iswi_arena_calloc(arena, pairs->count, sizeof *items);
    size_t count = 0;

    for (size_t i = 0; items && i < pairs->count; i++)
        if (isw_str_equal(pairs->items[i].name, name))
            items[count++] = isw_value_text(pairs->items[i].value);
    return isw_value_array(items, count);
}

const isw_value *iswi_bind_pairs_value(iswi_arena *arena, const isw_pairs *pairs,
                                       const isw_field *fields)
{
    isw_value *map = iswi_arena_alloc(arena, sizeof *map);
    isw_named_value *items;
    size_t rows = 0;
    size_t count = 0;

    while (fields[rows].name)
        rows++;
    items = iswi_arena_calloc(arena, rows, sizeof *items);
    if (!map || !items)
        return NULL;
    for (const isw_field *row = fields; row->name; row++) {
        isw_str name = isw_str_of(row->name);
        isw_value all = all_of_name(arena, pairs, name);

        if (!all.as.array.items)
            return NULL;
        if (all.as.array.count)
            items[count++] = (isw_named_value){
                name, row->type == ISW_FIELD_ARRAY ? all : all.as.array.items[0]
            };
    }
    *map = isw_value_map(items, count);
    return map;
}
