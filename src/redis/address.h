/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_REDIS_ADDRESS_H
#define ISWI_REDIS_ADDRESS_H

/* Where a server is: redis://HOST[:PORT][/DATABASE], the same with rediss:// for TLS, or
 * unix:///PATH. */
#include <isoworker/status.h>
#include <stdbool.h>

enum { ISWI_REDIS_HOST_BYTES = 256 };

typedef struct iswi_redis_address {
    char host[ISWI_REDIS_HOST_BYTES]; /* without brackets; or a socket's path */
    int port;                         /* 0: `host` is a path */
    int database;
    bool tls;
} iswi_redis_address;

/* Errors: ISW_E_CONFIG with a sentence that says what is wrong, and no part of a password. */
isw_status iswi_redis_address_read(const char *url, iswi_redis_address *out, isw_error *error);

#endif
