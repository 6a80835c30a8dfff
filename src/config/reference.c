/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables as text for people. */
#include "config/phrase.h"

#include <string.h>

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
        else if (row->type != ISW_OPTION_GROUP && row->type != ISWI_OPTION_SHORT_GROUP)
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
