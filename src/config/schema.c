/* SPDX-License-Identifier: Apache-2.0 */
/* Every field is optional to libcyaml: what must be there has been checked, and what is left out
 * stays zero because libcyaml zeroes a mapping before it fills it. */
#include "config/schema.h"

#include "config/config.h"

#include <assert.h>

static const cyaml_schema_field_t *make_fields(iswi_arena *arena, const isw_option *table,
                                               unsigned depth);

static const cyaml_schema_value_t text_entry = {
    .type = CYAML_STRING,
    .flags = CYAML_FLAG_POINTER,
    .data_size = sizeof(char),
    .string = { .min = 0, .max = CYAML_UNLIMITED },
};

static bool make_mapping(iswi_arena *arena, const isw_option *table, size_t size, int flags,
                         unsigned depth, cyaml_schema_value_t *out)
{
    out->type = CYAML_MAPPING;
    out->flags = (enum cyaml_flag)flags;
    /* A struct without members is none to the allocator: 0 bytes would mean "free". */
    out->data_size = size ? (uint32_t)size : 1;
    out->mapping.fields = make_fields(arena, table, depth + 1);
    return out->mapping.fields != NULL;
}

/* `items` and `count` lie as in isw_option_strings, isw_option_list and iswi_named_list alike. */
static void make_sequence(const cyaml_schema_value_t *entry, size_t stride,
                          cyaml_schema_field_t *out)
{
    out->count_offset = out->data_offset + (uint32_t)offsetof(isw_option_list, count);
    out->count_size = sizeof(size_t);
    out->value.type = CYAML_SEQUENCE;
    out->value.flags = (enum cyaml_flag)(CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER);
    out->value.data_size = (uint32_t)stride;
    out->value.sequence.entry = entry;
    out->value.sequence.min = 0;
    out->value.sequence.max = CYAML_UNLIMITED;
}

static bool make_group_list(iswi_arena *arena, const isw_option *row, unsigned depth,
                            cyaml_schema_field_t *out)
{
    cyaml_schema_value_t *entry = iswi_arena_calloc(arena, 1, sizeof *entry);

    if (!entry ||
        !make_mapping(arena, row->group, row->group_size, CYAML_FLAG_DEFAULT, depth, entry))
        return false;
    make_sequence(entry, entry->data_size, out);
    return true;
}

static bool make_named_list(iswi_arena *arena, const isw_option *row, unsigned depth,
                            cyaml_schema_field_t *out)
{
    cyaml_schema_value_t *entry = iswi_arena_calloc(arena, 1, sizeof *entry);
    cyaml_schema_field_t *slots;
    size_t count = 0;

    while (row->group && row->group[count].name)
        count++;
    slots = iswi_arena_calloc(arena, count + 1, sizeof *slots);
    if (!entry || !slots)
        return false;
    for (size_t i = 0; i < count; i++) {
        slots[i].key = row->group[i].name;
        slots[i].data_offset = (uint32_t)(i * sizeof(void *));
        if (!make_mapping(arena, row->group[i].group, row->group[i].group_size,
                          CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER, depth, &slots[i].value))
            return false;
    }
    entry->type = CYAML_MAPPING;
    /* The whole row of slots: libcyaml takes it for the distance between entries. */
    entry->data_size = (uint32_t)((count ? count : 1) * sizeof(void *));
    entry->mapping.fields = slots;
    make_sequence(entry, entry->data_size, out);
    return true;
}

static bool make_field(iswi_arena *arena, const isw_option *row, unsigned depth,
                       cyaml_schema_field_t *out)
{
    out->key = row->name;
    out->data_offset = (uint32_t)row->offset;
    out->value.flags = CYAML_FLAG_OPTIONAL;
    switch ((int)row->type) {
    case ISW_OPTION_BOOL:
        out->value.type = CYAML_BOOL;
        out->value.data_size = sizeof(bool);
        return true;
    case ISW_OPTION_DOUBLE:
        out->value.type = CYAML_FLOAT;
        out->value.data_size = sizeof(double);
        return true;
    case ISW_OPTION_INT:
    case ISW_OPTION_ENUM:
    case ISW_OPTION_DURATION:
    case ISW_OPTION_SIZE:
        out->value.type = CYAML_INT;
        out->value.data_size = sizeof(int64_t);
        return true;
    case ISW_OPTION_STRINGS:
    case (int)ISWI_OPTION_TEXTS:
    case ISW_OPTION_PROPERTIES: /* check.c makes a list of it, */
    case (int)ISWI_OPTION_VARIABLES: /* and of this */
        make_sequence(&text_entry, sizeof(char *), out);
        return true;
    case ISW_OPTION_GROUP:
    case (int)ISWI_OPTION_SHORT_GROUP:
        return make_mapping(arena, row->group, row->group_size, CYAML_FLAG_OPTIONAL, depth,
                            &out->value);
    case ISW_OPTION_GROUP_LIST:
        return make_group_list(arena, row, depth, out);
    case (int)ISWI_OPTION_NAMED_LIST:
        return make_named_list(arena, row, depth, out);
    default: /* STRING, SECRET, PATH */
        out->value = text_entry;
        out->value.flags = (enum cyaml_flag)(CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER);
        return true;
    }
}

static const cyaml_schema_field_t *make_fields(iswi_arena *arena, const isw_option *table,
                                               unsigned depth)
{
    cyaml_schema_field_t *fields;
    size_t count = 0;

    assert(depth <= ISWI_CONFIG_MAX_DEPTH); /* a table that holds itself has no end */
    while (table && table[count].name)
        count++;
    fields = iswi_arena_calloc(arena, count + 1, sizeof *fields);
    for (size_t i = 0; fields && i < count; i++)
        if (!make_field(arena, &table[i], depth, &fields[i]))
            return NULL;
    return fields;
}

const cyaml_schema_value_t *iswi_schema_make(iswi_arena *arena, const isw_option *table,
                                             size_t size)
{
    cyaml_schema_value_t *top = iswi_arena_calloc(arena, 1, sizeof *top);

    if (!top || !make_mapping(arena, table, size, CYAML_FLAG_POINTER, 0, top))
        return NULL;
    return top;
}
