/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_BIND_H
#define ISOWORKER_BIND_H

/*
 * Values to C structs and back, by a table with one row for each member:
 *
 *     static const isw_field line_fields[] = {
 *         { ISW_FIELD(STRING, line, item), .required = true },
 *         { ISW_FIELD(INT, line, quantity), .default_value = "1", .min = 1, .max = 99 },
 *         { 0 },
 *     };
 *     static const isw_field order_fields[] = {
 *         { ISW_FIELD(STRING, order, customer), .required = true },
 *         { ISW_FIELD_LIST(STRUCT, order, lines, line_count), .fields = line_fields,
 *           .item_size = sizeof(line) },
 *         { 0 },
 *     };
 *     order o;
 *     isw_status status = isw_bind_payload(ctx, "order", order_fields, &o);
 *
 * What does not fit is refused by its path: "order.lines[3].quantity: expected integer, found
 * string". On the invocation's thread; results lie in its memory. Failures are recorded on ctx with
 * ISW_E_INVALID, which HTTP callers see as 400; `out` is then filled in part.
 */
#include <isoworker/export.h>
#include <isoworker/function.h>
#include <isoworker/status.h>
#include <isoworker/value.h>

ISW_BEGIN_DECLS

/* What a member is, in C and in a value. */
typedef enum isw_field_type {
    ISW_FIELD_BOOL = 1,   /* bool */
    ISW_FIELD_INT = 2,    /* int64_t */
    ISW_FIELD_DOUBLE = 3, /* double, also from an integer */
    ISW_FIELD_STRING = 4, /* const char *, without a NUL within; NULL when it is missing */
    ISW_FIELD_BYTES = 5,  /* isw_bytes: bytes or text; base64 in JSON that is written */
    ISW_FIELD_ENUM = 6,   /* int64_t, index into `choices`, from text */
    ISW_FIELD_VALUE = 7,  /* isw_value: anything */
    ISW_FIELD_STRUCT = 8, /* a struct by `fields`; zero and defaults when it is missing */
    ISW_FIELD_ARRAY = 9   /* pointer to items of item_type, whose number is at count_offset */
} isw_field_type;

/* One row of a table, which ends with a NULL name. A missing member takes its default, or is zero;
 * none (JSON's null) counts as missing. Members that are in no row are passed over. */
typedef struct isw_field {
    const char *name;
    isw_field_type type;
    size_t offset;            /* of the member in its struct */
    isw_field_type item_type; /* ARRAY: any but ARRAY */
    size_t count_offset;      /* ARRAY: of a size_t */
    bool required;
    const char *default_value; /* of a scalar, as text; NULL for zero */
    int64_t min, max; /* inclusive: of INT and DOUBLE the value, of STRING and BYTES the bytes, of
                         ARRAY the items. Both 0: any; a max of 0 beside a min above 0: that or more
                         (.min = 1 is "at least 1", .max = INT64_MAX with .min = 0 "not negative").
                         A range that no value can meet is refused when the worker is configured,
                         for the tables of isw_function, and is ISW_E_INTERNAL elsewhere */
    const char *const *choices;     /* ENUM: ends with NULL */
    const struct isw_field *fields; /* STRUCT, and ARRAY of it */
    size_t item_size;               /* ARRAY of STRUCT: its size */
} isw_field;

/* The beginning of a row. C++17 knows no designators: there the rest follows by position. */
#ifdef __cplusplus
#define ISW_FIELD(kind, of, member) \
    #member, ISW_FIELD_##kind, offsetof(of, member), ISW_FIELD_##kind, 0
#define ISW_FIELD_LIST(kind, of, member, count_member)                \
    #member, ISW_FIELD_ARRAY, offsetof(of, member), ISW_FIELD_##kind, \
        offsetof(of, count_member)
#else
#define ISW_FIELD(kind, of, member) \
    .name = #member, .type = ISW_FIELD_##kind, .offset = offsetof(of, member)
#define ISW_FIELD_LIST(kind, of, member, count_member)                        \
    .name = #member, .type = ISW_FIELD_ARRAY, .offset = offsetof(of, member), \
    .item_type = ISW_FIELD_##kind, .count_offset = offsetof(of, count_member)
#endif

/* Fill the struct at `out` from a map. `root` is what messages call it ("" for nothing). That
 * `from` is NULL, here and below, is the function's fault: 500, and a line in the log. */
ISW_API isw_status isw_bind(isw_context *ctx, const isw_value *from, const char *root,
                            const isw_field *fields, void *out);

/* The same from what the trigger brought: an HTTP body by its content type (application/json and
 * those that end in +json, application/msgpack, application/x-www-form-urlencoded), a map as it is,
 * text and JSON as JSON, bytes as MessagePack. A body of another type does not fit. */
ISW_API isw_status isw_bind_payload(isw_context *ctx, const char *root, const isw_field *fields,
                                    void *out);

/* The same from names and values, such as the parameters of a route, a query or a form: numbers,
 * bools and choices are read from text, an ARRAY takes all values of its name. A STRUCT has none:
 * one that comes all the same does not fit. */
ISW_API isw_status isw_bind_pairs(isw_context *ctx, const isw_pairs *from, const char *root,
                                  const isw_field *fields, void *out);

/* The struct as a map, in the order of the table; a NULL string is none, and left out. */
ISW_API isw_status isw_unbind(isw_context *ctx, const isw_field *fields, const void *in,
                              isw_value *out);

/* Answer with the struct as application/json. */
ISW_API isw_status isw_http_reply_struct(isw_context *ctx, int status, const isw_field *fields,
                                         const void *in);

ISW_END_DECLS

#endif
