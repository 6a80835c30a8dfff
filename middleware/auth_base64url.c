/* SPDX-License-Identifier: Apache-2.0 */
#include "auth_base64url.h"

#include <stdint.h>

/* The value of a digit, or -1. */
static int digit_value(unsigned char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '-' ? 62 : digit == '_' ? 63 : -1;
}

size_t auth_base64url_size(isw_str text)
{
    /* Bits of the last digit that belong to no byte, by how many digits the last group of four
     * has. */
    static const int unused[] = { 0, 0, 15, 3 };
    int digit = 0;

    for (size_t i = 0; i < text.size; i++) {
        digit = digit_value((unsigned char)text.data[i]);
        if (digit < 0)
            return SIZE_MAX;
    }
    if (text.size % 4 == 1 || digit & unused[text.size % 4])
        return SIZE_MAX;
    return text.size / 4 * 3 + text.size % 4 * 3 / 4;
}

void auth_base64url_decode(isw_str text, char *out)
{
    unsigned value = 0;
    unsigned bits = 0;

    for (size_t i = 0; i < text.size; i++) {
        value = (value << 6 | (unsigned)digit_value((unsigned char)text.data[i])) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *out++ = (char)(value >> bits & 0xff);
        }
    }
}
