/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_URL_PERCENT_H
#define ISWI_URL_PERCENT_H

/* Percent-encoding (RFC 3986, 2.1), read strictly. Pure; any thread. */
#include "base/buffer.h"

#include <isoworker/value.h>

/* Whether every '%' of `text` begins an escape of two hexadecimal digits. */
bool iswi_percent_valid(isw_str text);

/* Decode into `out`, which has room for text.size bytes, and return the size; SIZE_MAX for an
 * escape that is cut off or not hexadecimal. '+' becomes a space if `plus_is_space`, as the query
 * strings of forms have it. */
size_t iswi_percent_decode(isw_str text, bool plus_is_space, char *out);

/* Append `text` with all of it encoded that is neither unreserved (RFC 3986, 2.3) nor in `also`. */
void iswi_percent_encode(isw_str text, const char *also, iswi_buffer *out);

#endif
