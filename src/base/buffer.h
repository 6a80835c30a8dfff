/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_BUFFER_H
#define ISWI_BASE_BUFFER_H

/* Bytes that grow at the end. A failed append marks the buffer, so that a writer checks once, at
 * the end. One thread at a time. */
#include <isoworker/value.h>
#include <stdarg.h>

typedef struct iswi_buffer {
    unsigned char *data;
    size_t size;
    size_t capacity;
    bool failed; /* memory ran out; the content is cut there */
} iswi_buffer;

void iswi_buffer_fini(iswi_buffer *buffer); /* a zeroed buffer is a valid empty one */
void iswi_buffer_reset(iswi_buffer *buffer); /* empty it, keep its memory */

bool iswi_buffer_reserve(iswi_buffer *buffer, size_t more);
bool iswi_buffer_append(iswi_buffer *buffer, const void *bytes, size_t size);
bool iswi_buffer_append_text(iswi_buffer *buffer, const char *text);
bool iswi_buffer_vprintf(iswi_buffer *buffer, const char *format, va_list args) ISW_PRINTF(2, 0);
bool iswi_buffer_printf(iswi_buffer *buffer, const char *format, ...) ISW_PRINTF(2, 3);

/* The content with a NUL behind it (not counted in size); NULL when the buffer failed. */
const char *iswi_buffer_text(iswi_buffer *buffer);

#endif
