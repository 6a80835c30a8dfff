/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_BASE64URL_H
#define AUTH_BASE64URL_H

/* base64url (RFC 4648, section 5) as tokens and keys have it: no padding, no white space, and no
 * bits set beyond the last byte, so that no two texts stand for the same. Pure; any thread. */
#include <isoworker/value.h>

/* How many bytes `text` stands for; SIZE_MAX if it is no base64url. */
size_t auth_base64url_size(isw_str text);

/* Write the bytes of a text that has a size to `out`, which has that many. */
void auth_base64url_decode(isw_str text, char *out);

#endif
