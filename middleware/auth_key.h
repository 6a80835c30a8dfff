/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_KEY_H
#define AUTH_KEY_H

/*
 * One key of a JWK Set: whether it is ours to verify with, and whether it is sound. Sound is what
 * RFC 7518 and RFC 8017 ask of a key and NIST SP 800-56B and 800-57 of its strength: an RSA modulus
 * of 2048 to 8192 bits that is composite, without small factors and not from the library whose
 * primes can be found (ROCA, CVE-2017-15361); an RSA exponent that is odd, from 65537 to below
 * 2^256; a point on its curve, its coordinates in full length; a secret as long as its hash. Pure;
 * any thread.
 */
#include <jansson.h>
#include <stdbool.h>

/* What a signature algorithm asks of a key (RFC 7518, section 3.1). */
typedef struct auth_algorithm {
    const char *name;
    const char *type;   /* kty */
    const char *curve;  /* crv, or NULL */
    size_t secret_size; /* the least of an oct key in bytes (section 3.2), or 0 */
} auth_algorithm;

/* The algorithm of exactly this name, or NULL: "none" is not one, in no spelling. */
const auth_algorithm *auth_algorithm_find(const char *name);

/* Whether a key of these members (kty, crv and so on) may be used with `algorithm`. */
bool auth_key_suits(const json_t *key, const auth_algorithm *algorithm);

/* Whether the publisher means the key for something else, such as encryption: no fault of it. */
bool auth_key_is_for_others(const json_t *jwk);

/* Make *out, the caller's to json_decref, of the members of `jwk` that make the public or shared
 * key, and of nothing else. NULL if the key is sound; otherwise, with *out untouched, why not:
 * static text that goes on from "the key ". Takes up to 0.1 s for a modulus of 8192 bits. */
const char *auth_key_refuse(const json_t *jwk, json_t **out);

#endif
