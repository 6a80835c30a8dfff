/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_REDIS_TLS_H
#define ISWI_REDIS_TLS_H

/* TLS by hiredis_ssl and OpenSSL, with a hiredis that has it: 1.0 and later. */
#include <hiredis/hiredis.h>
#include <isoworker/status.h>
#include <stdbool.h>

enum { ISWI_REDIS_WHY_BYTES = 160 }; /* of a sentence that says why a connection is none */

/* What all connections share: whom they trust, those of `ca_file` or (NULL) of the system. Errors:
 * ISW_E_UNSUPPORTED where hiredis has no TLS, ISW_E_CONFIG, ISW_E_NO_MEMORY. */
isw_status iswi_redis_tls_create(const char *ca_file, void **out, isw_error *error);
void iswi_redis_tls_destroy(void *tls); /* NULL is allowed */

/* The handshake; the certificate must be that of `host`. False: `why` says why. */
bool iswi_redis_tls_begin(redisContext *redis, void *tls, const char *host,
                          char why[ISWI_REDIS_WHY_BYTES]);

#endif
