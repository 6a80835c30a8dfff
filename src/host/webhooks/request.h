/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_WEBHOOKS_REQUEST_H
#define ISWI_HOST_WEBHOOKS_REQUEST_H

/*
 * A request as a message of a queue, from when it was put until it is sent: lines of headers, an empty
 * one, and the body, with a content type of its own. One that was put by hand (isoworker queue put) is
 * its body alone. Where it goes, and what it is signed with, is said when it is sent. Pure; any
 * thread.
 */
#include "broker/broker.h"

#define ISWI_REQUEST_TYPE "application/vnd.isoworker.request"

enum { ISWI_REQUEST_HEADERS_MAX = 64 };

/* Whether a function, or host.yaml, may have a request bear it. Errors: ISW_E_INVALID. */
isw_status iswi_request_check_header(const isw_pair *header, isw_error *error);

/* The body of the message, in the arena. Empty names of headers are left out. Errors: ISW_E_INVALID as
 * above and for more than ISWI_REQUEST_HEADERS_MAX headers, ISW_E_NO_MEMORY. */
isw_status iswi_request_pack(const isw_pairs *headers, isw_bytes body, iswi_arena *arena,
                             isw_bytes *out, isw_error *error);

/* And back: views of the message. False: no memory. */
bool iswi_request_unpack(const iswi_delivery *message, iswi_arena *arena, isw_pairs *headers,
                         isw_bytes *body);

#endif
