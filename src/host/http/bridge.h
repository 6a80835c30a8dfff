/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_BRIDGE_H
#define ISWI_HOST_HTTP_BRIDGE_H

/* Between the front and calls: the front's requests, whose routes lead to iswi_entry, start calls
 * of their functions, and are answered by theirs. */
#include "host/engine/trigger.h"
#include "host/http/front.h"

/* Start a front that does so, by `options` but for what it asks and tells. No routes yet. Errors:
 * as iswi_http_start. */
isw_status iswi_bridge_start(iswi_host *host, const iswi_http_options *options, iswi_http **out,
                             isw_error *error);

#endif
