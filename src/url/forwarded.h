/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_URL_FORWARDED_H
#define ISWI_URL_FORWARDED_H

/*
 * What proxies say of the request that came to them: Forwarded (RFC 7239), or X-Forwarded-For,
 * -Proto and -Host. Each proxy adds behind what was there whom it got the request from, so that all
 * of it is read from the end, by its own word of each proxy that is trusted, to the first address
 * that is not: what stands before that anybody may have written, and is not looked at.
 *
 * Pure: no memory, work bounded by the headers; any thread.
 */
#include "url/networks.h"

enum {
    ISWI_CLIENT_BYTES = 64,     /* of a client's name, with the NUL */
    ISWI_FORWARDED_HOST = 256,  /* of a host, likewise */
    ISWI_FORWARDED_HOPS_MAX = 64
};

/* Which of the two the proxies write. */
typedef enum iswi_forwarded_by {
    ISWI_FORWARDED_AUTO, /* the one that is there; where both are, both must say the same: a proxy
                            that writes one may hand on what a client wrote in the other */
    ISWI_FORWARDED_STANDARD,
    ISWI_FORWARDED_X
} iswi_forwarded_by;

typedef struct iswi_forwarded {
    char client[ISWI_CLIENT_BYTES]; /* an address as iswi_ip_write has it, "unix", or a name that a
                                       trusted proxy made up for whom it hides (RFC 7239, section
                                       6.3); "" where it did not say: it is who came to us */
    const char *scheme;             /* "http", "https"; NULL: not said */
    char host[ISWI_FORWARDED_HOST]; /* "": not said */
} iswi_forwarded;

typedef enum iswi_forwarded_result {
    ISWI_FORWARDED_NONE, /* there is no such header */
    ISWI_FORWARDED_READ,
    ISWI_FORWARDED_BAD   /* malformed as far as it was to be read: nothing of it is believed */
} iswi_forwarded_result;

/* Read the headers (names in lower case) of a request that came from a trusted proxy; *why (for
 * BAD) is a sentence without its full stop, static. */
iswi_forwarded_result iswi_forwarded_read(const isw_pairs *headers, iswi_forwarded_by by,
                                          const iswi_networks *trusted, iswi_forwarded *out,
                                          const char **why);

#endif
