/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_REQUEST_ID_H
#define ISWI_HOST_HTTP_REQUEST_ID_H

/*
 * X-Request-Id: the name of a request in the logs of all that it passes. One that comes along is
 * taken over if it is a token of at most 128 bytes and the only one; else one is made. Functions
 * have it among their headers, and the answer bears it. Inside the room.
 */
#include "base/arena.h"

#include <isoworker/value.h>
#include <stdatomic.h>

enum { ISWI_REQUEST_ID_MAX = 128, ISWI_REQUEST_ID_OWN = 32 /* of one that is made */ };

/* What makes them: unique across hosts by its first half, in this one by its second. */
typedef struct iswi_request_ids {
    unsigned char prefix[8];
    atomic_ullong next;
} iswi_request_ids;

/* False: the system gives no random bytes. */
bool iswi_request_ids_init(iswi_request_ids *ids);

/* See that the request has one, which is *id then: a view of its headers. Any thread. False: no
 * memory. */
bool iswi_request_id_set(iswi_request_ids *ids, isw_http *data, iswi_arena *arena, isw_str *id);

#endif
