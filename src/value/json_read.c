/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over a copy of the text, which its strings stay in: an escape is never shorter than what it
 * stands for, and a NUL takes the place of the quote. Values wait on a stack until their array or
 * object is whole. Invariant: the copy ends with a NUL, which no token contains, so that nothing is
 * read behind it.
 */
#include "value/json_read.h"

#include "base/buffer.h"
#include "base/number.h"
#include "base/text.h"

#include <isoworker/convert.h>
#include <string.h>

enum {
    DIGITS_MOST = 18,  /* of an integer that cannot be too large */
    REAL_MOST = 24,    /* bytes of a number with a fraction, which cannot be too large either */
    MEMBERS_MOST = 32, /* of an object whose names are compared with each other */
    STACK_BYTES = 32 * sizeof(isw_named_value)
};

typedef struct reader {
    iswi_arena *arena;
    char *at;
    iswi_buffer stack; /* of isw_named_value */
} reader;

static bool read_value(reader *r, unsigned depth, isw_value *out);

static void skip_space(reader *r)
{
    while (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t')
        r->at++;
}

/* -- Texts ------------------------------------------------------------------------------------- */

/* Four hex digits of a character that stands for itself: neither NUL nor half of one. 0: another. */
static unsigned read_code(const char *at)
{
    unsigned code = 0;

    for (int i = 0; i < 4; i++) {
        const int digit = iswi_hex_digit(at[i]);

        if (digit < 0)
            return 0;
        code = code << 4 | (unsigned)digit;
    }
    return code >= 0xd800 && code < 0xe000 ? 0 : code;
}

static char *put_code(char *to, unsigned code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    }
    return to;
}

/* Behind the backslash at r->at. NULL: it is none, or rare. */
static char *read_escape(reader *r, char *to)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    const char letter = r->at[1];
    const char *found = letter ? strchr(letters, letter) : NULL;
    unsigned code;

    if (found) {
        *to = meant[found - letters];
        r->at += 2;
        return to + 1;
    }
    code = letter == 'u' ? read_code(r->at + 2) : 0;
    r->at += 6;
    return code ? put_code(to, code) : NULL;
}

/* From the quote at r->at. */
static bool read_text(reader *r, isw_str *out)
{
    char *begin = ++r->at;
    char *to;
    unsigned char all = 0; /* bits of all its bytes */

    for (; (unsigned char)*r->at >= ' ' && *r->at != '"' && *r->at != '\\'; r->at++)
        all |= (unsigned char)*r->at;
    to = r->at;
    while (*r->at != '"') {
        if ((unsigned char)*r->at < ' ')
            return false;
        if (*r->at == '\\') {
            to = read_escape(r, to);
            if (!to)
                return false;
            continue;
        }
        all |= (unsigned char)*r->at;
        *to++ = *r->at++;
    }
    r->at++;
    *to = '\0';
    *out = (isw_str){ begin, (size_t)(to - begin) };
    return all < 0x80 || iswi_utf8_valid(out->data, out->size);
}

/* -- Numbers ----------------------------------------------------------------------------------- */

static char *skip_digits(char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

static bool read_real(reader *r, char *end, isw_value *out)
{
    const char after = *end;
    double number;
    bool taken;

    *end = '\0'; /* no letter behind it is a part of it */
    taken = iswi_double_read(r->at, &number);
    *end = after;
    r->at = end;
    *out = isw_value_double(taken ? number : 0);
    return taken;
}

static bool read_number(reader *r, isw_value *out)
{
    const bool negative = *r->at == '-';
    char *digits = r->at + negative;
    char *end = skip_digits(digits);
    int64_t number = 0;

    if (end == digits || (*digits == '0' && end - digits > 1) || end - digits > DIGITS_MOST ||
        *end == 'e' || *end == 'E')
        return false;
    if (*end == '.') {
        char *fraction = end + 1;

        end = skip_digits(fraction);
        return end > fraction && end - r->at <= REAL_MOST && *end != 'e' && *end != 'E' &&
               read_real(r, end, out);
    }
    for (const char *at = digits; at < end; at++)
        number = 10 * number + (*at - '0');
    *out = isw_value_int(negative ? -number : number);
    r->at = end;
    return true;
}

/* -- Arrays and objects ------------------------------------------------------------------------ */

static bool push(reader *r, const isw_named_value *item)
{
    return iswi_buffer_append(&r->stack, item, sizeof *item);
}

/* What came onto the stack since it had `from` bytes, as items of one kind. */
static const isw_named_value *pushed(const reader *r, size_t from, size_t *count)
{
    *count = (r->stack.size - from) / sizeof(isw_named_value);
    return (const isw_named_value *)(const void *)(r->stack.data + from);
}

static bool pop_array(reader *r, size_t from, isw_value *out)
{
    size_t count;
    const isw_named_value *items = pushed(r, from, &count);
    isw_value *values = iswi_arena_alloc(r->arena, (count + 1) * sizeof *values);

    for (size_t i = 0; values && i < count; i++)
        values[i] = items[i].value;
    r->stack.size = from;
    *out = isw_value_array(values, count);
    return values != NULL;
}

static bool are_different(const isw_named_value *items, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (items[i].name.size == items[j].name.size &&
                memcmp(items[i].name.data, items[j].name.data, items[i].name.size) == 0)
                return false;
    return count <= MEMBERS_MOST;
}

static bool pop_object(reader *r, size_t from, isw_value *out)
{
    size_t count;
    const isw_named_value *items = pushed(r, from, &count);
    isw_named_value *members;

    if (count > MEMBERS_MOST || !are_different(items, count))
        return false;
    members = iswi_arena_alloc(r->arena, (count + 1) * sizeof *members);
    if (members && count)
        memcpy(members, items, count * sizeof *members);
    r->stack.size = from;
    *out = isw_value_map(members, count);
    return members != NULL;
}

static bool read_name(reader *r, isw_str *out)
{
    if (*r->at != '"' || !read_text(r, out))
        return false;
    skip_space(r);
    return *r->at++ == ':';
}

/* What stands between the brackets, of which the first is at r->at. */
static bool read_items(reader *r, bool named, unsigned depth)
{
    const char close = named ? '}' : ']';
    isw_named_value item = { { NULL, 0 }, isw_value_none() };

    r->at++;
    skip_space(r);
    if (*r->at == close)
        return true;
    for (;;) {
        skip_space(r);
        if ((named && !read_name(r, &item.name)) || !read_value(r, depth, &item.value) ||
            !push(r, &item))
            return false;
        skip_space(r);
        if (*r->at != ',')
            return *r->at == close;
        r->at++;
    }
}

static bool read_many(reader *r, bool named, unsigned depth, isw_value *out)
{
    const size_t from = r->stack.size;

    if (depth == ISW_CONVERT_MAX_DEPTH || !read_items(r, named, depth + 1))
        return false;
    r->at++;
    return named ? pop_object(r, from, out) : pop_array(r, from, out);
}

static bool read_word(reader *r, const char *word, isw_value value, isw_value *out)
{
    const size_t size = strlen(word);

    if (strncmp(r->at, word, size) != 0)
        return false;
    r->at += size;
    *out = value;
    return true;
}

static bool read_value(reader *r, unsigned depth, isw_value *out)
{
    skip_space(r);
    switch (*r->at) {
    case '{':
        return read_many(r, true, depth, out);
    case '[':
        return read_many(r, false, depth, out);
    case '"':
        out->type = ISW_VALUE_STRING;
        return read_text(r, &out->as.string);
    case 't':
        return read_word(r, "true", isw_value_bool(true), out);
    case 'f':
        return read_word(r, "false", isw_value_bool(false), out);
    case 'n':
        return read_word(r, "null", isw_value_none(), out);
    default:
        return read_number(r, out);
    }
}

bool iswi_json_read(iswi_arena *arena, isw_str text, isw_value *out)
{
    reader r = { .arena = arena };
    const char *end;
    bool taken;

    if (!text.size || !(r.at = iswi_arena_strndup(arena, text.data, text.size)))
        return false;
    end = r.at + text.size;
    taken = iswi_buffer_reserve(&r.stack, STACK_BYTES) && read_value(&r, 0, out);
    if (taken)
        skip_space(&r);
    iswi_buffer_fini(&r.stack);
    return taken && r.at == end;
}
