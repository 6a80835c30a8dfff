/* SPDX-License-Identifier: Apache-2.0 */
/* JWK Sets. A key gets in only if it is whole, strong enough and meant for verifying, and only the
 * members that make the key are kept: private parts, and whatever else the publisher put there, do
 * not reach the code that verifies. */
#include "auth_keyset.h"

#include <jose/openssl.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

enum { RSA_MIN_BITS = 2048, RSA_MAX_BITS = 16384 };

static const auth_algorithm algorithms[] = {
    { "RS256", "RSA", NULL },   { "RS384", "RSA", NULL },   { "RS512", "RSA", NULL },
    { "PS256", "RSA", NULL },   { "PS384", "RSA", NULL },   { "PS512", "RSA", NULL },
    { "ES256", "EC", "P-256" }, { "ES384", "EC", "P-384" }, { "ES512", "EC", "P-521" },
    { "HS256", "oct", NULL },   { "HS384", "oct", NULL },   { "HS512", "oct", NULL },
};

const auth_algorithm *auth_algorithm_find(const char *name)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (strcmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    return NULL;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

bool auth_key_fits(const auth_key *key, const auth_algorithm *algorithm)
{
    const char *curve = text_of(key->jwk, "crv");

    if (key->use_with && strcmp(key->use_with, algorithm->name) != 0)
        return false;
    if (strcmp(text_of(key->jwk, "kty"), algorithm->type) != 0)
        return false;
    return !algorithm->curve || (curve && strcmp(curve, algorithm->curve) == 0);
}

/* RFC 7517, sections 4.2 and 4.3: `use` and `key_ops` limit what a key is for. */
static bool is_for_verifying(const json_t *jwk)
{
    const json_t *use = json_object_get(jwk, "use");
    const json_t *operations = json_object_get(jwk, "key_ops");
    size_t count = json_array_size(operations);

    if (use && (!json_is_string(use) || strcmp(json_string_value(use), "sig") != 0))
        return false;
    if (!operations)
        return true;
    for (size_t i = 0; i < count; i++) {
        const char *operation = json_string_value(json_array_get(operations, i));

        if (operation && strcmp(operation, "verify") == 0)
            return true;
    }
    return false;
}

/* A new JWK with these members of `jwk`, or NULL if one is missing or no text. `names` ends with
 * NULL. */
static json_t *pick(const json_t *jwk, const char *const *names)
{
    json_t *picked = json_object();

    for (; picked && *names; names++) {
        json_t *member = json_object_get(jwk, *names);

        if (!json_is_string(member) || json_object_set(picked, *names, member) != 0) {
            json_decref(picked);
            picked = NULL;
        }
    }
    return picked;
}

/* The key proper, or NULL if it is of no known type or not whole (RFC 7518, section 6). */
static json_t *pick_key(const json_t *jwk)
{
    static const char *const rsa[] = { "kty", "n", "e", NULL };
    static const char *const ec[] = { "kty", "crv", "x", "y", NULL };
    static const char *const oct[] = { "kty", "k", NULL };
    const char *type = text_of(jwk, "kty");

    if (!type)
        return NULL;
    if (strcmp(type, "RSA") == 0)
        return pick(jwk, rsa);
    if (strcmp(type, "EC") == 0)
        return pick(jwk, ec);
    return strcmp(type, "oct") == 0 ? pick(jwk, oct) : NULL;
}

/* Whether OpenSSL takes the key (a point on its curve, numbers that decode), and of a size that
 * RFC 7518, section 3.3, allows and that does not take seconds to verify with. */
static bool is_sound(const json_t *key)
{
    EVP_PKEY *pkey = jose_openssl_jwk_to_EVP_PKEY(NULL, key);
    bool sound = pkey != NULL;

    if (pkey && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA)
        sound = EVP_PKEY_get_bits(pkey) >= RSA_MIN_BITS && EVP_PKEY_get_bits(pkey) <= RSA_MAX_BITS;
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return sound;
}

static void add_key(auth_keyset *set, const json_t *jwk)
{
    const json_t *id = json_object_get(jwk, "kid");
    const json_t *algorithm = json_object_get(jwk, "alg");
    json_t *key;

    if ((id && !json_is_string(id)) || (algorithm && !json_is_string(algorithm)))
        return;
    if (!is_for_verifying(jwk))
        return;
    key = pick_key(jwk);
    if (key && is_sound(key))
        set->keys[set->count++] =
            (auth_key){ key, json_string_value(id), json_string_value(algorithm) };
    else
        json_decref(key);
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
        add_key(set, json_array_get(keys, i));
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
