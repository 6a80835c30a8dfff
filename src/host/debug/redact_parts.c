/* SPDX-License-Identifier: Apache-2.0 */
/* Parts are found by their delimiter alone, and a name of a field by what stands behind "name=" in
 * a part's head: more readers agree on that than on the rest of it. */
#include "host/debug/redact_parts.h"

#include "base/text.h"
#include "value/typed.h"


static isw_str skip(isw_str text, size_t count)
{
    return (isw_str){ text.data + count, text.size - count };
}

/* Where `wanted` begins in `text`, letter case ignored; its size if nowhere. */
static size_t find_name(isw_str text, const char *wanted)
{
    size_t size = strlen(wanted);

    for (size_t i = 0; i + size <= text.size; i++)
        if (isw_str_equal_nocase((isw_str){ text.data + i, size }, isw_str_of(wanted)) &&
            (i == 0 || strchr("; \t\n", text.data[i - 1])))
            return i;
    return text.size;
}

/* The value behind `name=` in a head or a content type, without its quotes. */
static isw_str value_of(isw_str text, const char *name)
{
    isw_str value = skip(text, find_name(text, name));
    size_t size = 0;

    if (!value.size)
        return value;
    value = skip(value, strlen(name));
    if (value.size && *value.data == '"') {
        value = skip(value, 1);
        while (size < value.size && value.data[size] != '"')
            size++;
    } else {
        while (size < value.size && !strchr("; \t\r\n", value.data[size]))
            size++;
    }
    return (isw_str){ value.data, size };
}

/* The bytes before the next "--boundary"; all of them if there is none. */
static size_t content_size(isw_str text, isw_str delimiter)
{
    const char *end = text.size ? memmem(text.data, text.size, delimiter.data, delimiter.size)
                                : NULL;

    return end ? (size_t)(end - text.data) : text.size;
}

typedef struct output {
    char *data;
    size_t size;
} output;

static void copy(output *out, isw_str text)
{
    if (text.size)
        memcpy(out->data + out->size, text.data, text.size);
    out->size += text.size;
}

/* A part from behind its delimiter to the next one. */
static void copy_part(output *out, isw_str part, bool secret)
{
    const char *end = part.size ? memmem(part.data, part.size, "\r\n\r\n", 4) : NULL;

    if (!secret || !end) {
        copy(out, part);
        return;
    }
    copy(out, (isw_str){ part.data, (size_t)(end - part.data) + 4 });
    copy(out, isw_str_of(ISWI_REDACTED));
    copy(out, isw_str_of("\r\n"));
}

static isw_str head_of(isw_str part)
{
    const char *end = part.size ? memmem(part.data, part.size, "\r\n\r\n", 4) : NULL;

    return (isw_str){ part.data, end ? (size_t)(end - part.data) : 0 };
}

static size_t count_parts(isw_str body, isw_str delimiter)
{
    size_t count = 1;

    for (size_t at; (at = content_size(body, delimiter)) < body.size; count++)
        body = skip(body, at + delimiter.size);
    return count;
}

bool iswi_redact_parts(iswi_arena *arena, isw_str type, isw_str body,
                       bool (*is_secret)(const void *user, isw_str name), const void *user,
                       isw_str *out)
{
    isw_str boundary = value_of(type, "boundary=");
    const char *text = iswi_arena_printf(arena, "--%.*s", (int)boundary.size,
                                         boundary.size ? boundary.data : "");
    isw_str delimiter = isw_str_of(text);
    output made = { NULL, 0 };

    *out = body;
    if (!text || !boundary.size)
        return text != NULL;
    made.data = iswi_arena_alloc(arena, body.size + count_parts(body, delimiter) *
                                                        (sizeof ISWI_REDACTED + 2));
    if (!made.data)
        return false;
    while (body.size) {
        size_t size = content_size(body, delimiter);
        isw_str part = { body.data, size };

        copy_part(&made, part, is_secret(user, value_of(head_of(part), "name=")));
        body = skip(body, size);
        if (body.size) {
            copy(&made, delimiter);
            body = skip(body, delimiter.size);
        }
    }
    *out = (isw_str){ made.data, made.size };
    return true;
}
