/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HTTP1_PROXY_H
#define ISWI_HTTP1_PROXY_H

/*
 * What a proxy sends before all else on a connection that it hands on: the PROXY protocol, a line
 * (version 1) or binary (version 2), as the HAProxy documentation has it. Who expects it does so of
 * each connection of that proxy: whether it is there is never guessed. Pure; any thread.
 */
#include "http1/refusal.h"
#include "url/networks.h"

enum {
    ISWI_HTTP1_PROXY_LINE = 107,  /* of version 1, with its CR LF */
    ISWI_HTTP1_PROXY_BYTES = 2048 /* of version 2; its own limit is 64 KiB, of which 16 + 216 are
                                     what stands there without more */
};

typedef struct iswi_http1_proxied {
    size_t size;  /* of it; the first request begins there */
    bool known;   /* false: the connection is the proxy's own, to see whether we live, or it cannot
                     say: the client is who came to us */
    bool local;   /* the client came to it by a Unix socket, and has no address */
    bool tls;     /* it says that the client came by TLS (version 2) */
    iswi_ip client;
} iswi_http1_proxied;

/* `bytes` are all that came on the connection. DONE: *out is filled. REFUSED, as soon as it cannot
 * be one any more, with 400. Checksums in it are not looked at. */
iswi_http1_result iswi_http1_proxy_read(const char *bytes, size_t size, iswi_http1_proxied *out,
                                        iswi_http1_refusal *refusal);

#endif
