/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_DEBUG_REDACT_H
#define ISWI_HOST_DEBUG_REDACT_H

/* What is a secret, out of what is to be written down: headers, members of baggage and tracestate,
 * parameters of queries, fields of forms and members of JSON, by their names. The value becomes
 * "[redacted]", so that it can be seen that there was one. */
#include "base/arena.h"

#include <isoworker/sys/middleware.h>
#include <isoworker/value.h>

/* Names that are secret beside the usual ones; NULL members are empty. */
typedef struct iswi_secrets {
    const isw_option_strings *patterns; /* for every place, as the operator wrote them */
    const isw_pairs *told; /* by functions: places, which do not matter here, and names */
} iswi_secrets;

/* Whether a name stands for a secret, in whatever place it does; letter case ignored. */
bool iswi_is_secret(isw_str name, const iswi_secrets *secrets);

/* Whether a body may hold secrets by name but cannot be searched for them, so that it is to be left
 * out: it is encoded (gzip, ...), it claims to be JSON or begins like it and is none that can be
 * read, or it is XML. The arena is for reading it. */
bool iswi_is_sealed(iswi_arena *arena, const isw_http *http);

/* A copy of `value` without secrets, in the arena, with views into it. JSON, by type or text, and
 * HTTP bodies of JSON or forms, are read for it, and JSON that cannot be is left out; other bodies
 * stay as they are. Errors:
 * ISW_E_NO_MEMORY. */
isw_status iswi_redact(iswi_arena *arena, const isw_value *value, const iswi_secrets *secrets,
                       isw_value *out);

/* The same of pairs, and of text "name=value,name=value". */
isw_status iswi_redact_pairs(iswi_arena *arena, const isw_pairs *pairs,
                             const iswi_secrets *secrets, isw_pairs *out);
isw_status iswi_redact_members(iswi_arena *arena, isw_str text, const iswi_secrets *secrets,
                               isw_str *out);

#endif
