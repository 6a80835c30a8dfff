/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_KEYSET_H
#define AUTH_KEYSET_H

/*
 * A set of keys that verify signatures, parsed from a JWK Set (RFC 7517, section 5) and constant
 * from then on. It is shared by reference count; any thread.
 */
#include "auth_key.h"

#include <isoworker/status.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { AUTH_KEYSET_MAX_KEYS = 64 };

typedef struct auth_key {
    json_t *jwk;    /* kty and the members that make the public (or shared) key, nothing else */
    const char *id; /* kid, or NULL */
    const char *use_with; /* alg, or NULL for any that fits */
} auth_key;

/* A key that was meant to verify and may not. Together: "the key \"a\" has the RSA exponent 1". */
typedef struct auth_refusal {
    char key[112];
    const char *reason; /* static text */
} auth_refusal;

typedef struct auth_keyset {
    atomic_uint references;
    json_t *source; /* what the texts of the keys point into */
    size_t count;
    auth_key keys[AUTH_KEYSET_MAX_KEYS];
    size_t refusal_count;
    auth_refusal refusals[AUTH_KEYSET_MAX_KEYS];
} auth_keyset;

/* Parse a JWK Set. Keys for other purposes are left out; those that cannot be used or are not sound
 * (auth_key.h) are left out and named among the refusals; what is no JWK Set at all, has a member
 * twice or too many keys is refused.
 * *out has one reference, the caller's. Errors: ISW_E_INVALID, ISW_E_NO_MEMORY. */
isw_status auth_keyset_parse(const char *text, size_t size, auth_keyset **out, isw_error *error);

auth_keyset *auth_keyset_hold(auth_keyset *set);
void auth_keyset_release(auth_keyset *set); /* NULL is fine */

/* Whether the same keys were refused for the same reasons. */
bool auth_keyset_refuses_alike(const auth_keyset *a, const auth_keyset *b);

/* Whether `key` may verify a signature made with `algorithm`. */
bool auth_key_fits(const auth_key *key, const auth_algorithm *algorithm);

#endif
