/* SPDX-License-Identifier: Apache-2.0 */
/* Structs to Protocol Buffers: the size of each message is known before it is written. */
#include "host/azure/proto.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_SIZED = 2 };

static size_t varint_size(uint64_t value)
{
    size_t size = 1;

    while (value >>= 7)
        size++;
    return size;
}

static void put_varint(iswi_buffer *out, uint64_t value)
{
    unsigned char bytes[10];
    size_t size = 0;

    do {
        bytes[size++] = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value);
    iswi_buffer_append(out, bytes, size);
}

size_t iswi_proto_item_size(const iswi_proto_row *row)
{
    switch ((iswi_proto_type)row->type) {
    case ISWI_PROTO_STRING:
    case ISWI_PROTO_BYTES:
        return sizeof(isw_str);
    case ISWI_PROTO_BOOL:
        return sizeof(bool);
    case ISWI_PROTO_INT32:
        return sizeof(int32_t);
    case ISWI_PROTO_MESSAGE:
        return row->table->size;
    default:
        return sizeof(int64_t);
    }
}

/* A number as it is written; of a double its bits. */
static uint64_t number_of(const iswi_proto_row *row, const void *item)
{
    int64_t number;

    switch ((iswi_proto_type)row->type) {
    case ISWI_PROTO_BOOL:
        return *(const bool *)item;
    case ISWI_PROTO_INT32:
        return (uint64_t)(int64_t)*(const int32_t *)item;
    default:
        memcpy(&number, item, sizeof number);
    }
    return row->type == ISWI_PROTO_SINT64 ? ((uint64_t)number << 1) ^ (uint64_t)(number >> 63)
                                          : (uint64_t)number;
}

static bool is_sized(const iswi_proto_row *row)
{
    return row->type == ISWI_PROTO_STRING || row->type == ISWI_PROTO_BYTES ||
           row->type == ISWI_PROTO_MESSAGE;
}

/* The bytes behind its key, without its length. */
static size_t content_size(const iswi_proto_row *row, const void *item)
{
    if (row->type == ISWI_PROTO_MESSAGE)
        return iswi_proto_size(row->table, item);
    if (is_sized(row))
        return ((const isw_bytes *)item)->size;
    return row->type == ISWI_PROTO_DOUBLE ? 8 : varint_size(number_of(row, item));
}

static size_t key_of(const iswi_proto_row *row)
{
    return (size_t)row->number << 3 | (is_sized(row)                    ? WIRE_SIZED
                                       : row->type == ISWI_PROTO_DOUBLE ? WIRE_64
                                                                        : WIRE_VARINT);
}

static size_t field_size(const iswi_proto_row *row, const void *item)
{
    const size_t size = content_size(row, item);

    return varint_size(key_of(row)) + size + (is_sized(row) ? varint_size(size) : 0);
}

static void put_field(const iswi_proto_row *row, const void *item, iswi_buffer *out)
{
    const isw_bytes *bytes = item;
    uint64_t number;

    put_varint(out, key_of(row));
    if (is_sized(row))
        put_varint(out, content_size(row, item));
    if (row->type == ISWI_PROTO_MESSAGE) {
        iswi_proto_write(row->table, item, out);
    } else if (is_sized(row)) {
        iswi_buffer_append(out, bytes->data, bytes->size);
    } else if (row->type != ISWI_PROTO_DOUBLE) {
        put_varint(out, number_of(row, item));
    } else {
        number = number_of(row, item);
        for (unsigned i = 0; i < 8; i++)
            iswi_buffer_append(out, &(unsigned char){ (unsigned char)(number >> (8 * i)) }, 1);
    }
}

/* Where the items of a row are, and how many. */
static iswi_proto_list items_of(const iswi_proto_table *table, const iswi_proto_row *row,
                                const void *in)
{
    const char *place = (const char *)in + row->offset;
    iswi_proto_list list = { place, 1 };
    uint32_t which;

    if (row->choice) {
        memcpy(&which, (const char *)in + table->which, sizeof which);
        if (which != row->number)
            return (iswi_proto_list){ NULL, 0 };
    }
    if (row->repeated)
        return *(const iswi_proto_list *)place;
    if (row->type == ISWI_PROTO_MESSAGE) {
        list.items = *(const void *const *)place;
        list.count = list.items != NULL;
    } else if (!row->choice) {
        list.count = is_sized(row) ? ((const isw_bytes *)place)->size > 0
                                   : number_of(row, place) != 0;
    }
    return list;
}

size_t iswi_proto_size(const iswi_proto_table *table, const void *in)
{
    size_t size = 0;

    for (size_t i = 0; i < table->count; i++) {
        const iswi_proto_row *row = &table->rows[i];
        iswi_proto_list list = items_of(table, row, in);

        for (size_t j = 0; j < list.count; j++)
            size += field_size(row, (const char *)list.items + j * iswi_proto_item_size(row));
    }
    return size;
}

void iswi_proto_write(const iswi_proto_table *table, const void *in, iswi_buffer *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const iswi_proto_row *row = &table->rows[i];
        iswi_proto_list list = items_of(table, row, in);

        for (size_t j = 0; j < list.count; j++)
            put_field(row, (const char *)list.items + j * iswi_proto_item_size(row), out);
    }
}
