/* SPDX-License-Identifier: Apache-2.0 */
/* What a key of a JWK Set says of itself: its kind, what it is for, and its members. Only those
 * that make the key are kept: private parts, and whatever else the publisher put there, do not
 * reach the code that verifies. */
#include "auth_key.h"

#include "auth_key_numbers.h"

#include <string.h>

static const auth_algorithm algorithms[] = {
    { "RS256", "RSA", NULL, 0 },   { "RS384", "RSA", NULL, 0 },   { "RS512", "RSA", NULL, 0 },
    { "PS256", "RSA", NULL, 0 },   { "PS384", "RSA", NULL, 0 },   { "PS512", "RSA", NULL, 0 },
    { "ES256", "EC", "P-256", 0 }, { "ES384", "EC", "P-384", 0 }, { "ES512", "EC", "P-521", 0 },
    { "HS256", "oct", NULL, 32 },  { "HS384", "oct", NULL, 48 },  { "HS512", "oct", NULL, 64 },
};

const auth_algorithm *auth_algorithm_find(const char *name)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (strcmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    return NULL;
}

/* A member's text, "" if there is none. */
static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

bool auth_key_suits(const json_t *key, const auth_algorithm *algorithm)
{
    if (strcmp(text_of(key, "kty"), algorithm->type) != 0)
        return false;
    if (algorithm->curve && strcmp(text_of(key, "crv"), algorithm->curve) != 0)
        return false;
    return !algorithm->secret_size || auth_key_number_size(key, "k") >= algorithm->secret_size;
}

/* -- What it is for ---------------------------------------------------------------------------- */

static bool lists(const json_t *operations, const char *wanted)
{
    for (size_t i = 0; i < json_array_size(operations); i++) {
        const char *operation = json_string_value(json_array_get(operations, i));

        if (operation && strcmp(operation, wanted) == 0)
            return true;
    }
    return false;
}

/* RFC 7517, sections 4.2 and 4.3: `use` and `key_ops` limit what a key is for. */
bool auth_key_is_for_others(const json_t *jwk)
{
    const json_t *operations = json_object_get(jwk, "key_ops");
    const bool encrypts = strcmp(text_of(jwk, "use"), "enc") == 0;

    if (encrypts) /* unless its other members say that it signs */
        return !lists(operations, "verify") && !lists(operations, "sign") &&
               !auth_algorithm_find(text_of(jwk, "alg"));
    return json_is_array(operations) && !lists(operations, "verify") &&
           (strcmp(text_of(jwk, "use"), "sig") != 0 || lists(operations, "sign"));
}

/* Of a key that is not for others. */
static const char *refuse_purpose(const json_t *jwk)
{
    const json_t *use = json_object_get(jwk, "use");
    const json_t *operations = json_object_get(jwk, "key_ops");

    if (use && strcmp(text_of(jwk, "use"), "enc") == 0)
        return "has use enc, which its alg or key_ops contradict";
    if (use && strcmp(text_of(jwk, "use"), "sig") != 0)
        return "has a use other than sig and enc";
    if (operations && !json_is_array(operations))
        return "has key_ops that are no list";
    if (operations && !lists(operations, "verify"))
        return "has use sig, which its key_ops contradict";
    return NULL;
}

/* `alg`, if there is one, must be a signature that a key of this kind makes. */
static const char *refuse_algorithm(const json_t *jwk)
{
    const json_t *alg = json_object_get(jwk, "alg");
    const auth_algorithm *algorithm = auth_algorithm_find(text_of(jwk, "alg"));

    if (!alg)
        return NULL;
    if (!algorithm)
        return "has an alg that is not offered here (RS, PS, ES and HS with 256, 384 or 512 are)";
    if (!auth_key_suits(jwk, algorithm))
        return algorithm->secret_size ? "has an alg for oct keys, and no k as long as its hash"
                                      : "has an alg that is not for its kty and crv";
    return NULL;
}

/* -- Members ----------------------------------------------------------------------------------- */

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

/* The members that make a key of a type (RFC 7518, section 6), or NULL for a type not known. */
static const char *const *members_of(const char *type)
{
    static const char *const rsa[] = { "kty", "n", "e", NULL };
    static const char *const ec[] = { "kty", "crv", "x", "y", NULL };
    static const char *const oct[] = { "kty", "k", NULL };

    if (strcmp(type, "RSA") == 0)
        return rsa;
    if (strcmp(type, "EC") == 0)
        return ec;
    return strcmp(type, "oct") == 0 ? oct : NULL;
}

static const char *refuse_marks(const json_t *jwk)
{
    const json_t *id = json_object_get(jwk, "kid");
    const json_t *alg = json_object_get(jwk, "alg");

    if (!json_is_object(jwk))
        return "is no JSON object";
    if ((id && !json_is_string(id)) || (alg && !json_is_string(alg)))
        return "has a kid or alg that is no text";
    if (!members_of(text_of(jwk, "kty")))
        return "has a kty other than RSA, EC and oct";
    return NULL;
}

const char *auth_key_refuse(const json_t *jwk, json_t **out)
{
    const char *reason = refuse_marks(jwk);
    json_t *key;

    if (!reason)
        reason = refuse_purpose(jwk);
    if (!reason)
        reason = refuse_algorithm(jwk);
    if (reason)
        return reason;
    key = pick(jwk, members_of(text_of(jwk, "kty")));
    if (!key)
        return "lacks a member that makes a key of its kty, or has one that is no text";
    reason = auth_key_refuse_numbers(key);
    if (reason)
        json_decref(key);
    else
        *out = key;
    return reason;
}
