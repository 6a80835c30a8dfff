/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_REDIS_LEASE_H
#define ISWI_REDIS_LEASE_H

/* That this process is alive, for entries that go with it: a key on the server, which ends by
 * itself and is renewed by a thread from the first such entry on. */
#include "redis/client.h"
#include "redis/scripts.h"

#include <pthread.h>

#define ISWI_REDIS_LEASE_MS "30000" /* so much later such entries are gone at the latest */

typedef struct iswi_redis_lease {
    iswi_redis_client *client;
    const char *holders; /* the key without the name; it outlives the lease */
    pthread_mutex_t lock;
    pthread_cond_t stop;
    pthread_t thread;
    bool runs, stops;
    char name[ISWI_REDIS_NAME_BYTES + 1]; /* "": none yet; constant from then on */
} iswi_redis_lease;

void iswi_redis_lease_init(iswi_redis_lease *lease, iswi_redis_client *client, const char *holders);

/* No entry is held any more; the server hears so, if it can be reached. */
void iswi_redis_lease_fini(iswi_redis_lease *lease);

/* This process's name; "": it has none yet. Any thread. */
const char *iswi_redis_lease_name(iswi_redis_lease *lease);

/* The same, and it is renewed from now on. Errors: ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_redis_lease_begin(iswi_redis_lease *lease, const char **name, isw_error *error);

#endif
