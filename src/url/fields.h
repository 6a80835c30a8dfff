/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_URL_FIELDS_H
#define ISWI_URL_FIELDS_H

/* What the fields of HTTP and MIME are made of (RFC 9110, section 5). Pure; any thread. */
#include "base/arena.h"

#include <isoworker/value.h>

/* A token (RFC 9110, section 5.6.2), as methods and the names of fields are. */
bool iswi_field_is_token(isw_str text);

/* How many bytes of a token `text` begins with. */
size_t iswi_field_token_size(isw_str text);

/* The same for `size` bytes of `text`; its letters are made small ones. */
size_t iswi_field_lower_token(char *text, size_t size);

/* What the value of a field may be. */
bool iswi_field_is_value(isw_str text);

/* Where `text` has the first byte that no field's value may have, or text.size: control characters
 * but the tab. */
size_t iswi_field_bad_byte(isw_str text);

/* Make the value UTF-8, which is what the wire and the functions have: what it is not becomes the
 * characters of ISO 8859-1, in `arena`. RFC 9110, section 5.5, lets a value have any byte, and a
 * browser sends cookies that a neighbour has set in Latin-1: refused, they would lock a user out of
 * a function that never reads them. False: no memory. */
bool iswi_field_mend(isw_str *value, iswi_arena *arena);

/* Without spaces and tabs around. */
isw_str iswi_field_trim(isw_str text);

/* Whether both are the same but for the case of ASCII letters. */
bool iswi_field_equal(isw_str text, const char *other);

/* What stands before the first of `separator`, trimmed; *rest is what comes after it. */
isw_str iswi_field_split(isw_str *rest, char separator);

typedef enum iswi_param_result {
    ISWI_PARAM_FOUND,
    ISWI_PARAM_END,
    ISWI_PARAM_BAD,
    ISWI_PARAM_NO_MEMORY
} iswi_param_result;

/* The next of `; name=value; name="value"` (RFC 9110, section 5.6.6), where *rest begins at or
 * behind a semicolon or is empty; it moves behind, or to what is wrong. In quotes a
 * backslash stands for itself, as in the names of files that browsers write (WHATWG HTML, multipart
 * form data): C:\\x has two. Only where a quote is escaped are `\"` and `\\` what RFC 9110 says. */
iswi_param_result iswi_param_next(isw_str *rest, iswi_arena *arena, isw_pair *out);

#endif
