/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON ('j') or MessagePack ('m'), chosen by the first byte. What is read can be
 * written and comes back the same, and binding it to a struct fails by its path or holds. */
#include "value/json_read.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

typedef struct part {
    const char *name;
    int64_t number;
} part;

typedef struct whole {
    const char *text;
    double real;
    part *parts;
    size_t part_count;
    isw_value rest;
} whole;

static const isw_field part_fields[] = {
    { ISW_FIELD(STRING, part, name), .required = true, .max = 8 },
    { ISW_FIELD(INT, part, number), .min = -9, .max = 9 },
    { 0 },
};
static const isw_field whole_fields[] = {
    { ISW_FIELD(STRING, whole, text), .default_value = "none" },
    { ISW_FIELD(DOUBLE, whole, real) },
    { ISW_FIELD_LIST(STRUCT, whole, parts, part_count), .fields = part_fields,
      .item_size = sizeof(part), .max = 4 },
    { ISW_FIELD(VALUE, whole, rest) },
    { 0 },
};

static void try_bind(iswi_arena *arena, const isw_value *value)
{
    isw_error error = { .status = ISW_OK };
    isw_value back;
    whole w;

    if (iswi_bind(arena, value, "w", whole_fields, false, &w, &error) != ISW_OK) {
        must(error.status == ISW_E_INVALID && error.message[0] == 'w');
        return;
    }
    must(iswi_unbind(arena, whole_fields, &w, &back, &error) == ISW_OK);
    must(iswi_bind(arena, &back, "w", whole_fields, false, &w, &error) == ISW_OK);
}

static size_t count_of(isw_str text, char letter)
{
    size_t count = 0;

    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == letter;
    return count;
}

/* What is read at once is what jansson reads, to which a number with an exponent leaves it all. */
static void try_both_readers(iswi_arena *arena, isw_str text)
{
    isw_value once;
    isw_value list;
    isw_str first;
    isw_str second;
    char *longer;

    if (!iswi_json_read(arena, text, &once))
        return;
    if (count_of(text, '[') + count_of(text, '{') >= ISW_CONVERT_MAX_DEPTH)
        return; /* it may be too deep within another */
    longer = iswi_arena_printf(arena, "[1e0,%.*s]", (int)text.size, text.data);
    must(longer && iswi_json_parse(arena, isw_str_of(longer), &list, NULL) == ISW_OK);
    must(list.as.array.count == 2);
    must(iswi_json_write(arena, &once, &first, NULL) == ISW_OK);
    must(iswi_json_write(arena, &list.as.array.items[1], &second, NULL) == ISW_OK);
    must(isw_str_equal(first, second));
}

static void try_json(iswi_arena *arena, isw_str text)
{
    isw_error error = { .status = ISW_OK };
    isw_value value;
    isw_str first;
    isw_str second;

    try_both_readers(arena, text);
    if (iswi_json_parse(arena, text, &value, &error) != ISW_OK) {
        must(error.status == ISW_E_INVALID && error.message[0]);
        return;
    }
    must(iswi_json_write(arena, &value, &first, &error) == ISW_OK);
    must(iswi_json_parse(arena, first, &value, &error) == ISW_OK);
    must(iswi_json_write(arena, &value, &second, &error) == ISW_OK);
    must(isw_str_equal(first, second));
    try_bind(arena, &value);
}

static void try_msgpack(iswi_arena *arena, isw_bytes bytes)
{
    isw_error error = { .status = ISW_OK };
    isw_value value;
    isw_bytes first;
    isw_bytes second;

    if (iswi_msgpack_parse(arena, bytes, &value, &error) != ISW_OK) {
        must(error.status == ISW_E_INVALID && error.message[0]);
        return;
    }
    must(iswi_msgpack_write(arena, &value, &first, &error) == ISW_OK);
    must(iswi_msgpack_parse(arena, first, &value, &error) == ISW_OK);
    must(iswi_msgpack_write(arena, &value, &second, &error) == ISW_OK);
    must(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    try_bind(arena, &value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    iswi_arena arena;

    if (size < 1)
        return 0;
    iswi_arena_init(&arena, 4096);
    if (data[0] == 'j')
        try_json(&arena, (isw_str){ (const char *)data + 1, size - 1 });
    else if (data[0] == 'm')
        try_msgpack(&arena, (isw_bytes){ data + 1, size - 1 });
    iswi_arena_fini(&arena);
    return 0;
}
