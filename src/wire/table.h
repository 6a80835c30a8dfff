/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WIRE_TABLE_H
#define ISWI_WIRE_TABLE_H

/* How structs of frame.h lie on the wire: one row for each member. Read by the codec and by the
 * test that holds it to PROTOCOL.md. */
#include "wire/frame.h"

typedef enum iswi_field_type {
    ISWI_FIELD_UINT,   /* uint64_t */
    ISWI_FIELD_CODE,   /* int, an HTTP status: 0 to 999 */
    ISWI_FIELD_BOOL,   /* bool */
    ISWI_FIELD_STR,    /* isw_str of at most `limit` bytes; 0: any */
    ISWI_FIELD_BIN,    /* isw_bytes; `limit` as above, or exactly `limit` for proofs */
    ISWI_FIELD_STRS,   /* iswi_strs */
    ISWI_FIELD_PAIRS,  /* isw_pairs */
    ISWI_FIELD_VALUE,   /* isw_value */
    ISWI_FIELD_NAMED,  /* isw_map */
    ISWI_FIELD_STRUCT, /* a struct by `table` */
    ISWI_FIELD_LIST    /* { items, count } of structs by `table` */
} iswi_field_type;

struct iswi_table;

typedef struct iswi_field {
    uint8_t key;
    uint8_t type; /* iswi_field_type */
    bool required;
    bool exact; /* BIN: the size is `limit` and nothing else */
    uint32_t limit;
    uint32_t offset;
    const struct iswi_table *table;
    const char *name;
} iswi_field;

typedef struct iswi_table {
    const char *name;
    const iswi_field *fields; /* in ascending order of key */
    size_t count;
    size_t size; /* of the struct */
} iswi_table;

/* The body of a core kind, or NULL for one that is not defined. */
const iswi_table *iswi_table_of_kind(uint64_t kind);

extern const iswi_table iswi_table_http;
extern const iswi_table iswi_table_model;

/* Any { items, count } of frame.h and data.h. */
typedef struct iswi_any_list {
    const void *items;
    size_t count;
} iswi_any_list;

/* Types on the wire: arrays are 16 + type of the element (PROTOCOL.md, section 6). */
enum { ISWI_WIRE_ARRAY = 16 };
bool iswi_value_element_allowed(uint64_t element_type);

#endif
