/* SPDX-License-Identifier: Apache-2.0 */
/* JWK Sets. A key gets in only if it is whole, sound and meant for verifying; of one that is meant
 * for it and does not get in, the set remembers why. */
#include "auth_keyset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool auth_key_fits(const auth_key *key, const auth_algorithm *algorithm)
{
    if (key->use_with && strcmp(key->use_with, algorithm->name) != 0)
        return false;
    return auth_key_suits(key->jwk, algorithm);
}

/* Say which key, by its kid or else its place in the list. The kid is the publisher's text, so it
 * stands as JSON, in ASCII. */
static void refuse_key(auth_keyset *set, const json_t *jwk, size_t place, const char *reason)
{
    auth_refusal *refusal = &set->refusals[set->refusal_count++];
    const json_t *id = json_object_get(jwk, "kid");
    char *quoted = id ? json_dumps(id, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;

    if (quoted)
        snprintf(refusal->key, sizeof refusal->key, "the key %.80s", quoted);
    else
        snprintf(refusal->key, sizeof refusal->key, "the key without kid at place %zu", place + 1);
    refusal->reason = reason;
    free(quoted);
}

static void add_key(auth_keyset *set, const json_t *jwk, size_t place)
{
    json_t *key = NULL;
    const char *reason;

    if (auth_key_is_for_others(jwk))
        return;
    reason = auth_key_refuse(jwk, &key);
    if (reason)
        refuse_key(set, jwk, place, reason);
    else
        set->keys[set->count++] = (auth_key){ key, json_string_value(json_object_get(jwk, "kid")),
                                              json_string_value(json_object_get(jwk, "alg")) };
}

bool auth_keyset_refuses_alike(const auth_keyset *a, const auth_keyset *b)
{
    if (a->refusal_count != b->refusal_count)
        return false;
    for (size_t i = 0; i < a->refusal_count; i++)
        if (strcmp(a->refusals[i].key, b->refusals[i].key) != 0 ||
            a->refusals[i].reason != b->refusals[i].reason)
            return false;
    return true;
}

isw_status auth_keyset_parse(const char *text, size_t size, auth_keyset **out, isw_error *error)
{
    json_error_t where;
    json_t *source = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    const json_t *keys = json_object_get(source, "keys");
    auth_keyset *set;

    if (!source) /* not jansson's own text, which quotes what may be a private key */
        return isw_error_set(error, ISW_E_INVALID, "no JWK Set: bad JSON in line %d, column %d",
                             where.line, where.column);
    if (!json_is_array(keys) || json_array_size(keys) > AUTH_KEYSET_MAX_KEYS) {
        json_decref(source);
        return isw_error_set(error, ISW_E_INVALID,
                             "no JWK Set: it needs a list \"keys\" of up to %d keys",
                             AUTH_KEYSET_MAX_KEYS);
    }
    set = calloc(1, sizeof *set);
    if (!set) {
        json_decref(source);
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory");
    }
    atomic_init(&set->references, 1);
    set->source = source;
    for (size_t i = 0; i < json_array_size(keys); i++)
        add_key(set, json_array_get(keys, i), i);
    *out = set;
    return ISW_OK;
}

auth_keyset *auth_keyset_hold(auth_keyset *set)
{
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

void auth_keyset_release(auth_keyset *set)
{
    if (!set || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < set->count; i++)
        json_decref(set->keys[i].jwk);
    json_decref(set->source);
    free(set);
}
