/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_URL_PREFLIGHT_H
#define ISWI_URL_PREFLIGHT_H

/* Preflights, by which browsers ask before they send what another site's script wants (the Fetch
 * standard, "CORS protocol"). Pure; any thread. */
#include <isoworker/value.h>

/* The method that a preflight asks about, or the empty view for a request that is none. */
isw_str iswi_preflight_method(const isw_http *request);

/* Whether a function whose chain has a middleware of this name answers preflights. */
bool iswi_preflight_answered_by(isw_str middleware);

#endif
