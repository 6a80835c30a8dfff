/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_CONVERT_H
#define ISOWORKER_CONVERT_H

/*
 * Values in other forms: C types, JSON (RFC 8259) and MessagePack. What does not fit is refused
 * with what was expected and what came; nothing is cut or rounded in silence. The conversions of
 * one value are pure and may be called from any thread; what takes a context puts its result into
 * the invocation's memory, and records its failure there.
 */
#include <isoworker/export.h>
#include <isoworker/function.h>
#include <isoworker/status.h>
#include <isoworker/value.h>

ISW_BEGIN_DECLS

/* -- One value --------------------------------------------------------------------------------- */

/* The value as a C type. An integer also from a double without a fraction and from decimal text, a
 * double also from an integer that it holds exactly and from decimal text, a bool also from the
 * texts "true" and "false". Text is a view of text or JSON, bytes of those and bytes. *out is
 * untouched on failure. Errors: ISW_E_INVALID, such as "expected integer, found string \"abc\"". */
ISW_API isw_status isw_value_to_int(const isw_value *value, int64_t *out, isw_error *error);
ISW_API isw_status isw_value_to_double(const isw_value *value, double *out, isw_error *error);
ISW_API isw_status isw_value_to_bool(const isw_value *value, bool *out, isw_error *error);
ISW_API isw_status isw_value_to_text(const isw_value *value, isw_str *out, isw_error *error);
ISW_API isw_status isw_value_to_bytes(const isw_value *value, isw_bytes *out, isw_error *error);

/* What lies at `path` within maps and arrays, such as "order.lines[3].quantity"; NULL if nothing
 * does. "" is the value itself. Borrowed from `value`. */
ISW_API const isw_value *isw_value_get(const isw_value *value, const char *path);

/* -- JSON -------------------------------------------------------------------------------------- */

enum {
    ISW_CONVERT_MAX_DEPTH = 64 /* of arrays and maps within each other, both ways */
};

/* Read one JSON text. Objects become maps in their order, null becomes none, numbers without
 * fraction and exponent integers of 64 bits, others doubles. A byte order mark before it is passed
 * over. Errors: ISW_E_INVALID with line and column: what JSON does not allow, a name that comes
 * twice (readers differ in which one counts) or has a \\u0000 (names end with a NUL here; other
 * texts may have it), an integer beyond 64 bits, too deep; ISW_E_NO_MEMORY. */
ISW_API isw_status isw_json_parse(isw_context *ctx, isw_str text, isw_value *out);

/* Write a value as JSON without spaces. Bytes become base64 (RFC 4648), text of type JSON goes in
 * as it is once it was checked, doubles are as short as gives the same double again. Errors:
 * ISW_E_INVALID for infinities, NaN, HTTP and model values, text that is not UTF-8 or not JSON, and
 * too deep; ISW_E_NO_MEMORY. */
ISW_API isw_status isw_json_write(isw_context *ctx, const isw_value *value, isw_str *out);

/* -- MessagePack ------------------------------------------------------------------------------- */

/* Read one MessagePack value that fills `bytes`. Text and bytes are views into them. Errors:
 * ISW_E_INVALID with the byte: malformed, cut short, more behind it, a key that is no text, text
 * that is not UTF-8, an extension type, an integer beyond 64 bits with sign, too deep;
 * ISW_E_NO_MEMORY. */
ISW_API isw_status isw_msgpack_parse(isw_context *ctx, isw_bytes bytes, isw_value *out);

/* Write a value. Text of type JSON becomes a str. Errors: as isw_json_write, but for numbers. */
ISW_API isw_status isw_msgpack_write(isw_context *ctx, const isw_value *value, isw_bytes *out);

ISW_END_DECLS

#endif
