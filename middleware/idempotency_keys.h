/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IDEMPOTENCY_KEYS_H
#define IDEMPOTENCY_KEYS_H

/* What idempotency knows of a key, for all processes of the worker: nothing, that it runs, or what
 * it was answered with. */
#include <isoworker/http.h>
#include <isoworker/sys/store.h>

/* One request's. */
typedef struct idempotency_key {
    isw_store *store;
    isw_store_key name;
    uint64_t request; /* a hash of it */
    int64_t ttl_ms;   /* of the answer */
    uint64_t token;   /* that this request has claimed it */
} idempotency_key;

/* Make it known as running: *claimed then, and it is to be settled. Else the context is answered from
 * what is known, with *answered. Errors: those of the store, ISW_E_NO_MEMORY, ISW_E_IO. */
isw_status idempotency_claim(isw_context *ctx, idempotency_key *key, bool *claimed,
                             isw_status *answered, isw_error *error);

/* `kept` is what all get from now on; NULL, or no room for it: the next one runs again. */
void idempotency_settle(const idempotency_key *key, const isw_saved_reply *kept);

#endif
