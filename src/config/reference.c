/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables as text for people. One phrase for each type serves the reference and the refusals,
 * so that both always say the same. */
#include "base/buffer.h"
#include "config/check.h"
#include "config/scalar.h"

#include <inttypes.h>

static const char *phrase_of(const isw_option *row)
{
    switch ((int)row->type) {
    case ISW_OPTION_BOOL:
        return "true or false";
    case ISW_OPTION_INT:
        return "a whole number";
    case ISW_OPTION_DOUBLE:
        return "a number";
    case ISW_OPTION_STRING:
        return "a text";
    case ISW_OPTION_ENUM:
        return "one of";
    case ISW_OPTION_DURATION:
        return "a duration (250ms, 10s, 5m, 1h)";
    case ISW_OPTION_SIZE:
        return "a size (512, 64KiB, 16MiB, 1GiB)";
    case ISW_OPTION_SECRET:
        return "a reference to a secret (env:NAME, file:PATH)";
    case ISW_OPTION_PATH:
        return "a path";
    case ISW_OPTION_STRINGS:
        return "a list of texts";
    case ISW_OPTION_PROPERTIES:
        return "a mapping of names to texts";
    case (int)ISWI_OPTION_VARIABLES:
        return "a mapping of names to values, or a list of NAME=value";
    case ISW_OPTION_GROUP:
        return "a mapping";
    case ISW_OPTION_GROUP_LIST:
        return "a list of mappings";
    default:
        return "a list of names, each with or without options";
    }
}

static void write_number(const isw_option *row, int64_t number, iswi_buffer *out)
{
    char text[ISWI_SCALAR_TEXT_BYTES];

    if (row->type == ISW_OPTION_INT) {
        iswi_buffer_printf(out, "%" PRId64, number);
        return;
    }
    if (row->type == ISW_OPTION_SIZE)
        iswi_scalar_size_text(number, text);
    else
        iswi_scalar_duration_text(number, text);
    iswi_buffer_append_text(out, text);
}

/* A row with a least value and no greatest one has max 0, as one with neither. */
int64_t iswi_option_max(const isw_option *row)
{
    return row->max == 0 && row->min >= 0 ? INT64_MAX : row->max;
}

static void describe_range(const isw_option *row, iswi_buffer *out)
{
    if (iswi_option_max(row) != INT64_MAX) {
        iswi_buffer_append_text(out, " from ");
        write_number(row, row->min, out);
        iswi_buffer_append_text(out, " to ");
        write_number(row, row->max, out);
    } else if (row->min > 0 || row->type == ISW_OPTION_INT) {
        iswi_buffer_append_text(out, ", ");
        write_number(row, row->min, out);
        iswi_buffer_append_text(out, " or more");
    }
}

void iswi_option_describe(const isw_option *row, iswi_buffer *out)
{
    iswi_buffer_append_text(out, phrase_of(row));
    if (row->type == ISW_OPTION_INT || row->type == ISW_OPTION_DURATION ||
        row->type == ISW_OPTION_SIZE)
        describe_range(row, out);
    if (row->type == ISW_OPTION_ENUM)
        for (size_t i = 0; row->choices[i]; i++)
            iswi_buffer_printf(out, "%s %s", i ? "," : "", row->choices[i]);
}

/* -- The reference ----------------------------------------------------------------------------- */

/* Columns: name, type, default, help. Each level of nesting has its own widths. */
enum { NAME, TYPE, DEFAULT, HELP, COLUMNS };
enum { INDENT = 2, MOST_WIDTH = 48 };

static void write_cell(const isw_option *row, int column, iswi_buffer *out)
{
    iswi_buffer type = { 0 };
    const char *text;

    switch (column) {
    case NAME:
        iswi_buffer_append_text(out, row->name);
        break;
    case TYPE:
        iswi_option_describe(row, &type);
        text = iswi_buffer_text(&type);
        /* "a whole number" is for sentences; a table says "whole number". */
        if (text)
            iswi_buffer_append_text(out, strncmp(text, "a ", 2) == 0 ? text + 2 : text);
        else
            out->failed = true;
        iswi_buffer_fini(&type);
        break;
    case DEFAULT:
        if (row->default_value)
            iswi_buffer_printf(out, "default %s",
                               *row->default_value ? row->default_value : "\"\"");
        else if (row->optional)
            iswi_buffer_append_text(out, "optional");
        else if (row->type != ISW_OPTION_GROUP)
            iswi_buffer_append_text(out, "required");
        break;
    default:
        if (row->help)
            iswi_buffer_append_text(out, row->help);
    }
}

static size_t width_of(const isw_option *table, int column)
{
    iswi_buffer cell = { 0 };
    size_t width = 0;

    for (const isw_option *row = table; row && row->name; row++) {
        iswi_buffer_reset(&cell);
        write_cell(row, column, &cell);
        /* One long list of choices must not push all the other rows to the right. */
        if (cell.size > width && cell.size <= MOST_WIDTH)
            width = cell.size;
    }
    iswi_buffer_fini(&cell);
    return width;
}

static void write_row(const isw_option *row, const size_t *width, iswi_buffer *out)
{
    size_t owed = 0;

    for (int column = NAME; column < COLUMNS; column++) {
        size_t before;

        iswi_buffer_printf(out, "%*s", (int)owed, "");
        before = out->size;
        write_cell(row, column, out);
        owed = out->size - before < width[column] ? width[column] - (out->size - before) : 0;
        owed += INDENT;
    }
    while (out->size && out->data[out->size - 1] == ' ')
        out->size--;
    iswi_buffer_append_text(out, "\n");
}

void iswi_config_reference(const isw_option *table, unsigned indent, iswi_buffer *out)
{
    size_t width[COLUMNS];

    for (int column = NAME; column < COLUMNS; column++)
        width[column] = column == HELP ? 0 : width_of(table, column);
    for (const isw_option *row = table; row && row->name; row++) {
        iswi_buffer_printf(out, "%*s", (int)indent, "");
        write_row(row, width, out);
        if (row->group)
            iswi_config_reference(row->group, indent + INDENT, out);
    }
}
