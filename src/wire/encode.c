/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structs to MessagePack, by the tables, with msgpack-c's packer. Invariant: what this file writes,
 * decode.c reads; so the same limits are checked here, and a bad value is the sender's error
 * instead of the end of the session.
 */
#include "base/text.h"
#include "wire/table.h"

#include <msgpack.h>

typedef struct encoder {
    iswi_buffer *out;
    iswi_encoded *splicing; /* NULL: everything is copied */
    size_t spliced;
    bool may_lie_apart; /* what is being packed, if it is a payload */
    msgpack_packer packer;
    const char *frame;
    const iswi_field *field; /* the one being written, for messages */
    unsigned depth;          /* of arrays and maps among values */
    isw_error *error;
    isw_status status;
} encoder;

static int write_bytes(void *user, const char *bytes, size_t size)
{
    encoder *e = user;
    iswi_encoded *splicing = e->splicing;

    if (!splicing || size < ISWI_SPLICE_LEAST || splicing->splice_count == ISWI_SPLICES_MAX)
        return iswi_buffer_append(e->out, bytes, size) ? 0 : -1;
    splicing->splices[splicing->splice_count++] = (iswi_splice){ e->out->size, { bytes, size },
                                                                e->may_lie_apart };
    e->spliced += size;
    return 0;
}

static void refuse(encoder *e, const char *what)
{
    if (e->status == ISW_OK)
        e->status = isw_error_set(e->error, ISW_E_INVALID, "%s.%s: %s", e->frame,
                                  e->field ? e->field->name : "?", what);
}

static void refuse_size(encoder *e, size_t size)
{
    if (e->status == ISW_OK)
        e->status = isw_error_set(e->error, ISW_E_TOO_LARGE, "%s.%s: %zu bytes are more than %d",
                                  e->frame, e->field ? e->field->name : "?", size,
                                  ISWI_MESSAGE_MAX_BYTES);
}

static void put_str(encoder *e, isw_str text, uint32_t limit)
{
    if (text.size > ISWI_MESSAGE_MAX_BYTES)
        refuse_size(e, text.size);
    else if (limit && text.size > limit)
        refuse(e, "text is too long");
    else if (!iswi_utf8_valid(text.data, text.size))
        refuse(e, "text is not UTF-8");
    if (e->status != ISW_OK)
        return;
    e->may_lie_apart = false;
    msgpack_pack_str(&e->packer, text.size);
    msgpack_pack_str_body(&e->packer, text.data, text.size);
}

static void put_bin(encoder *e, isw_bytes bytes, const iswi_field *field)
{
    if (bytes.size > ISWI_MESSAGE_MAX_BYTES)
        refuse_size(e, bytes.size);
    if ((field && field->limit && bytes.size > field->limit) ||
        (field && field->exact && bytes.size != field->limit))
        refuse(e, "wrong number of bytes");
    if (e->status != ISW_OK)
        return;
    e->may_lie_apart = true;
    msgpack_pack_bin(&e->packer, bytes.size);
    msgpack_pack_bin_body(&e->packer, bytes.data, bytes.size);
}

static void put_struct(encoder *e, const iswi_table *table, const void *value);

/* The value of data of a type that is no array. */
static void put_bare(encoder *e, const isw_value *value)
{
    switch (value->type) {
    case ISW_VALUE_STRING:
    case ISW_VALUE_JSON:
        put_str(e, value->as.string, 0);
        break;
    case ISW_VALUE_BYTES:
        put_bin(e, value->as.bytes, NULL);
        break;
    case ISW_VALUE_INT:
        msgpack_pack_int64(&e->packer, value->as.integer);
        break;
    case ISW_VALUE_DOUBLE:
        msgpack_pack_double(&e->packer, value->as.real);
        break;
    case ISW_VALUE_BOOL:
        if (value->as.boolean)
            msgpack_pack_true(&e->packer);
        else
            msgpack_pack_false(&e->packer);
        break;
    case ISW_VALUE_HTTP:
        put_struct(e, &iswi_table_http, value->as.http);
        break;
    case ISW_VALUE_MODEL:
        put_struct(e, &iswi_table_model, value->as.model);
        break;
    default:
        msgpack_pack_nil(&e->packer);
    }
}

static void put_map(encoder *e, const isw_map *map);
static void put_typed(encoder *e, const isw_value *value);

/* Whether all elements are of one type that an array can have as such. */
static bool is_uniform(const isw_value *value)
{
    size_t count = value->as.array.count;
    isw_value_type type = count ? value->as.array.items[0].type : ISW_VALUE_STRING;

    for (size_t i = 1; i < count; i++)
        if (value->as.array.items[i].type != type)
            return false;
    return iswi_value_element_allowed(type);
}

/* Type and value of an array. */
static void put_array(encoder *e, const isw_value *value)
{
    size_t count = value->as.array.count;
    const isw_value *items = value->as.array.items;
    bool uniform = is_uniform(value);

    if (count > ISWI_LIST_MAX)
        refuse(e, "too many elements");
    if (e->status != ISW_OK)
        return;
    msgpack_pack_uint64(&e->packer, !uniform ? ISW_VALUE_ARRAY
                                    : ISWI_WIRE_ARRAY + (uint64_t)(count ? items[0].type
                                                                         : ISW_VALUE_STRING));
    msgpack_pack_array(&e->packer, count);
    for (size_t i = 0; i < count && e->status == ISW_OK; i++) {
        if (uniform)
            put_bare(e, &items[i]);
        else
            put_typed(e, &items[i]);
    }
}

static void put_nested(encoder *e, const isw_value *value)
{
    if (e->depth == ISWI_VALUE_MAX_DEPTH) {
        refuse(e, "arrays and maps are nested too deep");
        return;
    }
    e->depth++;
    if (value->type == ISW_VALUE_ARRAY) {
        put_array(e, value);
    } else {
        msgpack_pack_uint64(&e->packer, ISW_VALUE_MAP);
        put_map(e, &value->as.map);
    }
    e->depth--;
}

static void put_typed(encoder *e, const isw_value *value)
{
    if ((unsigned)value->type > ISW_VALUE_MAP)
        refuse(e, "unknown type of data");
    if (e->status != ISW_OK)
        return;
    msgpack_pack_array(&e->packer, 2);
    if (value->type == ISW_VALUE_ARRAY || value->type == ISW_VALUE_MAP) {
        put_nested(e, value);
        return;
    }
    msgpack_pack_uint64(&e->packer, (uint64_t)value->type);
    put_bare(e, value);
}

static void put_pairs(encoder *e, const isw_pairs *pairs)
{
    if (pairs->count > ISWI_PAIRS_MAX)
        refuse(e, "too many pairs");
    msgpack_pack_array(&e->packer, 2 * pairs->count);
    for (size_t i = 0; i < pairs->count && e->status == ISW_OK; i++) {
        put_str(e, pairs->items[i].name, 0);
        put_str(e, pairs->items[i].value, 0);
    }
}

static void put_map(encoder *e, const isw_map *map)
{
    if (map->count > ISWI_PAIRS_MAX)
        refuse(e, "too many entries");
    msgpack_pack_array(&e->packer, 2 * map->count);
    for (size_t i = 0; i < map->count && e->status == ISW_OK; i++) {
        put_str(e, map->items[i].name, 0);
        put_typed(e, &map->items[i].value);
    }
}

static void put_strs(encoder *e, const iswi_strs *strs)
{
    if (strs->count > ISWI_LIST_MAX)
        refuse(e, "too many texts");
    msgpack_pack_array(&e->packer, strs->count);
    for (size_t i = 0; i < strs->count && e->status == ISW_OK; i++)
        put_str(e, strs->items[i], 0);
}

static void put_list(encoder *e, const iswi_table *table, const iswi_any_list *list)
{
    if (list->count > ISWI_LIST_MAX)
        refuse(e, "too many elements");
    msgpack_pack_array(&e->packer, list->count);
    for (size_t i = 0; i < list->count && e->status == ISW_OK; i++)
        put_struct(e, table, (const char *)list->items + i * table->size);
}

static bool is_default(const iswi_field *field, const void *value);

static bool is_default_struct(const iswi_table *table, const void *value)
{
    for (size_t i = 0; i < table->count; i++)
        if (!is_default(&table->fields[i], (const char *)value + table->fields[i].offset))
            return false;
    return true;
}

static bool is_default(const iswi_field *field, const void *value)
{
    switch ((iswi_field_type)field->type) {
    case ISWI_FIELD_UINT:
        return *(const uint64_t *)value == 0;
    case ISWI_FIELD_CODE:
        return *(const int *)value == 0;
    case ISWI_FIELD_BOOL:
        return !*(const bool *)value;
    case ISWI_FIELD_VALUE:
        return ((const isw_value *)value)->type == ISW_VALUE_NONE;
    case ISWI_FIELD_STRUCT:
        return is_default_struct(field->table, value);
    default: /* a view or a list: the count or size is the second member of all of them */
        return ((const iswi_any_list *)value)->count == 0;
    }
}

static void put_value(encoder *e, const iswi_field *field, const void *value)
{
    e->field = field;
    switch ((iswi_field_type)field->type) {
    case ISWI_FIELD_UINT:
        msgpack_pack_uint64(&e->packer, *(const uint64_t *)value);
        break;
    case ISWI_FIELD_CODE:
        if (*(const int *)value < 0 || *(const int *)value > 999)
            refuse(e, "no HTTP status");
        msgpack_pack_int(&e->packer, *(const int *)value);
        break;
    case ISWI_FIELD_BOOL:
        msgpack_pack_true(&e->packer);
        break;
    case ISWI_FIELD_STR:
        put_str(e, *(const isw_str *)value, field->limit);
        break;
    case ISWI_FIELD_BIN:
        put_bin(e, *(const isw_bytes *)value, field);
        break;
    case ISWI_FIELD_STRS:
        put_strs(e, value);
        break;
    case ISWI_FIELD_PAIRS:
        put_pairs(e, value);
        break;
    case ISWI_FIELD_VALUE:
        put_typed(e, value);
        break;
    case ISWI_FIELD_NAMED:
        put_map(e, value);
        break;
    case ISWI_FIELD_STRUCT:
        put_struct(e, field->table, value);
        break;
    case ISWI_FIELD_LIST:
        put_list(e, field->table, value);
        break;
    }
}

static void put_struct(encoder *e, const iswi_table *table, const void *value)
{
    uint64_t present = 0;
    size_t count = 0;

    for (size_t i = 0; i < table->count; i++) {
        const iswi_field *field = &table->fields[i];

        if (field->required || !is_default(field, (const char *)value + field->offset)) {
            present |= UINT64_C(1) << i;
            count++;
        }
    }
    msgpack_pack_map(&e->packer, count);
    for (size_t i = 0; i < table->count && e->status == ISW_OK; i++) {
        if (!(present >> i & 1))
            continue;
        msgpack_pack_uint8(&e->packer, table->fields[i].key);
        put_value(e, &table->fields[i], (const char *)value + table->fields[i].offset);
    }
}

static isw_status encode(const iswi_frame *frame, iswi_buffer *out, iswi_encoded *splicing,
                         isw_error *error)
{
    const iswi_table *table = iswi_table_of_kind(frame->kind);
    encoder e = { .out = out, .splicing = splicing, .frame = iswi_kind_name(frame->kind),
                  .error = error };
    size_t before = out->size;
    bool failed_before = out->failed;
    size_t size;

    if (!table)
        return isw_error_set(error, ISW_E_INVALID, "frame of unknown kind %llu",
                             (unsigned long long)frame->kind);
    msgpack_packer_init(&e.packer, &e, write_bytes);
    msgpack_pack_array(&e.packer, 3);
    msgpack_pack_uint64(&e.packer, frame->kind);
    msgpack_pack_uint64(&e.packer, frame->id);
    put_struct(&e, table, &frame->as);
    size = out->size - before + e.spliced;
    if (e.status == ISW_OK && out->failed)
        e.status = isw_error_set(error, ISW_E_NO_MEMORY, "no memory to encode %s", table->name);
    else if (e.status == ISW_OK && size > ISWI_MESSAGE_MAX_BYTES)
        e.status = isw_error_set(error, ISW_E_TOO_LARGE, "%s has %zu bytes, more than %d",
                                 table->name, size, ISWI_MESSAGE_MAX_BYTES);
    if (e.status != ISW_OK) {
        out->size = before;
        out->failed = failed_before;
    }
    return e.status;
}

isw_status iswi_frame_encode(const iswi_frame *frame, iswi_buffer *out, isw_error *error)
{
    return encode(frame, out, NULL, error);
}

isw_status iswi_frame_gather(const iswi_frame *frame, iswi_encoded *out, isw_error *error)
{
    iswi_buffer_reset(&out->bytes);
    out->splice_count = 0;
    return encode(frame, &out->bytes, out, error);
}
