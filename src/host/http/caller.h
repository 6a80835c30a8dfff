/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_CALLER_H
#define ISWI_HOST_HTTP_CALLER_H

/*
 * Who calls: the peer of a connection, or whom a proxy serves that is trusted. Where proxies are
 * trusted at all, what a function is told of that is true: `client` is the caller, `host` what it
 * asked for, X-Forwarded-Proto how ("http" or "https", and always there), and Forwarded and the
 * other X-Forwarded-* are there as a trusted proxy sent them, or not at all. Where none is trusted,
 * headers stay as they came. Pure; any thread. Inside the room.
 */
#include "http1/proxy.h"
#include "url/forwarded.h"

#include "base/arena.h"

#include <sys/socket.h>

/* Whose word counts. */
typedef struct iswi_http_trust {
    iswi_networks proxies; /* empty: nobody's */
    iswi_forwarded_by by;
    bool proxy_protocol; /* connections of theirs begin with it */
    iswi_networks callers; /* who may say when an answer is of no use any more (deadline.h) */
} iswi_http_trust;

/* Who is at the other end of a connection. */
typedef struct iswi_http_peer {
    char name[ISWI_CLIENT_BYTES]; /* an address, or "unix" */
    bool trusted;
    bool has_deadlines; /* it may say when an answer is of no use any more */
    bool tls; /* it came over TLS, to us or to a proxy that says so by the PROXY protocol */
} iswi_http_peer;

/* By the address that it was accepted from; one that is no IP's is "unix". */
iswi_http_peer iswi_http_peer_of(const struct sockaddr *address, const iswi_http_trust *trust);

/* By what a trusted one has sent. */
void iswi_http_peer_hand_on(iswi_http_peer *peer, const iswi_http1_proxied *said,
                            const iswi_http_trust *trust);

typedef enum iswi_http_caller_result {
    ISWI_HTTP_CALLER_KNOWN,
    ISWI_HTTP_CALLER_UNSURE, /* what a trusted proxy says is not believed, for the reason *why; the
                                peer counts as the caller */
    ISWI_HTTP_CALLER_NO_MEMORY
} iswi_http_caller_result;

/* Fill in data->client and mend data->headers; *scheme is "http" or "https". *why is a sentence
 * without its full stop, static. */
iswi_http_caller_result iswi_http_caller_find(const iswi_http_peer *peer,
                                              const iswi_http_trust *trust, isw_http *data,
                                              iswi_arena *arena, const char **scheme,
                                              const char **why);

#endif
