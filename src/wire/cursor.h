/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WIRE_CURSOR_H
#define ISWI_WIRE_CURSOR_H

/* Reads MessagePack in place, one token at a time, and believes no length: text and bytes must lie
 * inside, and a container must have at least one byte left for each element. Takes no memory.
 *
 * The bytes of one bin may lie apart from the rest, in memory that can change: only where they lie is
 * looked at. They are for the first text or bytes that are longer than what is left, and must be
 * as long as those say. */
#include <isoworker/value.h>

typedef struct iswi_cursor {
    const unsigned char *start, *at, *end;
    isw_bytes apart; /* NULL: none, or it was come to */
} iswi_cursor;

typedef enum iswi_token_type {
    ISWI_TOKEN_NIL,
    ISWI_TOKEN_BOOL,
    ISWI_TOKEN_UINT, /* u */
    ISWI_TOKEN_INT,  /* i, negative */
    ISWI_TOKEN_DOUBLE,
    ISWI_TOKEN_STR, /* data, size */
    ISWI_TOKEN_BIN,
    ISWI_TOKEN_ARRAY, /* size elements follow */
    ISWI_TOKEN_MAP,   /* size pairs follow */
    ISWI_TOKEN_EXT
} iswi_token_type;

typedef struct iswi_token {
    iswi_token_type type;
    union {
        bool boolean;
        uint64_t u;
        int64_t i;
        double real;
    } as;
    const void *data;
    size_t size;
} iswi_token;

/* False when the bytes end too early, a container cannot be as large as it says, or the byte 0xc1
 * comes. The cursor is then undefined. */
bool iswi_cursor_next(iswi_cursor *cursor, iswi_token *token);

/* Go past one whole value, nested at most `depth` deep, which is at most ISWI_BODY_MAX_DEPTH. */
bool iswi_cursor_skip(iswi_cursor *cursor, size_t depth);

#endif
