/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_FORM_H
#define ISOWORKER_FORM_H

/*
 * Forms that an HTTP request brings in its body: application/x-www-form-urlencoded, and
 * multipart/form-data with files. A body is read at the first call and kept for the next; what is
 * handed out lives until the invocation ends. Same thread as the context, nothing blocks. All that
 * a form says comes from the caller: the name of a file is no path to open.
 */
#include <isoworker/context.h>
#include <isoworker/export.h>
#include <isoworker/status.h>
#include <isoworker/value.h>

ISW_BEGIN_DECLS

enum {
    ISW_FORM_FIELDS_MAX = 4096,
    ISW_PARTS_MAX = 1024,
    ISW_PART_HEADERS_MAX = 16,
    ISW_PART_HEADER_BYTES_MAX = 8192 /* of all headers of one part */
};

/* The fields of an application/x-www-form-urlencoded body (WHATWG URL, section 5.1) in order, as
 * UTF-8; isw_pairs_next (value.h) gives all values of one name. Empty parts between two '&' are
 * left out. Errors, recorded on ctx:
 *   ISW_E_INVALID      the body is of another type, or malformed: an escape that is no byte, text
 *                      that is not UTF-8 or has a NUL; the message says at which byte
 *   ISW_E_TOO_LARGE    more than ISW_FORM_FIELDS_MAX fields
 *   ISW_E_UNSUPPORTED  the function streams: its body is not in memory
 *   ISW_E_NO_MEMORY */
ISW_API isw_status isw_form_read(isw_context *ctx, const isw_pairs **out);

/* One part of a multipart body. */
typedef struct isw_part {
    isw_str name;
    isw_str filename;     /* as the client wrote it; its data is NULL if it did not */
    isw_str content_type; /* "text/plain" if the part does not say (RFC 7578, section 4.4) */
    isw_pairs headers;    /* names as they came; isw_pairs_find does not mind their case */
    isw_bytes data;       /* a view of the body, undecoded */
} isw_part;

/* The parts of a multipart/form-data body (RFC 7578, RFC 2046 section 5.1) in order; there may be
 * none. What stands before the first boundary and after the last one is passed over. Of `filename`
 * and `filename*` the latter counts; what browsers write as %22, %0D and %0A stays so. Errors,
 * recorded on ctx:
 *   ISW_E_INVALID      the body is of another type, or malformed; the message says what is wrong
 *                      and at which byte
 *   ISW_E_TOO_LARGE    more than one of the limits above
 *   ISW_E_UNSUPPORTED  the function streams: its body is not in memory
 *   ISW_E_NO_MEMORY */
ISW_API isw_status isw_multipart_read(isw_context *ctx, const isw_part **parts, size_t *count);

/* The first of `parts` with that name (letter case counts), or NULL. Any thread. */
ISW_API const isw_part *isw_multipart_find(const isw_part *parts, size_t count, const char *name);

/* The first field of that name (letter case counts) in a body of either type as NUL-terminated
 * text, or NULL if there is none. Parts that are files do not count. A body that is neither type
 * has no fields; one that cannot be read, or a field that is not UTF-8 or has a NUL, gives NULL and
 * is recorded on ctx as the calls above record it. */
ISW_API const char *isw_form_field(isw_context *ctx, const char *name);

ISW_END_DECLS

#endif
