/* SPDX-License-Identifier: Apache-2.0 */
/* A struct as a map. */
#include "value/value.h"

#include <assert.h>

typedef struct unbinder {
    iswi_arena *arena;
    isw_error *error;
} unbinder;

static isw_status no_memory(unbinder *u)
{
    return isw_error_set(u->error, ISW_E_NO_MEMORY, "no memory for the value of a struct");
}

static isw_status unbind_struct(unbinder *u, const isw_field *fields, const unsigned char *in,
                                isw_value *out);

static isw_status unbind_enum(unbinder *u, const isw_field *row, int64_t index, isw_value *out)
{
    int64_t count = 0;

    while (row->choices[count])
        count++;
    if (index < 0 || index >= count)
        return isw_error_set(u->error, ISW_E_INVALID, "%s: %lld is the index of no choice",
                             row->name, (long long)index);
    *out = isw_value_string(row->choices[index]);
    return ISW_OK;
}

static isw_status unbind_one(unbinder *u, isw_field_type type, const isw_field *row,
                             const void *in, isw_value *out)
{
    const char *text;

    switch (type) {
    case ISW_FIELD_BOOL:
        *out = isw_value_bool(*(const bool *)in);
        return ISW_OK;
    case ISW_FIELD_INT:
        *out = isw_value_int(*(const int64_t *)in);
        return ISW_OK;
    case ISW_FIELD_DOUBLE:
        *out = isw_value_double(*(const double *)in);
        return ISW_OK;
    case ISW_FIELD_STRING:
        text = *(const char *const *)in;
        *out = text ? isw_value_string(text) : isw_value_none();
        return ISW_OK;
    case ISW_FIELD_BYTES:
        *out = isw_value_none();
        out->type = ISW_VALUE_BYTES;
        out->as.bytes = *(const isw_bytes *)in;
        return ISW_OK;
    case ISW_FIELD_ENUM:
        return unbind_enum(u, row, *(const int64_t *)in, out);
    case ISW_FIELD_VALUE:
        *out = *(const isw_value *)in;
        return ISW_OK;
    case ISW_FIELD_STRUCT:
        return unbind_struct(u, row->fields, in, out);
    default:
        assert(false); /* a row of the table has no type that is known */
        return ISW_E_INTERNAL;
    }
}

static isw_status unbind_array(unbinder *u, const isw_field *row, const unsigned char *base,
                               isw_value *out)
{
    const unsigned char *items = *(const unsigned char *const *)(const void *)(base + row->offset);
    size_t count = *(const size_t *)(const void *)(base + row->count_offset);
    size_t size = iswi_field_size(row->item_type, row);
    isw_value *values = iswi_arena_calloc(u->arena, count, sizeof *values);
    isw_status status = values ? ISW_OK : no_memory(u);

    for (size_t i = 0; status == ISW_OK && i < count; i++)
        status = unbind_one(u, row->item_type, row, items + i * size, &values[i]);
    *out = isw_value_array(values, count);
    return status;
}

static isw_status unbind_struct(unbinder *u, const isw_field *fields, const unsigned char *in,
                                isw_value *out)
{
    isw_named_value *members;
    size_t rows = 0;
    size_t count = 0;
    isw_status status = ISW_OK;

    while (fields[rows].name)
        rows++;
    members = iswi_arena_calloc(u->arena, rows, sizeof *members);
    if (!members)
        return no_memory(u);
    for (const isw_field *row = fields; status == ISW_OK && row->name; row++) {
        isw_named_value *member = &members[count];

        member->name = isw_str_of(row->name);
        if (row->type == ISW_FIELD_ARRAY)
            status = unbind_array(u, row, in, &member->value);
        else
            status = unbind_one(u, row->type, row, in + row->offset, &member->value);
        count += member->value.type != ISW_VALUE_NONE;
    }
    *out = isw_value_map(members, count);
    return status;
}

isw_status iswi_unbind(iswi_arena *arena, const isw_field *fields, const void *in, isw_value *out,
                       isw_error *error)
{
    unbinder u = { arena, error };

    return unbind_struct(&u, fields, in, out);
}
