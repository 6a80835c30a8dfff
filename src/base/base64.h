/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_BASE64_H
#define ISWI_BASE_BASE64_H

/* Bytes as text (RFC 4648, section 4). Pure; any thread. */
#include "base/arena.h"
#include "base/buffer.h"

#include <isoworker/status.h>
#include <isoworker/value.h>

/* Append them, padded, without quotes. */
void iswi_base64_append(iswi_buffer *out, isw_bytes bytes);

/* Read text with or without its padding, into the arena. Errors: ISW_E_INVALID for what is none,
 * ISW_E_NO_MEMORY; *out is untouched then. */
isw_status iswi_base64_read(iswi_arena *arena, isw_str text, isw_bytes *out);

#endif
