/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-decoding. Decoded text is never longer than its source. */
#include "url/percent.h"

#include "base/text.h"

/* The byte that the escape at text[at] stands for, or -1. */
static int escaped_byte(isw_str text, size_t at)
{
    int high = at + 2 < text.size ? iswi_hex_digit(text.data[at + 1]) : -1;
    int low = at + 2 < text.size ? iswi_hex_digit(text.data[at + 2]) : -1;

    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool iswi_percent_valid(isw_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '%' && escaped_byte(text, i) < 0)
            return false;
    return true;
}

size_t iswi_percent_decode(isw_str text, bool plus_is_space, char *out)
{
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];

        if (c == '%') {
            int byte = escaped_byte(text, i);

            if (byte < 0)
                return SIZE_MAX;
            c = (char)byte;
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        out[size++] = c;
    }
    return size;
}
