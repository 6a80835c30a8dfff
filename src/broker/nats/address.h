/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BROKER_NATS_ADDRESS_H
#define ISWI_BROKER_NATS_ADDRESS_H

/*
 * What a place on NATS says: "nats://[USER:PASSWORD@]HOST:PORT[,HOST:PORT...][?NAME=VALUE&...]",
 * with TOKEN@ instead of a user and a password where the server wants one. Behind '?' may stand
 *
 *   prefix=NAME    what streams and subjects begin with ("isoworker"): one server for several sets
 *   replicas=N     of how many servers of a cluster each has its messages (1)
 *   creds=FILE     credentials of NATS (a JWT with its seed), the file that `nsc` makes
 *   nkey=KEY, seed=FILE   who we are, where the server has a user of that public key: the file has
 *                  the key's seed
 *   ca=FILE        whose certificates are trusted, of a "tls:" place; none: the system's
 *   cert=FILE, key=FILE   who we are, where the server wants to know by a certificate
 *
 * Files are relative to the folder of host.yaml.
 */
#include <isoworker/status.h>

enum { ISWI_NATS_SERVERS_MAX = 16, ISWI_NATS_PREFIX_BYTES = 64 };

typedef struct iswi_nats_address {
    char *text; /* has all of it */
    const char *scheme, *user; /* user: "NAME:PASSWORD" or a token; NULL: none */
    const char *servers[ISWI_NATS_SERVERS_MAX]; /* "HOST:PORT" */
    size_t server_count;
    const char *prefix, *creds, *nkey, *seed, *ca, *cert, *key;
    int replicas;
} iswi_nats_address;

/* Read it; to be freed by iswi_nats_address_free. ISW_E_CONFIG, ISW_E_NO_MEMORY. */
isw_status iswi_nats_address_read(const char *place, iswi_nats_address *out, isw_error *error);
void iswi_nats_address_free(iswi_nats_address *address);

/* Also whether there is a libnats. */
isw_status iswi_nats_check(const char *place, isw_error *error);

#endif
