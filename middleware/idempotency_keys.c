/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of idempotency in their store. Invariant: a mark that one runs is changed by that one alone,
 * or goes by itself. */
#include "idempotency_keys.h"

#include <isoworker/cancel.h>
#include <unistd.h>

enum {
    GRACE_MS = 60000, /* behind a deadline */
    TRIES = 100       /* to find a key that comes and goes */
};

enum { RUNNING = 1, ANSWERED = 2 };

/* A key and what became of it, as it is in the store. */
typedef struct known {
    uint64_t request; /* hash of it */
    uint64_t kind;    /* RUNNING or ANSWERED */
    uint64_t token; /* of one that runs: nobody else's */
} known;            /* of one that is answered: the reply follows */

/* What the store says of the key, in the context's memory. */
static isw_status read_known(isw_context *ctx, const idempotency_key *key, const known **out,
                             size_t *size, isw_error *error)
{
    size_t room = sizeof(known);
    isw_status status;
    known *value;

    for (;;) {
        value = isw_context_alloc(ctx, room);
        if (!value)
            return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for an answer that is kept");
        status = isw_store_get(key->store, key->name, value, room, size, error);
        if (status != ISW_OK || *size <= room)
            break;
        room = *size;
    }
    *out = value;
    return status == ISW_OK && *size < sizeof(known) ? ISW_E_NOT_FOUND : status;
}

static isw_status answer(isw_context *ctx, const known *value, size_t size, uint64_t request)
{
    if (value->request != request)
        return isw_http_reply_problem(ctx, 422, NULL, "Another request had this idempotency key.");
    if (value->kind == RUNNING)
        return isw_fail_as(ctx, &(isw_failure){
            .status = ISW_E_CONFLICT, .retriable = true,
            .message = "the first request with this idempotency key still runs" });
    isw_http_set_header(ctx, "idempotency-replayed", "true");
    return isw_http_reply_packed(ctx, (isw_bytes){ value + 1, size - sizeof *value });
}

isw_status idempotency_claim(isw_context *ctx, idempotency_key *key, bool *claimed,
                             isw_status *answered, isw_error *error)
{
    int64_t left_ms = isw_context_remaining_ms(ctx);
    known mark = { key->request, RUNNING, 0 };
    const isw_bytes value = { &mark, sizeof mark };
    const isw_store_change change = {
        .value = &value, .held = true,
        .ttl_ms = left_ms == INT64_MAX ? key->ttl_ms : left_ms + GRACE_MS };
    isw_status status = ISW_E_NOT_FOUND;

    if (getentropy(&key->token, sizeof key->token) != 0)
        return isw_error_set(error, ISW_E_IO, "the kernel gave no random bytes");
    mark.token = key->token;
    for (int i = 0; status == ISW_E_NOT_FOUND && i < TRIES; i++) {
        const known *found = NULL;
        size_t size = 0;

        status = isw_store_replace(key->store, key->name, &change, NULL);
        *claimed = status == ISW_OK;
        if (status == ISW_E_CONFLICT)
            status = read_known(ctx, key, &found, &size, error);
        if (status == ISW_OK && !*claimed)
            *answered = answer(ctx, found, size, key->request);
    }
    return status == ISW_OK ? ISW_OK
                            : isw_error_set(error, status, "idempotency keys cannot be looked up: %s",
                                            isw_status_text(status));
}

void idempotency_settle(const idempotency_key *key, const isw_saved_reply *kept)
{
    const known mark = { key->request, RUNNING, key->token };
    const isw_bytes was = { &mark, sizeof mark };
    size_t size = kept ? isw_http_pack_saved(kept, NULL, 0) : 0;
    known *all = kept ? isw_calloc(1, sizeof *all + size) : NULL;
    isw_bytes value = { all, sizeof *all + size };
    isw_store_change change = { .was = &was, .value = all ? &value : NULL,
                                .ttl_ms = key->ttl_ms };

    if (all) {
        *all = (known){ key->request, ANSWERED, 0 };
        isw_http_pack_saved(kept, all + 1, size);
    }
    if (isw_store_replace(key->store, key->name, &change, NULL) != ISW_OK && all) {
        change.value = NULL; /* there is no room for it */
        isw_store_replace(key->store, key->name, &change, NULL);
    }
    isw_free(all);
}
