/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of keys that may verify. What would let a stranger sign (an exponent of 1, primes
 * that can be found, a short secret) is told apart, so that an operator knows what to ask the
 * issuer for. */
#include "auth_key_numbers.h"

#include "auth_base64url.h"

#include <jose/openssl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    RSA_MIN_BITS = 2048,
    RSA_MAX_BITS = 8192,    /* to check a larger one takes a second and more */
    EXPONENT_MIN_BITS = 17, /* an odd number above 2^16 is 65537 at least */
    EXPONENT_MAX_BITS = 256,
    LARGE_BITS = 3072, /* above this OpenSSL verifies with exponents of 64 bits at most */
    LARGE_EXPONENT_BITS = 64,
    SECRET_MIN_BYTES = 32 /* of HS256 (RFC 7518, section 3.2) */
};

/* -- RSA --------------------------------------------------------------------------------------- */

/* Primes of the ROCA library are k * M + (65537^a mod M), where M is the product of the smallest
 * primes. So its moduli are powers of 65537 modulo each of them, which of other keys fewer than one
 * in 10^8 is (Nemec et al., The Return of Coppersmith's Attack, section 2.3). */
static bool is_power_of_65537(unsigned rest, unsigned prime)
{
    unsigned power = 1;

    do {
        if (power == rest)
            return true;
        power = power * (65537 % prime) % prime;
    } while (power != 1);
    return false;
}

static bool is_roca(const BIGNUM *modulus)
{
    static const unsigned char primes[] = { 3,   5,   7,   11,  13,  17,  19,  23,  29,  31,
                                            37,  41,  43,  47,  53,  59,  61,  67,  71,  73,
                                            79,  83,  89,  97,  101, 103, 107, 109, 113, 127,
                                            131, 137, 139, 149, 151, 157, 163, 167 };

    for (size_t i = 0; i < sizeof primes; i++)
        if (!is_power_of_65537((unsigned)BN_mod_word(modulus, primes[i]), primes[i]))
            return false;
    return true;
}

static const char *refuse_exponent(const BIGNUM *exponent, int modulus_bits)
{
    const int bits = BN_num_bits(exponent);

    if (BN_is_one(exponent))
        return "has the RSA exponent 1, with which anybody can sign";
    if (!BN_is_odd(exponent))
        return "has an RSA exponent that is even";
    if (bits < EXPONENT_MIN_BITS || bits > EXPONENT_MAX_BITS)
        return "has an RSA exponent that is not from 65537 to below 2^256";
    if (modulus_bits > LARGE_BITS && bits > LARGE_EXPONENT_BITS)
        return "has an RSA exponent of more than 64 bits with a modulus of more than 3072";
    return NULL;
}

static const char *refuse_rsa_numbers(const BIGNUM *modulus, const BIGNUM *exponent)
{
    const int bits = BN_num_bits(modulus);

    if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
        return "has an RSA modulus that is not of 2048 to 8192 bits";
    if (!BN_is_odd(modulus))
        return "has an RSA modulus that is even";
    if (is_roca(modulus))
        return "has RSA primes that can be found (ROCA, CVE-2017-15361)";
    return refuse_exponent(exponent, bits);
}

static const char *refuse_rsa(const EVP_PKEY *pkey)
{
    BIGNUM *modulus = NULL;
    BIGNUM *exponent = NULL;
    const char *reason = "has RSA numbers that cannot be read";

    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &modulus) == 1 &&
        EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1)
        reason = refuse_rsa_numbers(modulus, exponent);
    BN_free(exponent);
    BN_free(modulus);
    return reason;
}

/* -- Others ------------------------------------------------------------------------------------ */

static const char *text_of(const json_t *key, const char *name)
{
    return json_string_value(json_object_get(key, name));
}

size_t auth_key_number_size(const json_t *key, const char *name)
{
    const char *text = text_of(key, name);

    return text ? auth_base64url_size(isw_str_of(text)) : SIZE_MAX;
}

/* Told before OpenSSL makes other numbers, or none, of what is no text of one. Empty text is one of
 * no bytes. */
static bool is_number(const json_t *key, const char *name)
{
    return *text_of(key, name) && auth_key_number_size(key, name) != SIZE_MAX;
}

static const char *refuse_rsa_text(const json_t *key)
{
    if (!is_number(key, "n"))
        return "has an n that is no base64url of a number";
    return is_number(key, "e") ? NULL : "has an e that is no base64url of a number";
}

/* RFC 7518, sections 6.2.1.2 and 6.2.1.3: leading zeros are part of a coordinate. */
static const char *refuse_ec(const json_t *key)
{
    static const struct {
        const char *name;
        size_t size;
    } curves[] = { { "P-256", 32 }, { "P-384", 48 }, { "P-521", 66 } };

    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (strcmp(curves[i].name, text_of(key, "crv")) != 0)
            continue;
        if (!is_number(key, "x") || !is_number(key, "y"))
            return "has coordinates that are no base64url of numbers";
        return auth_key_number_size(key, "x") == curves[i].size &&
                       auth_key_number_size(key, "y") == curves[i].size
                   ? NULL
                   : "has coordinates that are not of its curve's length";
    }
    return "has a crv other than P-256, P-384 and P-521";
}

static const char *refuse_oct(const json_t *key)
{
    const size_t size = auth_key_number_size(key, "k");

    if (size == SIZE_MAX)
        return "has a k that is no base64url";
    return size < SECRET_MIN_BYTES ? "has a k of fewer than 32 bytes" : NULL;
}

/* What OpenSSL checks itself: a modulus that is composite, no power of a prime and without small
 * factors (SP 800-56B, section 6.4.2.2); a point of its curve's group (SP 800-56A, 5.6.2.3). */
static bool passes(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *check = EVP_PKEY_CTX_new(pkey, NULL);
    const bool good = check && EVP_PKEY_public_check(check) == 1;

    EVP_PKEY_CTX_free(check);
    return good;
}

static const char *refuse_public(const json_t *key)
{
    EVP_PKEY *pkey = jose_openssl_jwk_to_EVP_PKEY(NULL, key);
    const bool rsa = pkey && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA;
    const char *reason = rsa ? refuse_rsa(pkey) : NULL;

    if (!reason && (!pkey || !passes(pkey)))
        reason = strcmp(text_of(key, "kty"), "EC") == 0
                     ? "has coordinates that are no point of its curve"
                     : "has RSA numbers that no two large primes make";
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return reason;
}

const char *auth_key_refuse_numbers(const json_t *key)
{
    const char *type = text_of(key, "kty");
    const char *reason = NULL;

    if (strcmp(type, "oct") == 0)
        return refuse_oct(key);
    if (strcmp(type, "EC") == 0)
        reason = refuse_ec(key);
    if (strcmp(type, "RSA") == 0)
        reason = refuse_rsa_text(key);
    return reason ? reason : refuse_public(key);
}
