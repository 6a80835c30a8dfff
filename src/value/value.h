/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_VALUE_VALUE_H
#define ISWI_VALUE_VALUE_H

/* The calls of <isoworker/convert.h> and <isoworker/bind.h> with an arena in place of a context.
 * Errors as there. */
#include "base/arena.h"

#include <isoworker/bind.h>
#include <isoworker/convert.h>

isw_status iswi_json_parse(iswi_arena *arena, isw_str text, isw_value *out, isw_error *error);
isw_status iswi_json_write(iswi_arena *arena, const isw_value *value, isw_str *out,
                           isw_error *error);

isw_status iswi_msgpack_parse(iswi_arena *arena, isw_bytes bytes, isw_value *out,
                              isw_error *error);
isw_status iswi_msgpack_write(iswi_arena *arena, const isw_value *value, isw_bytes *out,
                              isw_error *error);

/* Whether a table keeps its own rules, such as ranges that some value can meet and defaults that
 * may stand there. Messages call it `root`. Errors: ISW_E_INVALID, which names the row. */
isw_status iswi_fields_check(const isw_field *fields, const char *root, isw_error *error);

/* What `min` and `max` of a row mean. */
typedef struct iswi_limits {
    int64_t min, max;
} iswi_limits;
iswi_limits iswi_field_limits(const isw_field *row);

/* The size of a scalar member; that of a struct is in its row. */
size_t iswi_field_size(isw_field_type type, const isw_field *row);

/* With `lenient`, scalars may come as text. */
isw_status iswi_bind(iswi_arena *arena, const isw_value *from, const char *root,
                     const isw_field *fields, bool lenient, void *out, isw_error *error);

/* The value that iswi_bind, lenient, takes for these pairs. NULL: no memory. */
const isw_value *iswi_bind_pairs_value(iswi_arena *arena, const isw_pairs *pairs,
                                       const isw_field *fields);

/* Whether a content type says JSON: application/json, or one that ends in +json, whatever its
 * parameters are. */
bool iswi_type_is_json(isw_str type);

/* What came with a content type, which may be empty, as a value with views into it: JSON, text, or
 * bytes where it is neither. */
isw_value iswi_body_value(isw_bytes body, isw_str type);

/* The body and its content type that a result which is no HTTP reply stands for: text, JSON and
 * bytes as such, none as nothing of no type (NULL). False: it is no answer to a request. */
bool iswi_value_body(const isw_value *value, isw_bytes *body, const char **type);

/* The same, but its content type alone says what it is: text only of the type text/..., and bytes of
 * any other and of none. */
isw_value iswi_body_by_type(isw_bytes body, isw_str content_type);

isw_status iswi_unbind(iswi_arena *arena, const isw_field *fields, const void *in, isw_value *out,
                       isw_error *error);

/* "string \"abc\"", "integer 7", "array": what came, for messages. `out` has room for
 * ISWI_FOUND_BYTES. */
enum { ISWI_FOUND_BYTES = 64 };
const char *iswi_found(const isw_value *value, char *out);

#endif
