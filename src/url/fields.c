/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, values and parameters. Nothing here reads beyond the size of a text. */
#include "url/fields.h"

#include "base/text.h"

/* The bytes that a token may have, letters as small ones; 0 for the others. */
static const char token_bytes[256] =
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    "\0!\0#$%&'\0\0*+\0-.\0"
    "0123456789\0\0\0\0\0\0"
    "\0abcdefghijklmnopqrstuvwxyz\0\0\0^_"
    "`abcdefghijklmnopqrstuvwxyz\0|\0~";

static bool is_token_char(char c)
{
    return token_bytes[(unsigned char)c];
}

size_t iswi_field_token_size(isw_str text)
{
    size_t size = 0;

    while (size < text.size && is_token_char(text.data[size]))
        size++;
    return size;
}

size_t iswi_field_lower_token(char *text, size_t size)
{
    size_t at = 0;

    for (; at < size; at++) {
        char c = token_bytes[(unsigned char)text[at]];

        if (!c)
            break;
        text[at] = c;
    }
    return at;
}

bool iswi_field_is_token(isw_str text)
{
    return text.size > 0 && iswi_field_token_size(text) == text.size;
}

/* `byte` eight times. */
#define EIGHT(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether one of eight bytes is below a space, which the tab is, too, or DEL. */
static bool has_control(uint64_t eight)
{
    uint64_t del = eight ^ EIGHT(0x7f);

    return (((eight - EIGHT(0x20)) & ~eight) | ((del - EIGHT(1)) & ~del)) & EIGHT(0x80);
}

static bool is_bad(char byte)
{
    unsigned char c = (unsigned char)byte;

    return (c < 0x20 && c != '\t') || c == 0x7f;
}

size_t iswi_field_bad_byte(isw_str text)
{
    size_t at = 0;

    while (at < text.size) {
        size_t end = text.size;
        uint64_t eight;

        if (end - at >= 8) {
            end = at + 8;
            memcpy(&eight, text.data + at, 8);
            if (!has_control(eight))
                at = end;
        }
        for (; at < end; at++)
            if (is_bad(text.data[at]))
                return at;
    }
    return at;
}

bool iswi_field_is_value(isw_str text)
{
    return iswi_field_bad_byte(text) == text.size;
}

bool iswi_field_mend(isw_str *value, iswi_arena *arena)
{
    char *text;

    if (iswi_utf8_valid(value->data, value->size))
        return true;
    text = iswi_arena_alloc(arena, 2 * value->size);
    if (!text)
        return false;
    value->size = iswi_utf8_mend(*value, text);
    value->data = text;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static isw_str skip(isw_str text, size_t count)
{
    return (isw_str){ text.data + count, text.size - count };
}

static isw_str skip_space(isw_str text)
{
    while (text.size && is_space(*text.data))
        text = skip(text, 1);
    return text;
}

isw_str iswi_field_trim(isw_str text)
{
    text = skip_space(text);
    while (text.size && is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}

bool iswi_field_equal(isw_str text, const char *other)
{
    return isw_str_equal_nocase(text, isw_str_of(other));
}

isw_str iswi_field_split(isw_str *rest, char separator)
{
    const char *end = rest->size ? memchr(rest->data, separator, rest->size) : NULL;
    isw_str head = { rest->data, end ? (size_t)(end - rest->data) : rest->size };

    *rest = skip(*rest, head.size + (end ? 1 : 0));
    return iswi_field_trim(head);
}

/* -- Parameters -------------------------------------------------------------------------------- */

static isw_str take_token(isw_str *rest)
{
    isw_str token = { rest->data, iswi_field_token_size(*rest) };

    *rest = skip(*rest, token.size);
    return token;
}

/* How many bytes a backslash at text[at] makes up with what it escapes. */
static size_t escape_size(isw_str text, size_t at)
{
    bool pair = text.data[at] == '\\' && at + 1 < text.size &&
                (text.data[at + 1] == '"' || text.data[at + 1] == '\\');

    return pair ? 2 : 1;
}

/* *rest begins behind the first quote. */
static iswi_param_result take_quoted(isw_str *rest, iswi_arena *arena, isw_str *out)
{
    bool escapes = false;
    size_t end = 0;
    size_t size = 0;
    char *text;

    while (end < rest->size && rest->data[end] != '"') {
        const size_t used = escape_size(*rest, end);

        escapes = escapes || (used == 2 && rest->data[end + 1] == '"');
        end += used;
    }
    if (end >= rest->size)
        return ISWI_PARAM_BAD;
    text = iswi_arena_alloc(arena, end + 1);
    if (!text)
        return ISWI_PARAM_NO_MEMORY;
    for (size_t i = 0; i < end;) {
        size_t used = escapes ? escape_size(*rest, i) : 1;

        text[size++] = rest->data[i + used - 1];
        i += used;
    }
    *out = (isw_str){ text, size };
    *rest = skip(*rest, end + 1);
    return ISWI_PARAM_FOUND;
}

static iswi_param_result take_value(isw_str *rest, iswi_arena *arena, isw_str *out)
{
    if (rest->size && *rest->data == '"') {
        *rest = skip(*rest, 1);
        return take_quoted(rest, arena, out);
    }
    *out = take_token(rest);
    return out->size ? ISWI_PARAM_FOUND : ISWI_PARAM_BAD;
}

iswi_param_result iswi_param_next(isw_str *rest, iswi_arena *arena, isw_pair *out)
{
    iswi_param_result result;

    *rest = skip_space(*rest);
    while (rest->size && *rest->data == ';') { /* there may be nothing between two */
        *rest = skip_space(skip(*rest, 1));
        if (rest->size && *rest->data != ';')
            break;
    }
    if (!rest->size)
        return ISWI_PARAM_END;
    out->name = take_token(rest);
    if (!out->name.size || !rest->size || *rest->data != '=')
        return ISWI_PARAM_BAD;
    *rest = skip(*rest, 1);
    result = take_value(rest, arena, &out->value);
    if (result != ISWI_PARAM_FOUND)
        return result;
    *rest = skip_space(*rest);
    return rest->size && *rest->data != ';' ? ISWI_PARAM_BAD : ISWI_PARAM_FOUND;
}
