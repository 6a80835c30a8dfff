/* SPDX-License-Identifier: Apache-2.0 */
#include "base/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void iswi_faults_fini(iswi_faults *faults)
{
    iswi_buffer_fini(&faults->lines);
    *faults = (iswi_faults){ .count = 0 };
}

/* What an alias repeats is wrong at each place of it, and told once. */
static bool is_known(iswi_faults *faults, size_t from)
{
    const unsigned char *last = faults->lines.data + from;
    size_t size = faults->lines.size - from;

    return memmem(faults->lines.data, from, last, size) != NULL;
}

void iswi_faults_add(iswi_faults *faults, const char *text)
{
    size_t before;

    if (!faults || faults->count++ >= ISWI_FAULTS_MAX)
        return;
    before = faults->lines.size;
    for (; *text; text++)
        iswi_buffer_append(&faults->lines, *text == '\n' ? " " : text, 1);
    iswi_buffer_append(&faults->lines, "\n", 1);
    if (before && is_known(faults, before)) {
        faults->lines.size = before;
        faults->count--;
    }
}

void iswi_faults_say(iswi_faults *faults, const char *format, ...)
{
    char text[ISW_ERROR_MESSAGE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    iswi_faults_add(faults, text);
}

bool iswi_faults_go_on(const iswi_faults *faults, isw_status one, isw_status *all)
{
    if (one == ISW_OK)
        return true;
    if (*all == ISW_OK || one == ISW_E_NO_MEMORY)
        *all = one;
    return faults && faults->count < ISWI_FAULTS_MAX && one != ISW_E_NO_MEMORY;
}

/* -- Telling ----------------------------------------------------------------------------------- */

/* Where a sentence says that it stands: "FILE:LINE:COLUMN: ...". */
typedef struct placed {
    const char *line;
    size_t size;      /* of the sentence */
    size_t file_size; /* at its front; 0: it has no place */
    unsigned long row, column;
} placed;

/* The digits before `end` and the colon before them. NULL: there are none. */
static const char *number_before(const char *begin, const char *end, unsigned long *out)
{
    const char *at = end;

    while (at > begin && at[-1] >= '0' && at[-1] <= '9')
        at--;
    if (at == end || at == begin || at[-1] != ':')
        return NULL;
    *out = strtoul(at, NULL, 10);
    return at - 1;
}

static placed place_of(const char *line)
{
    placed is = { .line = line, .size = strcspn(line, "\n") };
    const char *at = memmem(line, is.size, ": ", 2);

    at = at ? number_before(line, at, &is.column) : NULL;
    at = at ? number_before(line, at, &is.row) : NULL;
    is.file_size = at ? (size_t)(at - line) : 0;
    return is;
}

/* Both stand in the same file, and `a` behind `b`. */
static bool is_behind(const placed *a, const placed *b)
{
    return a->file_size && a->file_size == b->file_size &&
           memcmp(a->line, b->line, a->file_size) == 0 &&
           (a->row > b->row || (a->row == b->row && a->column > b->column));
}

/* Checks find what is wrong in an order of their own; people mend a file from its top. Files stay in
 * the order in which they were told of. */
static size_t sort(const char *at, placed *out)
{
    size_t count = 0;

    while (*at && count < ISWI_FAULTS_MAX) {
        const placed is = place_of(at);
        size_t to = count++;

        for (; to > 0 && is_behind(&out[to - 1], &is); to--)
            out[to] = out[to - 1];
        out[to] = is;
        at += is.size + 1;
    }
    return count;
}

void iswi_faults_tell(iswi_faults *faults, const char *program, const isw_error *error,
                      iswi_buffer *out)
{
    const char *at = iswi_buffer_text(&faults->lines);
    placed sorted[ISWI_FAULTS_MAX];
    size_t count;

    if (!at || !*at) {
        iswi_buffer_printf(out, "%s: %s\n", program, error->message);
        return;
    }
    count = sort(at, sorted);
    for (size_t i = 0; i < count; i++)
        iswi_buffer_printf(out, "%s: %.*s\n", program, (int)sorted[i].size, sorted[i].line);
    if (faults->count > ISWI_FAULTS_MAX)
        iswi_buffer_printf(out, "%s: and %zu more\n", program, faults->count - ISWI_FAULTS_MAX);
}
