/* SPDX-License-Identifier: Apache-2.0 */
/* The MessagePack reader. Invariant: `at` never passes `end`. */
#include "wire/cursor.h"

#include "wire/limits.h"

static bool take_number(iswi_cursor *cursor, size_t width, uint64_t *number)
{
    if ((size_t)(cursor->end - cursor->at) < width)
        return false;
    *number = 0;
    for (size_t i = 0; i < width; i++)
        *number = *number << 8 | *cursor->at++;
    return true;
}

static bool take_apart(iswi_cursor *cursor, iswi_token *token, iswi_token_type type, uint64_t size)
{
    if (!cursor->apart.data || cursor->apart.size != size || type != ISWI_TOKEN_BIN)
        return false;
    token->type = type;
    token->data = cursor->apart.data;
    token->size = cursor->apart.size;
    cursor->apart.data = NULL;
    return true;
}

static bool take_bytes(iswi_cursor *cursor, iswi_token *token, iswi_token_type type, uint64_t size)
{
    if ((uint64_t)(cursor->end - cursor->at) < size)
        return take_apart(cursor, token, type, size);
    token->type = type;
    token->data = cursor->at;
    token->size = (size_t)size;
    cursor->at += size;
    return true;
}

static bool take_container(iswi_cursor *cursor, iswi_token *token, iswi_token_type type,
                           uint64_t count)
{
    uint64_t least = type == ISWI_TOKEN_MAP ? 2 * count : count;

    if ((uint64_t)(cursor->end - cursor->at) < least)
        return false;
    token->type = type;
    token->size = (size_t)count;
    return true;
}

static bool take_uint(iswi_token *token, uint64_t number)
{
    token->type = ISWI_TOKEN_UINT;
    token->as.u = number;
    return true;
}

static bool take_int(iswi_token *token, int64_t number)
{
    if (number >= 0)
        return take_uint(token, (uint64_t)number);
    token->type = ISWI_TOKEN_INT;
    token->as.i = number;
    return true;
}

static bool take_float(iswi_cursor *cursor, iswi_token *token, size_t width)
{
    uint64_t bits;

    if (!take_number(cursor, width, &bits))
        return false;
    token->type = ISWI_TOKEN_DOUBLE;
    if (width == 4) {
        uint32_t half = (uint32_t)bits;
        float single;

        memcpy(&single, &half, sizeof single);
        token->as.real = (double)single;
    } else {
        memcpy(&token->as.real, &bits, sizeof bits);
    }
    return true;
}

static int64_t sign_extend(uint64_t number, size_t width)
{
    uint64_t top = UINT64_C(1) << (8 * width - 1);

    return (int64_t)((number ^ top) - top);
}

static bool take_sized(iswi_cursor *cursor, iswi_token *token, iswi_token_type type, size_t width,
                       size_t extra)
{
    uint64_t size;

    if (!take_number(cursor, width, &size))
        return false;
    if (type == ISWI_TOKEN_ARRAY || type == ISWI_TOKEN_MAP)
        return take_container(cursor, token, type, size);
    return take_bytes(cursor, token, type, size + extra);
}

/* The formats from 0xc0 to 0xdf, in the order of the MessagePack specification. */
static bool take_format(iswi_cursor *cursor, iswi_token *token, unsigned char format)
{
    uint64_t number;
    size_t width;

    switch (format) {
    case 0xc0:
        token->type = ISWI_TOKEN_NIL;
        return true;
    case 0xc2:
    case 0xc3:
        token->type = ISWI_TOKEN_BOOL;
        token->as.boolean = format == 0xc3;
        return true;
    case 0xc4: /* bin 8, 16, 32 */
    case 0xc5:
    case 0xc6:
        return take_sized(cursor, token, ISWI_TOKEN_BIN, (size_t)1 << (format - 0xc4), 0);
    case 0xc7: /* ext 8, 16, 32: a type byte comes before the bytes */
    case 0xc8:
    case 0xc9:
        return take_sized(cursor, token, ISWI_TOKEN_EXT, (size_t)1 << (format - 0xc7), 1);
    case 0xca:
    case 0xcb:
        return take_float(cursor, token, format == 0xca ? 4 : 8);
    case 0xcc: /* uint 8, 16, 32, 64 */
    case 0xcd:
    case 0xce:
    case 0xcf:
        return take_number(cursor, (size_t)1 << (format - 0xcc), &number) &&
               take_uint(token, number);
    case 0xd0: /* int 8, 16, 32, 64 */
    case 0xd1:
    case 0xd2:
    case 0xd3:
        width = (size_t)1 << (format - 0xd0);
        return take_number(cursor, width, &number) &&
               take_int(token, sign_extend(number, width));
    case 0xd4: /* fixext 1, 2, 4, 8, 16 */
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return take_bytes(cursor, token, ISWI_TOKEN_EXT, ((uint64_t)1 << (format - 0xd4)) + 1);
    case 0xd9: /* str 8, 16, 32 */
    case 0xda:
    case 0xdb:
        return take_sized(cursor, token, ISWI_TOKEN_STR, (size_t)1 << (format - 0xd9), 0);
    case 0xdc: /* array 16, 32 */
    case 0xdd:
        return take_sized(cursor, token, ISWI_TOKEN_ARRAY, format == 0xdc ? 2 : 4, 0);
    case 0xde: /* map 16, 32 */
    case 0xdf:
        return take_sized(cursor, token, ISWI_TOKEN_MAP, format == 0xde ? 2 : 4, 0);
    default: /* 0xc1 is never used */
        return false;
    }
}

bool iswi_cursor_next(iswi_cursor *cursor, iswi_token *token)
{
    unsigned char format;

    if (cursor->at == cursor->end)
        return false;
    format = *cursor->at++;
    if (format < 0x80)
        return take_uint(token, format);
    if (format >= 0xe0)
        return take_int(token, (int64_t)format - 0x100);
    if (format >= 0xc0)
        return take_format(cursor, token, format);
    if (format >= 0xa0)
        return take_bytes(cursor, token, ISWI_TOKEN_STR, format & 0x1f);
    if (format >= 0x90)
        return take_container(cursor, token, ISWI_TOKEN_ARRAY, format & 0x0f);
    return take_container(cursor, token, ISWI_TOKEN_MAP, format & 0x0f);
}

bool iswi_cursor_skip(iswi_cursor *cursor, size_t depth)
{
    uint64_t left[ISWI_BODY_MAX_DEPTH + 1]; /* values still to come at each level */
    size_t level = 0;

    left[0] = 1;
    for (;;) {
        iswi_token token;

        while (left[level] == 0) {
            if (level-- == 0)
                return true;
        }
        left[level]--;
        if (!iswi_cursor_next(cursor, &token))
            return false;
        if (token.type != ISWI_TOKEN_ARRAY && token.type != ISWI_TOKEN_MAP)
            continue;
        if (level == depth)
            return false;
        left[++level] = token.type == ISWI_TOKEN_MAP ? 2 * (uint64_t)token.size : token.size;
    }
}
