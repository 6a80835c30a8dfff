/* SPDX-License-Identifier: Apache-2.0 */
/* Protocol Buffers to structs. Invariant: `at` is never behind `end`, and nothing is taken before
 * it is known to be there. */
#include "host/azure/proto.h"

#include "base/text.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_SIZED = 2, WIRE_32 = 5, VARINT_BITS = 64 };

typedef struct reader {
    const unsigned char *at, *end;
    iswi_arena *arena;
    isw_error *error;
    unsigned depth;
} reader;

/* A field as it lies there. */
typedef struct field {
    unsigned number, wire;
    uint64_t number_value; /* of a varint, and of 32 and 64 bits */
    isw_bytes bytes;       /* of one with a length */
} field;

/* -- What lies there --------------------------------------------------------------------------- */

static bool read_varint(reader *r, uint64_t *out)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < VARINT_BITS && r->at < r->end; shift += 7) {
        const unsigned char byte = *r->at++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool read_fixed(reader *r, size_t size, uint64_t *out)
{
    *out = 0;
    if ((size_t)(r->end - r->at) < size)
        return false;
    for (size_t i = 0; i < size; i++)
        *out |= (uint64_t)r->at[i] << (8 * i);
    r->at += size;
    return true;
}

static bool read_sized(reader *r, isw_bytes *out)
{
    uint64_t size;

    if (!read_varint(r, &size) || size > (uint64_t)(r->end - r->at))
        return false;
    *out = (isw_bytes){ r->at, (size_t)size };
    r->at += size;
    return true;
}

static bool read_field(reader *r, field *out)
{
    uint64_t key;

    if (!read_varint(r, &key) || key >> 3 == 0 || key >> 3 > UINT16_MAX * (uint64_t)8192)
        return false;
    out->number = (unsigned)(key >> 3);
    out->wire = key & 7;
    switch (out->wire) {
    case WIRE_VARINT:
        return read_varint(r, &out->number_value);
    case WIRE_64:
        return read_fixed(r, 8, &out->number_value);
    case WIRE_32:
        return read_fixed(r, 4, &out->number_value);
    default:
        return out->wire == WIRE_SIZED && read_sized(r, &out->bytes);
    }
}

isw_bytes iswi_proto_peek(isw_bytes message, unsigned number)
{
    reader r = { .at = message.data, .end = (const unsigned char *)message.data + message.size };
    uint64_t key, skipped;
    isw_bytes inner;

    while (r.at < r.end && read_varint(&r, &key)) {
        if ((key & 7) == WIRE_VARINT ? !read_varint(&r, &skipped) : (key & 7) != WIRE_SIZED)
            break;
        if ((key & 7) == WIRE_VARINT)
            continue;
        if (key >> 3 == number) {
            if (!read_varint(&r, &skipped))
                break;
            inner = (isw_bytes){ r.at, (size_t)(r.end - r.at) };
            if (skipped < inner.size)
                inner.size = (size_t)skipped;
            return inner;
        }
        if (!read_sized(&r, &inner))
            break;
    }
    return (isw_bytes){ NULL, 0 };
}

/* -- What it means ----------------------------------------------------------------------------- */

static const iswi_proto_row *find(const iswi_proto_table *table, unsigned number)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].number == number)
            return &table->rows[i];
    return NULL;
}

static unsigned wire_of(const iswi_proto_row *row)
{
    switch ((iswi_proto_type)row->type) {
    case ISWI_PROTO_STRING:
    case ISWI_PROTO_BYTES:
    case ISWI_PROTO_MESSAGE:
        return WIRE_SIZED;
    case ISWI_PROTO_DOUBLE:
        return WIRE_64;
    default:
        return WIRE_VARINT;
    }
}

static bool read_message(reader *r, const iswi_proto_table *table, isw_bytes bytes, void *out);

static bool refuse(reader *r, const iswi_proto_table *table, const iswi_proto_row *row,
                   const char *why)
{
    if (r->error->status == ISW_OK)
        isw_error_set(r->error, ISW_E_PROTOCOL, "%s%s%s: %s", table->name, row ? "." : "",
                      row ? row->name : "", why);
    return false;
}

static bool no_memory(reader *r)
{
    if (r->error->status == ISW_OK)
        isw_error_set(r->error, ISW_E_NO_MEMORY, "no memory for a message");
    return false;
}

static void store_number(const iswi_proto_row *row, uint64_t number, void *out)
{
    const int64_t zigzag = (int64_t)(number >> 1) ^ -(int64_t)(number & 1);

    switch ((iswi_proto_type)row->type) {
    case ISWI_PROTO_BOOL:
        *(bool *)out = number != 0;
        break;
    case ISWI_PROTO_INT32:
        *(int32_t *)out = (int32_t)(uint32_t)number;
        break;
    case ISWI_PROTO_SINT64:
        memcpy(out, &zigzag, sizeof zigzag);
        break;
    default: /* the bits of a double, too */
        memcpy(out, &number, sizeof number);
    }
}

/* A field of its type, to where it belongs; of a message the struct itself. */
static bool store(reader *r, const iswi_proto_table *table, const iswi_proto_row *row,
                  const field *f, void *out)
{
    if (row->type == ISWI_PROTO_MESSAGE)
        return read_message(r, row->table, f->bytes, out);
    if (row->type == ISWI_PROTO_STRING && !iswi_utf8_valid(f->bytes.data, f->bytes.size))
        return refuse(r, table, row, "text that is not UTF-8");
    if (row->type == ISWI_PROTO_STRING)
        *(isw_str *)out = (isw_str){ f->bytes.data, f->bytes.size };
    else if (row->type == ISWI_PROTO_BYTES)
        *(isw_bytes *)out = f->bytes;
    else
        store_number(row, f->number_value, out);
    return true;
}

/* How many items there are at most from here on: a number may come alone, or with others, of which
 * each has a byte. */
static size_t count_items(const reader *r, const iswi_proto_row *row, const field *first)
{
    reader ahead = *r;
    field f = *first;
    size_t count = 0;

    do {
        if (f.number == row->number)
            count += f.wire == WIRE_SIZED && wire_of(row) != WIRE_SIZED ? f.bytes.size : 1;
    } while (ahead.at < ahead.end && read_field(&ahead, &f));
    return count;
}

static bool store_packed(reader *r, const iswi_proto_table *table, const iswi_proto_row *row,
                         const field *f, iswi_proto_list *list)
{
    reader inner = { .at = f->bytes.data,
                     .end = (const unsigned char *)f->bytes.data + f->bytes.size };
    const size_t size = iswi_proto_item_size(row);
    uint64_t number;

    while (inner.at < inner.end) {
        if (wire_of(row) == WIRE_64 ? !read_fixed(&inner, 8, &number)
                                    : !read_varint(&inner, &number))
            return refuse(r, table, row, "numbers that are cut off");
        store_number(row, number, (char *)(uintptr_t)list->items + list->count++ * size);
    }
    return true;
}

static bool store_repeated(reader *r, const iswi_proto_table *table, const iswi_proto_row *row,
                           const field *f, iswi_proto_list *list)
{
    const size_t size = iswi_proto_item_size(row);
    void *place;

    if (!list->items) {
        list->items = iswi_arena_calloc(r->arena, count_items(r, row, f) + 1, size);
        if (!list->items)
            return no_memory(r);
    }
    if (f->wire == WIRE_SIZED && wire_of(row) != WIRE_SIZED)
        return store_packed(r, table, row, f, list);
    place = (char *)(uintptr_t)list->items + list->count * size;
    list->count++;
    return store(r, table, row, f, place);
}

static bool store_message(reader *r, const iswi_proto_table *table, const iswi_proto_row *row,
                          const field *f, void **out)
{
    *out = iswi_arena_calloc(r->arena, 1, row->table->size);
    return *out ? store(r, table, row, f, *out) : no_memory(r);
}

static bool take(reader *r, const iswi_proto_table *table, const field *f, void *out)
{
    const iswi_proto_row *row = find(table, f->number);
    char *place = row ? (char *)out + row->offset : NULL;
    bool packed = row && row->repeated && f->wire == WIRE_SIZED;

    if (!row)
        return true;
    if (f->wire != wire_of(row) && !packed)
        return refuse(r, table, row, "is of another type");
    if (row->choice) {
        memcpy((char *)out + table->which, &(uint32_t){ row->number }, sizeof(uint32_t));
        memset(place, 0, row->type == ISWI_PROTO_MESSAGE ? sizeof(void *)
                                                         : iswi_proto_item_size(row));
    }
    if (row->repeated)
        return store_repeated(r, table, row, f, (iswi_proto_list *)place);
    if (row->type == ISWI_PROTO_MESSAGE)
        return store_message(r, table, row, f, (void **)place);
    return store(r, table, row, f, place);
}

static bool read_message(reader *r, const iswi_proto_table *table, isw_bytes bytes, void *out)
{
    reader inner = *r;
    field f;

    if (++inner.depth > ISWI_PROTO_DEPTH_MAX)
        return refuse(r, table, NULL, "messages within messages, too many");
    inner.at = bytes.data;
    inner.end = inner.at + bytes.size;
    while (inner.at < inner.end) {
        if (!read_field(&inner, &f))
            return refuse(r, table, NULL, "is cut off, or no message");
        if (!take(&inner, table, &f, out))
            return false;
    }
    return true;
}

isw_status iswi_proto_read(const iswi_proto_table *table, isw_bytes bytes, iswi_arena *arena,
                           void *out, isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    reader r = { .arena = arena, .error = &own };

    memset(out, 0, table->size);
    if (read_message(&r, table, bytes, out))
        return ISW_OK;
    return isw_error_set(error, own.status, "%s", own.message);
}
