/* SPDX-License-Identifier: Apache-2.0 */
/* A table of fields against its own rules: a slip in one is a sentence when the worker is
 * configured, and never blamed on those who send the values. */
#include "value/value.h"

#include <stdio.h>

enum { PATH_BYTES = 256, ROWS_MAX = 1024 };

/* The way to a table, so that one which holds itself, as a tree's does, has an end. */
typedef struct level {
    const struct level *outer;
    const isw_field *fields;
    char path[PATH_BYTES]; /* "order.lines." */
} level;

static bool is_sized(isw_field_type type)
{
    return type == ISW_FIELD_STRING || type == ISW_FIELD_BYTES || type == ISW_FIELD_ARRAY;
}

static bool has_type(const isw_field *row)
{
    if (row->type == ISW_FIELD_ARRAY)
        return row->item_type >= ISW_FIELD_BOOL && row->item_type < ISW_FIELD_ARRAY;
    return row->type >= ISW_FIELD_BOOL && row->type <= ISW_FIELD_ARRAY;
}

static bool is_of(const isw_field *row, isw_field_type type)
{
    return row->type == type || (row->type == ISW_FIELD_ARRAY && row->item_type == type);
}

static isw_status refuse_range(const isw_field *row, const char *path, isw_error *error)
{
    iswi_limits limits = iswi_field_limits(row);

    if (limits.min > limits.max)
        return isw_error_set(error, ISW_E_INVALID,
                             "%s%s: no value is at least %lld and at most %lld", path, row->name,
                             (long long)limits.min, (long long)limits.max);
    if (is_sized(row->type) && limits.max < 0)
        return isw_error_set(error, ISW_E_INVALID, "%s%s: no size is at most %lld", path,
                             row->name, (long long)limits.max);
    return ISW_OK;
}

/* Whether the default is a value that may stand there. */
static isw_status check_default(const isw_field *row, const char *path, isw_error *error)
{
    const isw_value nothing = isw_value_map(NULL, 0);
    isw_field table[2] = { *row, { 0 } };
    isw_error own = { ISW_OK, "" };
    unsigned char out[sizeof(isw_value)];
    iswi_arena arena;

    if (!row->default_value || row->type == ISW_FIELD_ARRAY || row->type == ISW_FIELD_STRUCT)
        return ISW_OK;
    table[0].offset = 0;
    table[0].required = false;
    iswi_arena_init(&arena, 256);
    iswi_bind(&arena, &nothing, "", table, false, out, &own);
    iswi_arena_fini(&arena);
    if (own.status == ISW_OK)
        return ISW_OK;
    return isw_error_set(error, own.status, "%s%s has a default that may not stand there (%s)",
                         path, row->name, own.message);
}

static isw_status check_table(const level *at, isw_error *error);

static isw_status check_inner(const level *at, const isw_field *row, isw_error *error)
{
    level inner = { at, row->fields, "" };

    for (const level *outer = at; outer; outer = outer->outer)
        if (outer->fields == row->fields)
            return ISW_OK;
    if (snprintf(inner.path, sizeof inner.path, "%s%s%s.", at->path, row->name,
                 row->type == ISW_FIELD_ARRAY ? "[]" : "") < 0)
        return ISW_OK;
    return check_table(&inner, error);
}

static isw_status check_row(const level *at, const isw_field *row, isw_error *error)
{
    isw_status status;

    if (!has_type(row))
        return isw_error_set(error, ISW_E_INVALID, "%s%s has no type that is known", at->path,
                             row->name);
    if (is_of(row, ISW_FIELD_ENUM) && (!row->choices || !row->choices[0]))
        return isw_error_set(error, ISW_E_INVALID, "%s%s has no choices", at->path, row->name);
    if (is_of(row, ISW_FIELD_STRUCT) && !row->fields)
        return isw_error_set(error, ISW_E_INVALID, "%s%s has no fields", at->path, row->name);
    if (row->type == ISW_FIELD_ARRAY && row->item_type == ISW_FIELD_STRUCT && !row->item_size)
        return isw_error_set(error, ISW_E_INVALID, "%s%s has no item_size", at->path, row->name);
    for (const isw_field *other = at->fields; other < row; other++)
        if (strcmp(other->name, row->name) == 0)
            return isw_error_set(error, ISW_E_INVALID, "%s%s is there twice", at->path, row->name);
    status = refuse_range(row, at->path, error);
    if (status == ISW_OK)
        status = check_default(row, at->path, error);
    return status == ISW_OK && is_of(row, ISW_FIELD_STRUCT) ? check_inner(at, row, error) : status;
}

static isw_status check_table(const level *at, isw_error *error)
{
    isw_status status = ISW_OK;

    for (size_t i = 0; status == ISW_OK && (at->fields[i].name || at->fields[i].type); i++)
        status = !at->fields[i].name
                     ? isw_error_set(error, ISW_E_INVALID,
                                     "row %zu of the table of %.*s has no name; only the last one, "
                                     "{ 0 }, has none", i + 1, (int)strlen(at->path) - 1, at->path)
                 : i < ROWS_MAX
                     ? check_row(at, &at->fields[i], error)
                     : isw_error_set(error, ISW_E_INVALID,
                                     "%s has more than %d rows; does it end with { 0 }?", at->path,
                                     ROWS_MAX);
    return status;
}

isw_status iswi_fields_check(const isw_field *fields, const char *root, isw_error *error)
{
    level top = { NULL, fields, "" };

    snprintf(top.path, sizeof top.path, "%s.", root);
    return check_table(&top, error);
}
