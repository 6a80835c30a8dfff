/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-encoding. Decoded text is never longer than its source. */
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

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

void iswi_percent_encode(isw_str text, const char *also, iswi_buffer *out)
{
    for (size_t i = 0; i < text.size; i++)
        if (is_unreserved(text.data[i]) || (text.data[i] && strchr(also, text.data[i])))
            iswi_buffer_append(out, &text.data[i], 1);
        else
            iswi_buffer_printf(out, "%%%02X", (unsigned char)text.data[i]);
}
