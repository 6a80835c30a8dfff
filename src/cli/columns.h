/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_COLUMNS_H
#define ISWI_CLI_COLUMNS_H

/* Tables for people: cells in columns as wide as they need, numbers to the right. One thread. */
#include "base/arena.h"

#include <stdio.h>

enum { ISWI_COLUMNS_MAX = 12 };

typedef struct iswi_columns {
    iswi_arena *arena; /* of the cells */
    const char *heads[ISWI_COLUMNS_MAX];
    bool right[ISWI_COLUMNS_MAX];
    unsigned count;
    char *(*rows)[ISWI_COLUMNS_MAX];
    size_t row_count, row_capacity;
    unsigned cell; /* the next one of the last row */
} iswi_columns;

/* A table with these heads; one that begins with '>' is of a column of numbers. */
void iswi_columns_init(iswi_columns *table, iswi_arena *arena, const char *const *heads);
void iswi_columns_fini(iswi_columns *table);

/* Begin a row, then give its cells from the left. What could drive a terminal is escaped. */
void iswi_columns_row(iswi_columns *table);
void iswi_columns_cell(iswi_columns *table, const char *format, ...) ISW_PRINTF(2, 3);

/* Text outside of a table, escaped alike. */
void iswi_columns_text(const char *text, FILE *file);

void iswi_columns_print(const iswi_columns *table, FILE *file);

#endif
