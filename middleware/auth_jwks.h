/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_JWKS_H
#define AUTH_JWKS_H

/*
 * The issuer's keys, kept up to date from a file or a URL. A file is looked at once a second and
 * read when it changed. A URL is fetched again when the keys are older than `cache_ms`, and when a
 * token names a key that is not there (an issuer that rotates its keys), the latter at most every
 * `refresh_ms`, so that made-up names cannot drive requests. When the source fails, old keys serve
 * up to twice `cache_ms`, then none do. All but init and fini: any thread.
 */
#include "auth_fetch.h"
#include "auth_keyset.h"

#include <pthread.h>
#include <stdint.h>

typedef struct auth_jwks_source {
    const char *file; /* one of the two; both must outlive the auth_jwks */
    const char *url;
    int64_t cache_ms;
    int64_t refresh_ms;
} auth_jwks_source;

typedef struct auth_jwks {
    auth_jwks_source source;
    atomic_bool has_news;  /* whether `set` has refusals that nobody was told of */
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t loaded;
    bool loading;
    auth_keyset *set;         /* NULL until the first success */
    isw_error failure;        /* of the last attempt; status is ISW_OK after a success */
    struct stat identity;     /* of the file that `set` was read from */
    int64_t confirmed_ms;     /* when the source last said that `set` is right */
    int64_t attempted_ms;     /* when it was last asked */
    int64_t asked_for_key_ms; /* when it was last asked because a key was not there */
} auth_jwks;

/* Read the keys for the first time. A file must be there and hold at least one key; a URL may fail,
 * and later calls try again. `now_ms` is monotonic, here and below. Errors: ISW_E_CONFIG. Blocks
 * while the source is read. */
isw_status auth_jwks_init(auth_jwks *jwks, const auth_jwks_source *source, int64_t now_ms,
                          isw_error *error);
void auth_jwks_fini(auth_jwks *jwks);

/* The keys, held for the caller. `lacking` is NULL, or the set of an earlier call that did not have
 * the key wanted; then the source is asked again if that is allowed by now. *note gets what went
 * wrong with the source, if this call asked it or no keys are left. Blocks while this thread reads
 * the source, or while another does and what is there would not help this caller.
 * Errors: ISW_E_UNAVAILABLE. */
isw_status auth_jwks_get(auth_jwks *jwks, const auth_keyset *lacking, int64_t now_ms,
                         auth_keyset **out, isw_error *note);

/* The file or the URL. */
const char *auth_jwks_place(const auth_jwks *jwks);

/* The set, held for the caller, if keys of it were refused that no earlier call told of; NULL
 * otherwise. Does not block. */
auth_keyset *auth_jwks_news(auth_jwks *jwks);

#endif
