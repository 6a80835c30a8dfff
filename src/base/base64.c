/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void iswi_base64_append(iswi_buffer *out, isw_bytes bytes)
{
    const unsigned char *at = bytes.data;
    char *to;

    if (!iswi_buffer_reserve(out, (bytes.size + 2) / 3 * 4))
        return;
    to = (char *)out->data + out->size;
    for (size_t left = bytes.size; left; left -= left < 3 ? left : 3, at += 3, to += 4) {
        unsigned group = (unsigned)at[0] << 16 | (left > 1 ? (unsigned)at[1] << 8 : 0) |
                         (left > 2 ? at[2] : 0);

        to[0] = digits[group >> 18];
        to[1] = digits[group >> 12 & 63];
        to[2] = left > 1 ? digits[group >> 6 & 63] : '=';
        to[3] = left > 2 ? digits[group & 63] : '=';
    }
    out->size = (size_t)(to - (char *)out->data);
}

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

isw_status iswi_base64_read(iswi_arena *arena, isw_str text, isw_bytes *out)
{
    unsigned char *bytes = iswi_arena_alloc(arena, text.size + 1);
    size_t size = 0;
    uint32_t bits = 0;

    if (!bytes)
        return ISW_E_NO_MEMORY;
    while (text.size && text.data[text.size - 1] == '=')
        text.size--;
    for (size_t i = 0; i < text.size; i++) {
        int next = sextet(text.data[i]);

        if (next < 0)
            return ISW_E_INVALID;
        bits = bits << 6 | (uint32_t)next;
        if (i % 4)
            bytes[size++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
    }
    *out = (isw_bytes){ bytes, size };
    return ISW_OK;
}
