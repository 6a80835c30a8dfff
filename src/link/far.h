/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_FAR_H
#define ISWI_LINK_FAR_H

/* A host on another machine, as a worker that goes there sees it: by TLS, with certificates on both
 * sides. Inside the message lane. */
#include "link/link.h"
#include "link/nng_calls.h"

/* Whether the URL is of another machine: tls+tcp:// or tcp://. */
bool iswi_far_is(const char *url);

/* Have the dialer of `url` show and ask for what `far` says. Blocks on files. Errors: ISW_E_CONFIG
 * naming what is missing, and the remedy; ISW_E_UNSUPPORTED where nng has no TLS. */
isw_status iswi_far_secure(const iswi_nng_calls *nng, nng_stream_dialer *dialer, const char *url,
                           const iswi_link_far *far, isw_error *error);

#endif
