/* SPDX-License-Identifier: Apache-2.0 */
#include "base/faults.h"

#include <stdio.h>

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

void iswi_faults_tell(iswi_faults *faults, const char *program, const isw_error *error,
                      iswi_buffer *out)
{
    const char *at = iswi_buffer_text(&faults->lines);

    if (!at || !*at) {
        iswi_buffer_printf(out, "%s: %s\n", program, error->message);
        return;
    }
    while (*at) {
        size_t size = strcspn(at, "\n");

        iswi_buffer_printf(out, "%s: %.*s\n", program, (int)size, at);
        at += size + 1;
    }
    if (faults->count > ISWI_FAULTS_MAX)
        iswi_buffer_printf(out, "%s: and %zu more\n", program, faults->count - ISWI_FAULTS_MAX);
}
