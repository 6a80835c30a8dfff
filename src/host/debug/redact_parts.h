/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_DEBUG_REDACT_PARTS_H
#define ISWI_HOST_DEBUG_REDACT_PARTS_H

/* Secrets in a body of multipart/form-data (RFC 7578). */
#include "base/arena.h"

#include <isoworker/value.h>

/* `body`, which is of the content type `type`, with "[redacted]" for the content of each part whose
 * field `is_secret` says so of. What cannot be read as such a body is left as it is; *out lies in
 * the arena or is `body`. False: no memory. */
bool iswi_redact_parts(iswi_arena *arena, isw_str type, isw_str body,
                       bool (*is_secret)(const void *user, isw_str name), const void *user,
                       isw_str *out);

#endif
