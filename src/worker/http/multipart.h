/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_HTTP_MULTIPART_H
#define ISWI_WORKER_HTTP_MULTIPART_H

/* Multipart bodies (RFC 2046, section 5.1) as forms have them (RFC 7578). Pure; any thread. */
#include "base/arena.h"

#include <isoworker/form.h>

enum { ISWI_BOUNDARY_MAX = 70 };

typedef struct iswi_parts {
    const isw_part *items;
    size_t count;
} iswi_parts;

/* The boundary that a multipart/form-data content type names. Errors: ISW_E_INVALID,
 * ISW_E_NO_MEMORY. */
isw_status iswi_multipart_boundary(isw_str content_type, iswi_arena *arena, isw_str *out,
                                   isw_error *error);

/* The parts of `body`, most of which are views of it. Errors: ISW_E_INVALID, ISW_E_TOO_LARGE,
 * ISW_E_NO_MEMORY. */
isw_status iswi_multipart_read(isw_bytes body, isw_str boundary, iswi_arena *arena,
                               iswi_parts *out, isw_error *error);

/* Read the headers of a part that `part->headers` holds into its other members. `at` is where they
 * begin in the body, for messages. Errors as above. */
isw_status iswi_part_describe(isw_part *part, size_t at, iswi_arena *arena, isw_error *error);

#endif
