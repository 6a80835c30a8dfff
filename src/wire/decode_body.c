/* SPDX-License-Identifier: Apache-2.0 */
/* What frames carry, to structs: members by the tables, and data by the types that it bears. */
#include "wire/decode_body.h"

static isw_status get_members(iswi_decoder *d, const iswi_table *table, size_t count, void *value);

isw_status iswi_decode_struct(iswi_decoder *d, const iswi_table *table, void *value)
{
    iswi_token token;
    isw_status status = iswi_decoder_next(d, ISWI_TOKEN_MAP, &token);

    return status == ISW_OK ? get_members(d, table, token.size, value) : status;
}

static isw_status get_by_pointer(iswi_decoder *d, const iswi_table *table, const void **place)
{
    static const union {
        isw_http http;
        isw_model model;
    } empty; /* shared: the one byte of an empty map must not buy a whole struct */
    iswi_token token;
    isw_status status = iswi_decoder_next(d, ISWI_TOKEN_MAP, &token);
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

/* The value of data of a type that is no array. */
static isw_status get_bare(iswi_decoder *d, isw_value *value)
{
    iswi_token token;
    isw_status status;

    switch (value->type) {
    case ISW_VALUE_NONE:
        return iswi_decoder_next(d, ISWI_TOKEN_NIL, &token);
    case ISW_VALUE_STRING:
    case ISW_VALUE_JSON:
        return iswi_decode_str(d, 0, &value->as.string);
    case ISW_VALUE_BYTES:
        return iswi_decode_bin(d, NULL, &value->as.bytes);
    case ISW_VALUE_INT:
        return iswi_decode_int(d, &value->as.integer);
    case ISW_VALUE_DOUBLE:
        status = iswi_decoder_next(d, ISWI_TOKEN_DOUBLE, &token);
        value->as.real = status == ISW_OK ? token.as.real : 0;
        return status;
    case ISW_VALUE_BOOL:
        status = iswi_decoder_next(d, ISWI_TOKEN_BOOL, &token);
        value->as.boolean = status == ISW_OK && token.as.boolean;
        return status;
    case ISW_VALUE_HTTP:
        return get_by_pointer(d, &iswi_table_http, (const void **)&value->as.http);
    case ISW_VALUE_MODEL:
        return get_by_pointer(d, &iswi_table_model, (const void **)&value->as.model);
    default:
        return iswi_decoder_refuse(d, "unknown type of data");
    }
}

static isw_status get_map(iswi_decoder *d, isw_map *map);

static isw_status get_typed(iswi_decoder *d, isw_value *value);

/* An array whose elements bear their types. */
static isw_status get_mixed(iswi_decoder *d, isw_value *value)
{
    void *items;
    isw_value *each;
    iswi_list_shape shape = { .elements = 1, .least = 3, .most = ISWI_LIST_MAX,
                              .size = sizeof *each };
    isw_status status = iswi_decode_list(d, shape, &items, &value->as.array.count);

    if (status != ISW_OK)
        return status;
    value->as.array.items = each = items;
    for (size_t i = 0; i < value->as.array.count && status == ISW_OK; i++)
        status = get_typed(d, &each[i]);
    return status;
}

static isw_status get_nested(iswi_decoder *d, isw_value *value)
{
    isw_status status;

    if (d->depth == ISWI_VALUE_MAX_DEPTH)
        return iswi_decoder_refuse(d, "arrays and maps are nested too deep");
    d->depth++;
    status = value->type == ISW_VALUE_MAP ? get_map(d, &value->as.map) : get_mixed(d, value);
    d->depth--;
    return status;
}

static isw_status get_array(iswi_decoder *d, isw_value_type type, isw_value *value)
{
    void *items;
    isw_value *each;
    iswi_list_shape shape = { .elements = 1, .least = 1, .most = ISWI_LIST_MAX,
                              .size = sizeof *each };
    isw_status status = iswi_decode_list(d, shape, &items, &value->as.array.count);

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

static isw_status get_typed(iswi_decoder *d, isw_value *value)
{
    iswi_token token;
    isw_status status = iswi_decoder_next(d, ISWI_TOKEN_ARRAY, &token);

    if (status != ISW_OK)
        return status;
    if (token.size != 2)
        return iswi_decoder_refuse(d, "data is an array of type and value");
    status = iswi_decoder_next(d, ISWI_TOKEN_UINT, &token);
    if (status != ISW_OK)
        return status;
    if (token.as.u > ISWI_WIRE_ARRAY && iswi_value_element_allowed(token.as.u - ISWI_WIRE_ARRAY))
        return get_array(d, (isw_value_type)(token.as.u - ISWI_WIRE_ARRAY), value);
    if (token.as.u > ISW_VALUE_MAP)
        return iswi_decoder_refuse(d, "unknown type of data");
    value->type = (isw_value_type)token.as.u;
    return value->type >= ISW_VALUE_ARRAY ? get_nested(d, value) : get_bare(d, value);
}

static isw_status get_map(iswi_decoder *d, isw_map *map)
{
    void *items;
    isw_named_value *each;
    iswi_list_shape shape = { .elements = 2, .least = 4, .most = ISWI_PAIRS_MAX,
                              .size = sizeof *each };
    isw_status status = iswi_decode_list(d, shape, &items, &map->count);

    if (status != ISW_OK)
        return status;
    map->items = each = items;
    for (size_t i = 0; i < map->count && status == ISW_OK; i++) {
        status = iswi_decode_str(d, 0, &each[i].name);
        if (status == ISW_OK)
            status = get_typed(d, &each[i].value);
    }
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

static isw_status get_structs(iswi_decoder *d, const iswi_table *table, iswi_any_list *list)
{
    void *items;
    iswi_list_shape shape = { .elements = 1, .least = least_bytes(table), .most = ISWI_LIST_MAX,
                              .size = table->size };
    isw_status status = iswi_decode_list(d, shape, &items, &list->count);

    if (status != ISW_OK)
        return status;
    list->items = items;
    for (size_t i = 0; i < list->count && status == ISW_OK; i++)
        status = iswi_decode_struct(d, table, (char *)items + i * table->size);
    return status;
}

static isw_status get_value(iswi_decoder *d, const iswi_field *field, void *value)
{
    iswi_token token;
    uint64_t code = 0;
    isw_status status;

    switch ((iswi_field_type)field->type) {
    case ISWI_FIELD_UINT:
        return iswi_decode_uint(d, UINT64_MAX, value);
    case ISWI_FIELD_CODE:
        status = iswi_decode_uint(d, 999, &code);
        *(int *)value = (int)code;
        return status;
    case ISWI_FIELD_BOOL:
        status = iswi_decoder_next(d, ISWI_TOKEN_BOOL, &token);
        *(bool *)value = status == ISW_OK && token.as.boolean;
        return status;
    case ISWI_FIELD_STR:
        return iswi_decode_str(d, field->limit, value);
    case ISWI_FIELD_BIN:
        return iswi_decode_bin(d, field, value);
    case ISWI_FIELD_STRS:
        return iswi_decode_strs(d, value);
    case ISWI_FIELD_PAIRS:
        return iswi_decode_pairs(d, value);
    case ISWI_FIELD_VALUE:
        return get_typed(d, value);
    case ISWI_FIELD_NAMED:
        return get_map(d, value);
    case ISWI_FIELD_STRUCT:
        return iswi_decode_struct(d, field->table, value);
    case ISWI_FIELD_LIST:
        return get_structs(d, field->table, value);
    }
    return iswi_decoder_refuse(d, "no such type");
}

static const iswi_field *field_of_key(const iswi_table *table, uint64_t key)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->fields[i].key == key)
            return &table->fields[i];
    return NULL;
}

static isw_status get_pair(iswi_decoder *d, const iswi_table *table, uint64_t *seen, void *value)
{
    const iswi_field *outer = d->field;
    const iswi_field *field;
    iswi_token key;
    isw_status status = iswi_decoder_next(d, ISWI_TOKEN_UINT, &key);

    if (status != ISW_OK)
        return status;
    if (key.as.u > ISWI_KEY_MAX)
        return iswi_decoder_refuse(d, "a key is larger than 63");
    field = field_of_key(table, key.as.u);
    d->field = field ? field : outer;
    if (*seen >> key.as.u & 1)
        return iswi_decoder_refuse(d, "a key comes twice");
    *seen |= UINT64_C(1) << key.as.u;
    if (field)
        status = get_value(d, field, (char *)value + field->offset);
    else if (!iswi_cursor_skip(&d->in, ISWI_SKIP_MAX_DEPTH))
        status = iswi_decoder_refuse(d, "the value of an unknown key is malformed or too deep");
    if (status == ISW_OK)
        d->field = outer;
    return status;
}

static isw_status get_members(iswi_decoder *d, const iswi_table *table, size_t count, void *value)
{
    uint64_t seen = 0;
    isw_status status = ISW_OK;

    for (size_t i = 0; status == ISW_OK && i < count; i++)
        status = get_pair(d, table, &seen, value);
    for (size_t i = 0; status == ISW_OK && i < table->count; i++) {
        if (table->fields[i].required && !(seen >> table->fields[i].key & 1)) {
            d->field = &table->fields[i];
            status = iswi_decoder_refuse(d, "is missing");
        }
    }
    return status;
}
