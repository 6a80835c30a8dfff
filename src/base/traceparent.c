/* SPDX-License-Identifier: Apache-2.0 */
#include "base/traceparent.h"

#include <string.h>

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `size` bytes of lower-case hexadecimal digits, not all zero. */
static bool read_hex(const char *text, size_t size, unsigned char *out)
{
    unsigned char any = 0;

    for (size_t i = 0; i < size; i++) {
        int high = digit(text[2 * i]);
        int low = high < 0 ? -1 : digit(text[2 * i + 1]);

        if (low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
        any |= out[i];
    }
    return any != 0;
}

bool iswi_traceparent_read(isw_str text, iswi_traceparent *out)
{
    unsigned char parent[8];
    int high;
    int low;

    if (text.size < 55 || text.data[2] != '-' || text.data[35] != '-' || text.data[52] != '-' ||
        digit(text.data[0]) < 0 || digit(text.data[1]) < 0 || memcmp(text.data, "ff", 2) == 0)
        return false;
    if (text.size > 55 && (memcmp(text.data, "00", 2) == 0 || text.data[55] != '-'))
        return false;
    high = digit(text.data[53]);
    low = digit(text.data[54]);
    if (!read_hex(text.data + 3, 16, out->trace_id) || !read_hex(text.data + 36, 8, parent) ||
        high < 0 || low < 0)
        return false;
    memcpy(out->parent_id, text.data + 36, 16);
    out->parent_id[16] = '\0';
    out->flags = (unsigned)low & (ISWI_TRACE_SAMPLED | ISWI_TRACE_RANDOM);
    return true;
}
