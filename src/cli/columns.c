/* SPDX-License-Identifier: Apache-2.0 */
/* Aligned tables. A cell that there was no memory for is empty. */
#include "cli/columns.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"

void iswi_columns_init(iswi_columns *table, iswi_arena *arena, const char *const *heads)
{
    *table = (iswi_columns){ .arena = arena };
    for (; heads[table->count] && table->count < ISWI_COLUMNS_MAX; table->count++) {
        table->right[table->count] = heads[table->count][0] == '>';
        table->heads[table->count] = heads[table->count] + table->right[table->count];
    }
}

void iswi_columns_fini(iswi_columns *table)
{
    iswi_free(table->rows);
}

void iswi_columns_row(iswi_columns *table)
{
    table->cell = ISWI_COLUMNS_MAX;
    if (!iswi_grow(&table->rows, &table->row_capacity, table->row_count, sizeof table->rows[0]))
        return;
    memset(table->rows[table->row_count++], 0, sizeof table->rows[0]);
    table->cell = 0;
}

void iswi_columns_cell(iswi_columns *table, const char *format, ...)
{
    iswi_buffer safe = { 0 };
    char *text;
    va_list args;

    if (table->cell >= table->count)
        return;
    va_start(args, format);
    text = iswi_arena_vprintf(table->arena, format, args);
    va_end(args);
    if (text)
        iswi_terminal_text(&safe, isw_str_of(text));
    table->rows[table->row_count - 1][table->cell++] =
        iswi_arena_strndup(table->arena, safe.data ? (char *)safe.data : "", safe.size);
    iswi_buffer_fini(&safe);
}

static const char *text_at(const iswi_columns *table, size_t row, unsigned column)
{
    const char *text = row == 0 ? table->heads[column] : table->rows[row - 1][column];

    return text ? text : "";
}

static size_t width_of(const iswi_columns *table, unsigned column)
{
    size_t width = 0;

    for (size_t row = 0; row <= table->row_count; row++)
        if (strlen(text_at(table, row, column)) > width)
            width = strlen(text_at(table, row, column));
    return width;
}

void iswi_columns_text(const char *text, FILE *file)
{
    iswi_buffer safe = { 0 };

    iswi_terminal_text(&safe, isw_str_of(text));
    fputs(iswi_buffer_text(&safe) ? iswi_buffer_text(&safe) : "", file);
    iswi_buffer_fini(&safe);
}

void iswi_columns_print(const iswi_columns *table, FILE *file)
{
    int widths[ISWI_COLUMNS_MAX];

    for (unsigned column = 0; column < table->count; column++)
        widths[column] = (int)width_of(table, column);
    for (size_t row = 0; row <= table->row_count; row++) {
        for (unsigned column = 0; column < table->count; column++) {
            bool last = column + 1 == table->count;
            int left = last ? 0 : -widths[column];

            fprintf(file, "  %*s", table->right[column] ? widths[column] : left,
                    text_at(table, row, column));
        }
        fputc('\n', file);
    }
}
