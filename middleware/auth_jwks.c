/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of an issuer's keys. One thread at a time reads the source, without the mutex; the
 * others go on with the set that is there. A set that is served was confirmed by its source less
 * than twice cache_ms ago: when in doubt there are no keys, and no token is good. */
#include "auth_jwks.h"

#include <stdlib.h>
#include <string.h>

enum {
    FILE_CHECK_MS = 1000, /* how often to look at a file */
    RETRY_MS = 5000       /* how soon to ask again after a failure */
};

/* Long enough ago for any interval, and far from overflow. */
#define NEVER (INT64_MIN / 4)

static bool is_usable(const auth_jwks *jwks, int64_t now_ms)
{
    return jwks->set && now_ms - jwks->confirmed_ms < 2 * jwks->source.cache_ms;
}

static int64_t retry_ms(const auth_jwks *jwks)
{
    if (jwks->source.file)
        return FILE_CHECK_MS;
    return jwks->source.refresh_ms < RETRY_MS ? jwks->source.refresh_ms : RETRY_MS;
}

/* Whether to ask the source now. Called with the mutex held. */
static bool is_due(const auth_jwks *jwks, const auth_keyset *lacking, int64_t now_ms)
{
    const int64_t fresh_ms = jwks->source.file ? FILE_CHECK_MS : jwks->source.cache_ms;
    const bool stale = !jwks->set || now_ms - jwks->confirmed_ms >= fresh_ms;

    if (stale && now_ms - jwks->attempted_ms >= retry_ms(jwks))
        return true;
    return jwks->source.url && lacking && lacking == jwks->set &&
           now_ms - jwks->asked_for_key_ms >= jwks->source.refresh_ms;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Read the source. *out stays NULL, with ISW_OK, when a file has not changed since *identity. */
static isw_status read_source(const auth_jwks_source *source, struct stat *identity,
                              auth_keyset **out, isw_error *error)
{
    isw_error why = { 0 };
    struct stat now;
    auth_text text;
    isw_status status;

    if (source->file && stat(source->file, &now) == 0 && is_same_file(&now, identity))
        return ISW_OK;
    status = source->file ? auth_read_file(source->file, &text, identity, error)
                          : auth_fetch_url(source->url, &text, error);
    if (status != ISW_OK)
        return status;
    status = auth_keyset_parse(text.data, text.size, out, &why);
    free(text.data);
    if (status != ISW_OK)
        isw_error_set(error, status, "%s: %s", source->file ? source->file : source->url,
                      why.message);
    return status;
}

/* Ask the source and take over what it says. Called with the mutex held, which it gives back while
 * it reads. After a failure the file's identity is forgotten, so that it is read again. */
static void reload(auth_jwks *jwks, int64_t now_ms)
{
    static const struct stat nothing;
    struct stat identity = jwks->identity;
    isw_error failure = { 0 };
    auth_keyset *fresh = NULL;
    auth_keyset *old = NULL;
    isw_status status;

    jwks->loading = true;
    jwks->attempted_ms = now_ms;
    pthread_mutex_unlock(&jwks->mutex);
    status = read_source(&jwks->source, &identity, &fresh, &failure);
    pthread_mutex_lock(&jwks->mutex);
    if (status == ISW_OK)
        jwks->confirmed_ms = now_ms;
    if (fresh) {
        old = jwks->set;
        jwks->set = fresh;
        if (fresh->refusal_count && !(old && auth_keyset_refuses_alike(old, fresh)))
            atomic_store(&jwks->has_news, true);
    }
    jwks->failure = failure;
    jwks->identity = status == ISW_OK ? identity : nothing;
    jwks->loading = false;
    pthread_cond_broadcast(&jwks->loaded);
    auth_keyset_release(old);
}

isw_status auth_jwks_init(auth_jwks *jwks, const auth_jwks_source *source, int64_t now_ms,
                          isw_error *error)
{
    memset(jwks, 0, sizeof *jwks);
    jwks->source = *source;
    jwks->confirmed_ms = jwks->attempted_ms = jwks->asked_for_key_ms = NEVER;
    pthread_mutex_init(&jwks->mutex, NULL);
    pthread_cond_init(&jwks->loaded, NULL);
    pthread_mutex_lock(&jwks->mutex);
    reload(jwks, now_ms);
    pthread_mutex_unlock(&jwks->mutex);
    if (!source->file || (jwks->set && jwks->set->count))
        return ISW_OK;
    if (jwks->set && jwks->set->refusal_count)
        isw_error_set(error, ISW_E_CONFIG, "%s: no key in it can verify a signature: %s %s",
                      source->file, jwks->set->refusals[0].key, jwks->set->refusals[0].reason);
    else if (jwks->set)
        isw_error_set(error, ISW_E_CONFIG, "%s: no key in it can verify a signature", source->file);
    else
        isw_error_set(error, ISW_E_CONFIG, "%s", jwks->failure.message);
    auth_jwks_fini(jwks);
    return ISW_E_CONFIG;
}

void auth_jwks_fini(auth_jwks *jwks)
{
    auth_keyset_release(jwks->set);
    jwks->set = NULL;
    pthread_cond_destroy(&jwks->loaded);
    pthread_mutex_destroy(&jwks->mutex);
}

isw_status auth_jwks_get(auth_jwks *jwks, const auth_keyset *lacking, int64_t now_ms,
                         auth_keyset **out, isw_error *note)
{
    isw_status status = ISW_E_UNAVAILABLE;

    pthread_mutex_lock(&jwks->mutex);
    while (jwks->loading && (lacking == jwks->set || !is_usable(jwks, now_ms)))
        pthread_cond_wait(&jwks->loaded, &jwks->mutex);
    if (!jwks->loading && is_due(jwks, lacking, now_ms)) {
        if (lacking)
            jwks->asked_for_key_ms = now_ms;
        reload(jwks, now_ms);
        *note = jwks->failure;
    }
    if (is_usable(jwks, now_ms)) {
        *out = auth_keyset_hold(jwks->set);
        status = ISW_OK;
    } else {
        *note = jwks->failure;
    }
    pthread_mutex_unlock(&jwks->mutex);
    return status;
}

auth_keyset *auth_jwks_news(auth_jwks *jwks)
{
    auth_keyset *set = NULL;

    if (!atomic_load_explicit(&jwks->has_news, memory_order_relaxed))
        return NULL;
    pthread_mutex_lock(&jwks->mutex);
    if (atomic_exchange(&jwks->has_news, false))
        set = auth_keyset_hold(jwks->set);
    pthread_mutex_unlock(&jwks->mutex);
    return set;
}

const char *auth_jwks_place(const auth_jwks *jwks)
{
    return jwks->source.file ? jwks->source.file : jwks->source.url;
}
