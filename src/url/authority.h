/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_URL_AUTHORITY_H
#define ISWI_URL_AUTHORITY_H

/* The host of a URL, as the field Host has it, too (RFC 9110, sections 4.2 and 7.2). Pure; any
 * thread. */
#include <isoworker/value.h>

/* Whether `text` is a host and perhaps a port: "example.org", "example.org:80", "[::1]:8080". Not
 * "", no user's name, no ',' though a name might have it (two fields would be one by it), no
 * address with a zone, no port above 65535. */
bool iswi_authority_valid(isw_str text);

#endif
