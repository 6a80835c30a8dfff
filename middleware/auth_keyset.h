/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_KEYSET_H
#define AUTH_KEYSET_H

/*
 * A set of keys that verify signatures, parsed from a JWK Set (RFC 7517, section 5) and constant
 * from then on. It is shared by reference count; any thread.
 */
#include <isoworker/status.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { AUTH_KEYSET_MAX_KEYS = 64 };

/* What a signature algorithm asks of a key (RFC 7518, section 3.1). */
typedef struct auth_algorithm {
    const char *name;
    const char *type;  /* kty */
    const char *curve; /* crv, or NULL */
} auth_algorithm;

/* The algorithm of exactly this name, or NULL: "none" is not one, in no spelling. */
const auth_algorithm *auth_algorithm_find(const char *name);

typedef struct auth_key {
    json_t *jwk;    /* kty and the members that make the public (or shared) key, nothing else */
    const char *id; /* kid, or NULL */
    const char *use_with; /* alg, or NULL for any that fits */
} auth_key;

typedef struct auth_keyset {
    atomic_uint references;
    json_t *source; /* what the texts of the keys point into */
    size_t count;
    auth_key keys[AUTH_KEYSET_MAX_KEYS];
} auth_keyset;

/* Parse a JWK Set. Keys that are not for verifying, of unknown type, or too weak (RSA below 2048
 * bits) are left out; what is no JWK Set at all, has a member twice or too many keys is refused.
 * *out has one reference, the caller's. Errors: ISW_E_INVALID, ISW_E_NO_MEMORY. */
isw_status auth_keyset_parse(const char *text, size_t size, auth_keyset **out, isw_error *error);

auth_keyset *auth_keyset_hold(auth_keyset *set);
void auth_keyset_release(auth_keyset *set); /* NULL is fine */

/* Whether `key` may verify a signature made with `algorithm`. */
bool auth_key_fits(const auth_key *key, const auth_algorithm *algorithm);

#endif
