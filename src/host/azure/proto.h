/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_PROTO_H
#define ISWI_HOST_AZURE_PROTO_H

/*
 * Protocol Buffers, as far as the messages of FunctionRpc need them: structs by tables, as
 * src/wire/tables.c has them for MessagePack. Proto3: what has its default is not written, what is
 * not known is skipped. Pure; any thread.
 */
#include "base/arena.h"
#include "base/buffer.h"

#include <isoworker/status.h>

typedef enum iswi_proto_type {
    ISWI_PROTO_STRING, /* isw_str */
    ISWI_PROTO_BYTES,  /* isw_bytes */
    ISWI_PROTO_BOOL,   /* bool */
    ISWI_PROTO_INT32,  /* int32_t; an enum, too */
    ISWI_PROTO_INT64,  /* int64_t */
    ISWI_PROTO_SINT64, /* int64_t, near 0 in few bytes */
    ISWI_PROTO_DOUBLE, /* double */
    ISWI_PROTO_MESSAGE /* a pointer to a struct by `table`; NULL: it is not there */
} iswi_proto_type;

struct iswi_proto_table;

typedef struct iswi_proto_row {
    uint16_t number;
    uint8_t type;  /* iswi_proto_type */
    bool repeated; /* iswi_proto_list of these; of messages the structs themselves. A map is a list
                      of messages of 1, its key, and 2, its value */
    bool choice;   /* it is there when the table's `which` has its number, also with its default */
    uint32_t offset;
    const struct iswi_proto_table *table;
    const char *name;
} iswi_proto_row;

typedef struct iswi_proto_table {
    const char *name;
    const iswi_proto_row *rows;
    size_t count;
    size_t size;  /* of the struct */
    size_t which; /* offset of the uint32_t of its oneof, where it has rows of `choice`; that is 0
                     where nothing of it is there */
} iswi_proto_table;

typedef struct iswi_proto_list {
    const void *items;
    size_t count;
} iswi_proto_list;

enum { ISWI_PROTO_DEPTH_MAX = 16 };

/* Fill *out, a struct of the table, from `bytes`, with views into these; lists and messages are in
 * the arena. Errors: ISW_E_PROTOCOL, which names the message and the field, for what is no message
 * of that kind; ISW_E_NO_MEMORY. *out is undefined then. */
isw_status iswi_proto_read(const iswi_proto_table *table, isw_bytes bytes, iswi_arena *arena,
                           void *out, isw_error *error);

/* Of one item of a row, as a struct has it. */
size_t iswi_proto_item_size(const iswi_proto_row *row);

/* The size that `in` has when it is written. */
size_t iswi_proto_size(const iswi_proto_table *table, const void *in);

/* Append it. What memory cannot be had for shows in the buffer. */
void iswi_proto_write(const iswi_proto_table *table, const void *in, iswi_buffer *out);

/* The field of that number, of those with a length, of a message that may be cut off; empty where
 * it has none, or is none. */
isw_bytes iswi_proto_peek(isw_bytes message, unsigned number);

#endif
