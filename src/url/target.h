/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_URL_TARGET_H
#define ISWI_URL_TARGET_H

/* The target of a request: a path and perhaps a query, undecoded (RFC 9112, section 3.2). What RFC
 * 3986 would have escaped but browsers send as it is (such as '|' and '{') is taken; what ends a
 * target or is cut off from it elsewhere is not. Pure; any thread. */
#include <isoworker/value.h>

/* How many bytes of a target `text` begins with. */
size_t iswi_target_size(isw_str text);

/* Whether it is one that begins with '/', and every '%' begins an escape. */
bool iswi_target_valid(isw_str text);

#endif
