/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_URL_DATE_H
#define ISWI_URL_DATE_H

/* Dates of HTTP (RFC 9110, section 5.6.7), in seconds since 1970-01-01 UTC. Pure; any thread. */
#include <isoworker/value.h>

enum { ISWI_HTTP_DATE_BYTES = 30 }; /* with the NUL */

/* "Sun, 06 Nov 1994 08:49:37 GMT"; false, and "" in `out`, for years before 0 and after 9999. */
bool iswi_http_date_write(int64_t seconds, char out[ISWI_HTTP_DATE_BYTES]);

/* Read any of the three forms that the standard has recipients take. A year of two digits is the
 * latest that is at most 50 years after `now`. False: it is none. */
bool iswi_http_date_read(isw_str text, int64_t now, int64_t *out);

#endif
