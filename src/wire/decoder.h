/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WIRE_DECODER_H
#define ISWI_WIRE_DECODER_H

/*
 * MessagePack, a value at a time, each held to its type and limit. Inside the codec. Errors of all:
 * ISW_E_PROTOCOL with the place; ISW_E_NO_MEMORY of lists.
 */
#include "wire/cursor.h"
#include "wire/table.h"

typedef struct iswi_decoder {
    iswi_cursor in;
    iswi_arena *arena;
    const char *frame;
    const iswi_field *field; /* the one being read, for messages */
    unsigned depth;          /* of arrays and maps among values */
    isw_error *error;
} iswi_decoder;

/* Fail with ISW_E_PROTOCOL: what is wrong, where. */
isw_status iswi_decoder_refuse(iswi_decoder *d, const char *what);

/* The next token, which must be of `type`. */
isw_status iswi_decoder_next(iswi_decoder *d, iswi_token_type type, iswi_token *token);

isw_status iswi_decode_uint(iswi_decoder *d, uint64_t most, uint64_t *value);
isw_status iswi_decode_int(iswi_decoder *d, int64_t *value);
isw_status iswi_decode_str(iswi_decoder *d, size_t limit, isw_str *text); /* 0: no limit */
isw_status iswi_decode_bin(iswi_decoder *d, const iswi_field *field, isw_bytes *bytes);

/* What an array that becomes a list may be. */
typedef struct iswi_list_shape {
    size_t elements; /* of the array for each item */
    size_t least;    /* bytes on the wire for each item */
    size_t most;     /* items */
    size_t size;     /* of an item in memory */
} iswi_list_shape;

/* The head of an array that becomes a list, and the zeroed memory for its items. */
isw_status iswi_decode_list(iswi_decoder *d, iswi_list_shape shape, void **items, size_t *count);

isw_status iswi_decode_strs(iswi_decoder *d, iswi_strs *strs);
isw_status iswi_decode_pairs(iswi_decoder *d, isw_pairs *pairs);

#endif
