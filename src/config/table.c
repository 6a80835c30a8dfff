/* SPDX-License-Identifier: Apache-2.0 */
/* An option table against its own rules. Those of other programs come in shared objects: a slip in
 * one must be a sentence at start, and never a write beside the struct that it describes. */
#include "config/phrase.h"
#include "config/scalar.h"

enum { MAX_ROWS = 256 };

typedef struct table {
    const isw_option *rows;
    size_t size; /* of the struct that they describe */
    unsigned depth;
    isw_error *error;
} table;

/* -- Where a value lies ------------------------------------------------------------------------ */

/* Bytes of a row's value; 0 for a type that there is not. */
static size_t size_of(const isw_option *row)
{
    switch (row->type) {
    case ISW_OPTION_BOOL:
        return sizeof(bool);
    case ISW_OPTION_INT:
    case ISW_OPTION_ENUM:
    case ISW_OPTION_DURATION:
    case ISW_OPTION_SIZE:
        return sizeof(int64_t);
    case ISW_OPTION_DOUBLE:
        return sizeof(double);
    case ISW_OPTION_STRING:
    case ISW_OPTION_SECRET:
    case ISW_OPTION_PATH:
        return sizeof(char *);
    case ISW_OPTION_STRINGS:
    case ISW_OPTION_PROPERTIES:
        return sizeof(isw_option_strings);
    case ISW_OPTION_GROUP:
        return row->group_size;
    case ISW_OPTION_GROUP_LIST:
        return sizeof(isw_option_list);
    }
    return 0;
}

size_t iswi_option_bytes(const isw_option *row)
{
    switch ((int)row->type) {
    case (int)ISWI_OPTION_VARIABLES:
    case (int)ISWI_OPTION_TEXTS:
        return sizeof(isw_option_strings);
    case (int)ISWI_OPTION_SHORT_GROUP:
        return row->group_size;
    default:
        return size_of(row);
    }
}

static bool overlap(const isw_option *a, const isw_option *b)
{
    return a->offset < b->offset + size_of(b) && b->offset < a->offset + size_of(a);
}

static isw_status check_place(const table *t, const isw_option *row)
{
    size_t size = size_of(row);

    if (size > t->size || row->offset > t->size - size)
        return isw_error_set(t->error, ISW_E_INVALID,
                             "option \"%s\" takes %zu bytes at offset %zu of a struct of %zu; see "
                             "its offset, and the size that goes with the table",
                             row->name, size, row->offset, t->size);
    for (const isw_option *other = t->rows; other < row; other++) {
        if (strcmp(other->name, row->name) == 0)
            return isw_error_set(t->error, ISW_E_INVALID, "two options are named \"%s\"",
                                 row->name);
        if (overlap(other, row))
            return isw_error_set(t->error, ISW_E_INVALID,
                                 "options \"%s\" and \"%s\" lie in the same bytes; give each the "
                                 "offsetof of its member", other->name, row->name);
    }
    return ISW_OK;
}

/* -- What a value may be ----------------------------------------------------------------------- */

static bool number_fits(const isw_option *row,
                        const char *(*read)(const char *text, int64_t *out))
{
    int64_t number = 0;

    return !read(row->default_value, &number) && number >= row->min &&
           number <= iswi_option_max(row);
}

static bool is_choice(const isw_option *row, const char *text)
{
    for (size_t i = 0; row->choices[i]; i++)
        if (strcmp(row->choices[i], text) == 0)
            return true;
    return false;
}

static bool default_fits(const isw_option *row)
{
    const char *text = row->default_value;
    double fraction;
    bool truth;

    switch (row->type) {
    case ISW_OPTION_BOOL:
        return !iswi_scalar_bool(text, &truth);
    case ISW_OPTION_DOUBLE:
        return !iswi_scalar_double(text, &fraction);
    case ISW_OPTION_INT:
        return number_fits(row, iswi_scalar_int);
    case ISW_OPTION_DURATION:
        return number_fits(row, iswi_scalar_duration);
    case ISW_OPTION_SIZE:
        return number_fits(row, iswi_scalar_size);
    case ISW_OPTION_ENUM:
        return is_choice(row, text);
    case ISW_OPTION_STRINGS:
        return *text == '[' && text[strlen(text) - 1] == ']';
    default: /* any text; what a secret or a path refers to is seen when it is used */
        return true;
    }
}

static isw_status refuse_default(const table *t, const isw_option *row)
{
    iswi_buffer must_be = { 0 };

    iswi_option_describe(row, &must_be);
    isw_error_set(t->error, ISW_E_INVALID, "the default of option \"%s\" must be %s, not \"%s\"",
                  row->name, iswi_buffer_text(&must_be) ? iswi_buffer_text(&must_be) : "another",
                  row->default_value);
    iswi_buffer_fini(&must_be);
    return ISW_E_INVALID;
}

/* What is missing or too much in a row of its type; NULL: nothing. */
static const char *fault_of(const isw_option *row)
{
    bool group = row->type == ISW_OPTION_GROUP || row->type == ISW_OPTION_GROUP_LIST;

    if (size_of(row) == 0 && !group)
        return "has a type that this isoworker does not know";
    if (row->type == ISW_OPTION_ENUM && (!row->choices || !row->choices[0]))
        return "has no choices";
    if (group && (!row->group || !row->group_size))
        return "has no group, which is the table of what stands in it, or no group_size";
    if (row->default_value && row->type > ISW_OPTION_STRINGS)
        return "has a default, which its type cannot have";
    if (row->min > iswi_option_max(row))
        return "has a min above its max";
    return NULL;
}

static isw_status check_table(const table *t);

static isw_status check_row(const table *t, const isw_option *row)
{
    const table inner = { row->group, row->group_size, t->depth + 1, t->error };
    const char *fault = fault_of(row);
    isw_status status;

    if (!*row->name || row->name[strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return isw_error_set(t->error, ISW_E_INVALID,
                             "\"%s\" is no name for an option: lower case letters, digits, '_'",
                             row->name);
    if (fault)
        return isw_error_set(t->error, ISW_E_INVALID, "option \"%s\" %s", row->name, fault);
    if (row->default_value && !default_fits(row))
        return refuse_default(t, row);
    status = check_place(t, row);
    return status == ISW_OK && row->group ? check_table(&inner) : status;
}

/* A row that has lost its name does not. */
static bool ends(const isw_option *row)
{
    return !row->name && !row->type && !row->offset && !row->default_value && !row->help;
}

static isw_status check_table(const table *t)
{
    isw_status status = ISW_OK;

    if (t->depth > ISWI_CONFIG_MAX_DEPTH)
        return isw_error_set(t->error, ISW_E_INVALID,
                             "options are nested deeper than %d levels; a group must not hold "
                             "itself", ISWI_CONFIG_MAX_DEPTH);
    for (size_t i = 0; status == ISW_OK && t->rows && !ends(&t->rows[i]); i++) {
        if (!t->rows[i].name)
            return isw_error_set(t->error, ISW_E_INVALID,
                                 "row %zu of a table of options has no name; only the last one, "
                                 "{ 0 }, has none", i + 1);
        if (i == MAX_ROWS)
            return isw_error_set(t->error, ISW_E_INVALID,
                                 "there are more than %d options in one table, which has to end "
                                 "with { 0 }", MAX_ROWS);
        status = check_row(t, &t->rows[i]);
    }
    return status;
}

isw_status iswi_option_table_check(const isw_option *rows, size_t size, isw_error *error)
{
    return check_table(&(table){ rows, size, 0, error });
}
