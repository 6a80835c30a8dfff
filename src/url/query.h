/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_URL_QUERY_H
#define ISWI_URL_QUERY_H

/* Names and values as application/x-www-form-urlencoded has them (WHATWG URL, section 5.1), in a
 * query or a form's body, read strictly. Pure; any thread. */
#include "base/arena.h"

#include <isoworker/value.h>

typedef enum iswi_query_result {
    ISWI_QUERY_OK,
    ISWI_QUERY_BAD_ESCAPE, /* a '%' without two hexadecimal digits */
    ISWI_QUERY_NUL,        /* an encoded NUL */
    ISWI_QUERY_NOT_UTF8,
    ISWI_QUERY_NO_MEMORY
} iswi_query_result;

/* Decode `text` (without its '?') into the arena. Empty parts are left out; a part without '=' is
 * a name with an empty value. Unless OK, *bad is where in `text` the part begins that is wrong. */
iswi_query_result iswi_query_read(isw_str text, iswi_arena *arena, isw_pairs *out, size_t *bad);

#endif
