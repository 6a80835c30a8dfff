/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MessagePack to structs, by the tables. Invariants: nothing is believed before the cursor has
 * seen it; memory for a list is taken only after its count passed both its limit and the number of
 * bytes that are there, so that a frame takes less than 64 times its size; a struct is filled over
 * zeroes, so that a key that is left out is its default.
 */
#include "base/text.h"
#include "wire/cursor.h"
#include "wire/table.h"

typedef struct decoder {
    iswi_cursor in;
    iswi_arena *arena;
    const char *frame;
    const iswi_field *field; /* the one being read, for messages */
    unsigned depth;          /* of arrays and maps among values */
    isw_error *error;
} decoder;

static isw_status refuse(decoder *d, const char *what)
{
    return isw_error_set(d->error, ISW_E_PROTOCOL, "%s%s%s: %s (at byte %zu)", d->frame,
                         d->field ? "." : "", d->field ? d->field->name : "", what,
                         (size_t)(d->in.at - d->in.start));
}

static isw_status next(decoder *d, iswi_token_type type, iswi_token *token)
{
    static const char *const expected[] = {
        "nil expected",   "bool expected", "unsigned integer expected", "integer expected",
        "float expected", "str expected",  "bin expected",              "array expected",
        "map expected",   "ext expected",
    };

    if (!iswi_cursor_next(&d->in, token))
        return refuse(d, "cut short or malformed");
    return token->type == type ? ISW_OK : refuse(d, expected[type]);
}

static isw_status get_str(decoder *d, size_t limit, isw_str *text)
{
    iswi_token token;
    isw_status status = next(d, ISWI_TOKEN_STR, &token);

    if (status != ISW_OK)
        return status;
    if (limit && token.size > limit)
        return refuse(d, "text is too long");
    if (!iswi_utf8_valid(token.data, token.size))
        return refuse(d, "text is not UTF-8");
    *text = (isw_str){ token.data, token.size };
    return ISW_OK;
}

static isw_status get_bin(decoder *d, const iswi_field *field, isw_bytes *bytes)
{
    iswi_token token;
    isw_status status = next(d, ISWI_TOKEN_BIN, &token);

    if (status != ISW_OK)
        return status;
    if (field && field->limit && token.size > field->limit)
        return refuse(d, "too many bytes");
    if (field && field->exact && token.size != field->limit)
        return refuse(d, "wrong number of bytes");
    *bytes = (isw_bytes){ token.data, token.size };
    return ISW_OK;
}

/* What an array that becomes a list may be. */
typedef struct list_shape {
    size_t elements; /* of the array for each item */
    size_t least;    /* bytes on the wire for each item */
    size_t most;     /* items */
    size_t size;     /* of an item in memory */
} list_shape;

/* The head of an array that becomes a list, and the zeroed memory for its items. */
static isw_status get_list(decoder *d, list_shape shape, void **items, size_t *count)
{
    iswi_token token;
    isw_status status = next(d, ISWI_TOKEN_ARRAY, &token);

    if (status != ISW_OK)
        return status;
    *count = token.size / shape.elements;
    if (token.size % shape.elements)
        return refuse(d, "a value is missing in the list of pairs");
    if (*count > shape.most)
        return refuse(d, "too many elements");
    if (*count > (size_t)(d->in.end - d->in.at) / shape.least)
        return refuse(d, "cut short or malformed");
    *items = *count ? iswi_arena_calloc(d->arena, *count, shape.size) : NULL;
    if (*count && !*items)
        return isw_error_set(d->error, ISW_E_NO_MEMORY, "no memory to decode %s", d->frame);
    return ISW_OK;
}

static isw_status get_members(decoder *d, const iswi_table *table, size_t count, void *value);

static isw_status get_struct(decoder *d, const iswi_table *table, void *value)
{
    iswi_token token;
    isw_status status = next(d, ISWI_TOKEN_MAP, &token);

    return status == ISW_OK ? get_members(d, table, token.size, value) : status;
}

static isw_status get_by_pointer(decoder *d, const iswi_table *table, const void **place)
{
    static const union {
        isw_http http;
        isw_model model;
    } empty; /* shared: the one byte of an empty map must not buy a whole struct */
    iswi_token token;
    isw_status status = next(d, ISWI_TOKEN_MAP, &token);
    void *value;

    *place = &empty;
    if (status != ISW_OK || token.size == 0)
        return status;
    value = iswi_arena_calloc(d->arena, 1, table->size);
    if (!value)
        return isw_error_set(d->error, ISW_E_NO_MEMORY, "no memory to decode %s", d->frame);
    *place = value;
    return get_members(d, table, token.size, value);
}

static isw_status get_int(decoder *d, int64_t *value)
{
    iswi_token token;

    if (!iswi_cursor_next(&d->in, &token))
        return refuse(d, "cut short or malformed");
    if (token.type == ISWI_TOKEN_INT)
        *value = token.as.i;
    else if (token.type == ISWI_TOKEN_UINT && token.as.u <= INT64_MAX)
        *value = (int64_t)token.as.u;
    else
        return refuse(d, "integer of 64 bits expected");
    return ISW_OK;
}

/* The value of data of a type that is no array. */
static isw_status get_bare(decoder *d, isw_value *value)
{
    iswi_token token;
    isw_status status;

    switch (value->type) {
    case ISW_VALUE_NONE:
        return next(d, ISWI_TOKEN_NIL, &token);
    case ISW_VALUE_STRING:
    case ISW_VALUE_JSON:
        return get_str(d, 0, &value->as.string);
    case ISW_VALUE_BYTES:
        return get_bin(d, NULL, &value->as.bytes);
    case ISW_VALUE_INT:
        return get_int(d, &value->as.integer);
    case ISW_VALUE_DOUBLE:
        status = next(d, ISWI_TOKEN_DOUBLE, &token);
        value->as.real = status == ISW_OK ? token.as.real : 0;
        return status;
    case ISW_VALUE_BOOL:
        status = next(d, ISWI_TOKEN_BOOL, &token);
        value->as.boolean = status == ISW_OK && token.as.boolean;
        return status;
    case ISW_VALUE_HTTP:
        return get_by_pointer(d, &iswi_table_http, (const void **)&value->as.http);
    case ISW_VALUE_MODEL:
        return get_by_pointer(d, &iswi_table_model, (const void **)&value->as.model);
    default:
        return refuse(d, "unknown type of data");
    }
}

static isw_status get_map(decoder *d, isw_map *map);

static isw_status get_typed(decoder *d, isw_value *value);

/* An array whose elements bear their types. */
static isw_status get_mixed(decoder *d, isw_value *value)
{
    void *items;
    isw_value *each;
    list_shape shape = { .elements = 1, .least = 3, .most = ISWI_LIST_MAX, .size = sizeof *each };
    isw_status status = get_list(d, shape, &items, &value->as.array.count);

    if (status != ISW_OK)
        return status;
    value->as.array.items = each = items;
    for (size_t i = 0; i < value->as.array.count && status == ISW_OK; i++)
        status = get_typed(d, &each[i]);
    return status;
}

static isw_status get_nested(decoder *d, isw_value *value)
{
    isw_status status;

    if (d->depth == ISWI_VALUE_MAX_DEPTH)
        return refuse(d, "arrays and maps are nested too deep");
    d->depth++;
    status = value->type == ISW_VALUE_MAP ? get_map(d, &value->as.map) : get_mixed(d, value);
    d->depth--;
    return status;
}

static isw_status get_array(decoder *d, isw_value_type type, isw_value *value)
{
    void *items;
    isw_value *each;
    list_shape shape = { .elements = 1, .least = 1, .most = ISWI_LIST_MAX, .size = sizeof *each };
    isw_status status = get_list(d, shape, &items, &value->as.array.count);

    if (status != ISW_OK)
        return status;
    value->type = ISW_VALUE_ARRAY;
    value->as.array.items = each = items;
    for (size_t i = 0; i < value->as.array.count && status == ISW_OK; i++) {
        each[i].type = type;
        status = get_bare(d, &each[i]);
    }
    return status;
}

static isw_status get_typed(decoder *d, isw_value *value)
{
    iswi_token token;
    isw_status status = next(d, ISWI_TOKEN_ARRAY, &token);

    if (status != ISW_OK)
        return status;
    if (token.size != 2)
        return refuse(d, "data is an array of type and value");
    status = next(d, ISWI_TOKEN_UINT, &token);
    if (status != ISW_OK)
        return status;
    if (token.as.u > ISWI_WIRE_ARRAY && iswi_value_element_allowed(token.as.u - ISWI_WIRE_ARRAY))
        return get_array(d, (isw_value_type)(token.as.u - ISWI_WIRE_ARRAY), value);
    if (token.as.u > ISW_VALUE_MAP)
        return refuse(d, "unknown type of data");
    value->type = (isw_value_type)token.as.u;
    return value->type >= ISW_VALUE_ARRAY ? get_nested(d, value) : get_bare(d, value);
}

static isw_status get_pairs(decoder *d, isw_pairs *pairs)
{
    void *items;
    isw_pair *each;
    list_shape shape = { .elements = 2, .least = 2, .most = ISWI_PAIRS_MAX, .size = sizeof *each };
    isw_status status = get_list(d, shape, &items, &pairs->count);

    if (status != ISW_OK)
        return status;
    pairs->items = each = items;
    for (size_t i = 0; i < pairs->count && status == ISW_OK; i++) {
        status = get_str(d, 0, &each[i].name);
        if (status == ISW_OK)
            status = get_str(d, 0, &each[i].value);
    }
    return status;
}

static isw_status get_map(decoder *d, isw_map *map)
{
    void *items;
    isw_named_value *each;
    list_shape shape = { .elements = 2, .least = 4, .most = ISWI_PAIRS_MAX, .size = sizeof *each };
    isw_status status = get_list(d, shape, &items, &map->count);

    if (status != ISW_OK)
        return status;
    map->items = each = items;
    for (size_t i = 0; i < map->count && status == ISW_OK; i++) {
        status = get_str(d, 0, &each[i].name);
        if (status == ISW_OK)
            status = get_typed(d, &each[i].value);
    }
    return status;
}

static isw_status get_strs(decoder *d, iswi_strs *strs)
{
    void *items;
    isw_str *each;
    list_shape shape = { .elements = 1, .least = 1, .most = ISWI_LIST_MAX, .size = sizeof *each };
    isw_status status = get_list(d, shape, &items, &strs->count);

    if (status != ISW_OK)
        return status;
    strs->items = each = items;
    for (size_t i = 0; i < strs->count && status == ISW_OK; i++)
        status = get_str(d, 0, &each[i]);
    return status;
}

/* Of a struct on the wire: its map, and key and value of each required member. */
static size_t least_bytes(const iswi_table *table)
{
    size_t least = 1;

    for (size_t i = 0; i < table->count; i++)
        least += table->fields[i].required ? 2 : 0;
    return least;
}

static isw_status get_structs(decoder *d, const iswi_table *table, iswi_any_list *list)
{
    void *items;
    list_shape shape = { .elements = 1, .least = least_bytes(table), .most = ISWI_LIST_MAX,
                         .size = table->size };
    isw_status status = get_list(d, shape, &items, &list->count);

    if (status != ISW_OK)
        return status;
    list->items = items;
    for (size_t i = 0; i < list->count && status == ISW_OK; i++)
        status = get_struct(d, table, (char *)items + i * table->size);
    return status;
}

static isw_status get_uint(decoder *d, uint64_t most, uint64_t *value)
{
    iswi_token token;
    isw_status status = next(d, ISWI_TOKEN_UINT, &token);

    if (status != ISW_OK)
        return status;
    *value = token.as.u;
    return *value <= most ? ISW_OK : refuse(d, "number is too large");
}

static isw_status get_value(decoder *d, const iswi_field *field, void *value)
{
    iswi_token token;
    uint64_t code = 0;
    isw_status status;

    switch ((iswi_field_type)field->type) {
    case ISWI_FIELD_UINT:
        return get_uint(d, UINT64_MAX, value);
    case ISWI_FIELD_CODE:
        status = get_uint(d, 999, &code);
        *(int *)value = (int)code;
        return status;
    case ISWI_FIELD_BOOL:
        status = next(d, ISWI_TOKEN_BOOL, &token);
        *(bool *)value = status == ISW_OK && token.as.boolean;
        return status;
    case ISWI_FIELD_STR:
        return get_str(d, field->limit, value);
    case ISWI_FIELD_BIN:
        return get_bin(d, field, value);
    case ISWI_FIELD_STRS:
        return get_strs(d, value);
    case ISWI_FIELD_PAIRS:
        return get_pairs(d, value);
    case ISWI_FIELD_VALUE:
        return get_typed(d, value);
    case ISWI_FIELD_NAMED:
        return get_map(d, value);
    case ISWI_FIELD_STRUCT:
        return get_struct(d, field->table, value);
    case ISWI_FIELD_LIST:
        return get_structs(d, field->table, value);
    }
    return refuse(d, "no such type");
}

static const iswi_field *field_of_key(const iswi_table *table, uint64_t key)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->fields[i].key == key)
            return &table->fields[i];
    return NULL;
}

static isw_status get_pair(decoder *d, const iswi_table *table, uint64_t *seen, void *value)
{
    const iswi_field *outer = d->field;
    const iswi_field *field;
    iswi_token key;
    isw_status status = next(d, ISWI_TOKEN_UINT, &key);

    if (status != ISW_OK)
        return status;
    if (key.as.u > ISWI_KEY_MAX)
        return refuse(d, "a key is larger than 63");
    field = field_of_key(table, key.as.u);
    d->field = field ? field : outer;
    if (*seen >> key.as.u & 1)
        return refuse(d, "a key comes twice");
    *seen |= UINT64_C(1) << key.as.u;
    if (field)
        status = get_value(d, field, (char *)value + field->offset);
    else if (!iswi_cursor_skip(&d->in, ISWI_SKIP_MAX_DEPTH))
        status = refuse(d, "the value of an unknown key is malformed or too deep");
    if (status == ISW_OK)
        d->field = outer;
    return status;
}

static isw_status get_members(decoder *d, const iswi_table *table, size_t count, void *value)
{
    uint64_t seen = 0;
    isw_status status = ISW_OK;

    for (size_t i = 0; status == ISW_OK && i < count; i++)
        status = get_pair(d, table, &seen, value);
    for (size_t i = 0; status == ISW_OK && i < table->count; i++) {
        if (table->fields[i].required && !(seen >> table->fields[i].key & 1)) {
            d->field = &table->fields[i];
            status = refuse(d, "is missing");
        }
    }
    return status;
}

static isw_status get_head(decoder *d, uint64_t *kind, uint64_t *id)
{
    iswi_token token;
    isw_status status = next(d, ISWI_TOKEN_ARRAY, &token);

    if (status == ISW_OK && token.size != 3)
        status = refuse(d, "a frame is an array of kind, id and body");
    if (status == ISW_OK)
        status = next(d, ISWI_TOKEN_UINT, &token);
    if (status != ISW_OK)
        return status;
    *kind = token.as.u;
    d->frame = iswi_kind_name(*kind);
    status = next(d, ISWI_TOKEN_UINT, &token);
    *id = status == ISW_OK ? token.as.u : 0;
    if (status == ISW_OK && *kind <= ISWI_KIND_CORE_MAX && !iswi_table_of_kind(*kind))
        status = isw_error_set(d->error, ISW_E_PROTOCOL, "frame of unknown kind %u",
                               (unsigned)*kind);
    return status;
}

/* Bytes that lie apart belong to the frame that was read. */
static isw_status check_apart(decoder *d)
{
    return d->in.apart.data ? refuse(d, "bytes that lie apart from no bin of it") : ISW_OK;
}

static decoder decoder_of(isw_bytes bytes, isw_bytes apart, iswi_arena *arena, isw_error *error)
{
    const unsigned char *start = bytes.data;

    return (decoder){ .in = { start, start, start + bytes.size, apart },
                      .arena = arena,
                      .frame = "frame",
                      .error = error };
}

isw_status iswi_frame_decode_apart(isw_bytes bytes, isw_bytes apart, iswi_arena *arena,
                                   iswi_frame *frame, size_t *used, isw_error *error)
{
    decoder d = decoder_of(bytes, apart, arena, error);
    const iswi_table *table;
    isw_status status = get_head(&d, &frame->kind, &frame->id);

    if (status != ISW_OK)
        return status;
    table = iswi_table_of_kind(frame->kind);
    memset(&frame->as, 0, table ? table->size : sizeof frame->as);
    if (table)
        status = get_struct(&d, table, &frame->as);
    else if (!iswi_cursor_skip(&d.in, ISWI_SKIP_MAX_DEPTH))
        status = refuse(&d, "malformed or too deep");
    *used = (size_t)(d.in.at - d.in.start);
    return status == ISW_OK ? check_apart(&d) : status;
}

isw_status iswi_frame_decode(const void *bytes, size_t size, iswi_arena *arena, iswi_frame *frame,
                             size_t *used, isw_error *error)
{
    return iswi_frame_decode_apart((isw_bytes){ bytes, size }, (isw_bytes){ NULL, 0 }, arena, frame,
                                   used, error);
}

isw_status iswi_frame_peek_apart(isw_bytes bytes, isw_bytes apart, uint64_t *kind, uint64_t *id,
                                 size_t *used, isw_error *error)
{
    decoder d = decoder_of(bytes, apart, NULL, error);
    isw_status status = get_head(&d, kind, id);

    if (status == ISW_OK && !iswi_cursor_skip(&d.in, *kind > ISWI_KIND_CORE_MAX
                                                         ? ISWI_SKIP_MAX_DEPTH
                                                         : ISWI_BODY_MAX_DEPTH))
        status = refuse(&d, "malformed or too deep");
    *used = (size_t)(d.in.at - d.in.start);
    return status == ISW_OK ? check_apart(&d) : status;
}

isw_status iswi_frame_peek(const void *bytes, size_t size, uint64_t *kind, uint64_t *id,
                           size_t *used, isw_error *error)
{
    return iswi_frame_peek_apart((isw_bytes){ bytes, size }, (isw_bytes){ NULL, 0 }, kind, id, used,
                                 error);
}
