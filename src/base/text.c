/* SPDX-License-Identifier: Apache-2.0 */
/* Text helpers. decode_utf8 is the one place that reads UTF-8. */
#include "base/text.h"

bool iswi_glob_match(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *resume = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t iswi_edit_distance(const char *a, const char *b)
{
    enum { MOST = 63 };
    size_t row[3][MOST + 1];
    size_t an = strnlen(a, MOST);
    size_t bn = strnlen(b, MOST);

    for (size_t j = 0; j <= bn; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= an; i++) {
        size_t *now = row[i % 3];
        const size_t *up = row[(i - 1) % 3];
        const size_t *up2 = row[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= bn; j++) {
            now[j] = least(least(up[j] + 1, now[j - 1] + 1), up[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], up2[j - 2] + 1);
        }
    }
    return row[an % 3][bn];
}

/* The size of the character at `s` and, in *code, its code point; 0 if it is malformed. */
static size_t decode_utf8(const unsigned char *s, size_t left, uint32_t *code)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t size = s[0] < 0x80 ? 1 : s[0] >= 0xf8 ? 0 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3
                  : s[0] >= 0xc0 ? 2 : 0;

    if (size == 0 || size > left)
        return 0;
    *code = size == 1 ? s[0] : s[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (s[i] & 0x3f);
    }
    if (*code < smallest[size] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
        return 0;
    return size;
}

bool iswi_utf8_valid(const void *text, size_t size)
{
    const unsigned char *s = text;
    uint32_t code;

    while (size) {
        size_t step;

        /* Most text is ASCII: take eight bytes at a time while they are. */
        for (uint64_t eight; size >= 8; s += 8, size -= 8) {
            memcpy(&eight, s, 8);
            if (eight & UINT64_C(0x8080808080808080))
                break;
        }
        if (!size)
            break;
        step = decode_utf8(s, size, &code);
        if (step == 0)
            return false;
        s += step;
        size -= step;
    }
    return true;
}

size_t iswi_utf8_mend(isw_str text, char *out)
{
    const unsigned char *s = (const unsigned char *)text.data;
    size_t size = 0;
    uint32_t code;

    for (size_t left = text.size; left;) {
        size_t step = decode_utf8(s, left, &code);

        if (step) {
            memcpy(out + size, s, step);
            size += step;
        } else {
            out[size++] = (char)(0xc0 | *s >> 6);
            out[size++] = (char)(0x80 | (*s & 0x3f));
            step = 1;
        }
        s += step;
        left -= step;
    }
    return size;
}

/* How many bytes of JSON stand for themselves, at once. */
static size_t plain_bytes(const unsigned char *s, size_t left)
{
    size_t count = 0;

    while (count < left && s[count] >= ' ' && s[count] < 0x7f && s[count] != '"' &&
           s[count] != '\\')
        count++;
    return count;
}

void iswi_json_string(iswi_buffer *out, isw_str text)
{
    const unsigned char *s = (const unsigned char *)text.data;
    size_t left = text.size;

    iswi_buffer_append(out, "\"", 1);
    while (left) {
        uint32_t code = 0;
        size_t step = plain_bytes(s, left);

        if (step)
            code = ' ';
        else
            step = decode_utf8(s, left, &code);
        if (step == 0)
            iswi_buffer_append_text(out, "\\ufffd");
        else if (code == '"' || code == '\\')
            iswi_buffer_append(out, code == '"' ? "\\\"" : "\\\\", 2);
        else if (code == '\n')
            iswi_buffer_append_text(out, "\\n");
        else if (code < 0x20 || code == 0x7f)
            iswi_buffer_printf(out, "\\u%04x", (unsigned)code);
        else
            iswi_buffer_append(out, s, step);
        step = step ? step : 1;
        s += step;
        left -= step;
    }
    iswi_buffer_append(out, "\"", 1);
}

static bool is_unsafe_on_terminal(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c ||
           (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

void iswi_terminal_text(iswi_buffer *out, isw_str text)
{
    const unsigned char *s = (const unsigned char *)text.data;
    size_t left = text.size;

    while (left) {
        uint32_t code = 0;
        size_t step = decode_utf8(s, left, &code);

        if (step == 0)
            iswi_buffer_printf(out, "\\x%02x", s[0]);
        else if (!is_unsafe_on_terminal(code))
            iswi_buffer_append(out, s, step);
        else if (code == '\n' || code == '\r' || code == '\t')
            iswi_buffer_append_text(out, code == '\n' ? "\\n" : code == '\r' ? "\\r" : "\\t");
        else
            iswi_buffer_printf(out, code < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)code);
        step = step ? step : 1;
        s += step;
        left -= step;
    }
}

bool iswi_secret_equal(const void *a, const void *b, size_t size)
{
    const unsigned char *one = a;
    const unsigned char *other = b;
    unsigned char difference = 0;

    for (size_t i = 0; i < size; i++)
        difference |= one[i] ^ other[i];
    return difference == 0;
}

int iswi_text_compare(isw_str a, isw_str b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.data, b.data, size) : 0;

    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool iswi_function_name(isw_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return name.size && is_letter(name.data[0]);
}

bool iswi_binding_name(isw_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.')
            return false;
    }
    return name.size && (is_letter(name.data[0]) || name.data[0] == '_');
}

bool iswi_word_in(const char *list, isw_str token)
{
    while (list && *list) {
        size_t size = strcspn(list, " ,");

        if (size && isw_str_equal((isw_str){ list, size }, token))
            return true;
        list += size;
        list += strspn(list, " ,");
    }
    return false;
}

static bool is_of_word(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

bool iswi_may_be_reason(isw_str line)
{
    static const char *const followers[] = { " ", "\t", "Node.js v", "Require stack:", "- " };

    for (size_t i = 0; i < sizeof followers / sizeof followers[0]; i++) {
        const size_t size = strlen(followers[i]);

        if (line.size >= size && memcmp(line.data, followers[i], size) == 0)
            return false;
    }
    for (size_t i = 0; i < line.size; i++)
        if (is_of_word((unsigned char)line.data[i]))
            return true;
    return false;
}

char *iswi_lower_case(char *text)
{
    for (char *at = text; at && *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return text;
}

int iswi_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}
