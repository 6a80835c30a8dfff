/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_REDACT_H
#define ISWI_HOST_REDACT_H

/* What looks like a secret, out of what is to be written down: headers, members of baggage,
 * parameters of queries and forms, and members of JSON, by their names. The value becomes
 * "[redacted]", so that it can be seen that there was one. */
#include "base/arena.h"

#include <isoworker/sys/middleware.h>
#include <isoworker/value.h>

/* Whether a name stands for a secret: one of the usual ones, or one that a pattern of `more` (may
 * be empty) matches; letter case ignored. */
bool iswi_is_secret(isw_str name, const isw_option_strings *more);

/* A copy of `value` without secrets, in the arena, with views into it. Text of type JSON, and HTTP
 * bodies of JSON or forms, are read for it; other bodies stay as they are. Errors:
 * ISW_E_NO_MEMORY. */
isw_status iswi_redact(iswi_arena *arena, const isw_value *value, const isw_option_strings *more,
                       isw_value *out);

/* The same of pairs. */
isw_status iswi_redact_pairs(iswi_arena *arena, const isw_pairs *pairs,
                             const isw_option_strings *more, isw_pairs *out);

#endif
