/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer; capacity doubles. */
#include "base/buffer.h"

#include "base/alloc.h"

#include <stdio.h>

void iswi_buffer_fini(iswi_buffer *buffer)
{
    static const iswi_buffer empty;

    iswi_free(buffer->data);
    *buffer = empty;
}

void iswi_buffer_reset(iswi_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

bool iswi_buffer_reserve(iswi_buffer *buffer, size_t more)
{
    size_t capacity = buffer->capacity ? buffer->capacity : 256;
    unsigned char *grown;

    if (buffer->failed || more > SIZE_MAX / 2 - buffer->size)
        return !(buffer->failed = true);
    if (buffer->capacity - buffer->size >= more && buffer->data)
        return true;
    while (capacity - buffer->size < more)
        capacity *= 2;
    grown = iswi_realloc(buffer->data, capacity);
    if (!grown)
        return !(buffer->failed = true);
    buffer->data = grown;
    buffer->capacity = capacity;
    return true;
}

bool iswi_buffer_append(iswi_buffer *buffer, const void *bytes, size_t size)
{
    if (!iswi_buffer_reserve(buffer, size))
        return false;
    if (size)
        memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    return true;
}

bool iswi_buffer_append_text(iswi_buffer *buffer, const char *text)
{
    return iswi_buffer_append(buffer, text, strlen(text));
}

bool iswi_buffer_vprintf(iswi_buffer *buffer, const char *format, va_list args)
{
    const size_t room = buffer->failed ? 0 : buffer->capacity - buffer->size;
    va_list again;
    int size;

    va_copy(again, args);
    size = vsnprintf(room ? (char *)buffer->data + buffer->size : NULL, room, format, again);
    va_end(again);
    if (size >= 0 && (size_t)size < room) { /* mostly there is room already */
        buffer->size += (size_t)size;
        return true;
    }
    if (size < 0 || !iswi_buffer_reserve(buffer, (size_t)size + 1))
        return !(buffer->failed = true);
    vsnprintf((char *)buffer->data + buffer->size, (size_t)size + 1, format, args);
    buffer->size += (size_t)size;
    return true;
}

bool iswi_buffer_printf(iswi_buffer *buffer, const char *format, ...)
{
    va_list args;
    bool ok;

    va_start(args, format);
    ok = iswi_buffer_vprintf(buffer, format, args);
    va_end(args);
    return ok;
}

const char *iswi_buffer_text(iswi_buffer *buffer)
{
    if (!iswi_buffer_append(buffer, "", 1))
        return NULL;
    buffer->size--;
    return (const char *)buffer->data;
}
