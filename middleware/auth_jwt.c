/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JWS. Nothing in a token chooses how it is verified: the algorithm must be on our list and
 * fit the key, keys come from the issuer's set alone, and the claims are not even parsed before the
 * signature holds. */
#include "auth_jwt.h"

#include "auth_base64url.h"
#include "auth_claims.h"

#include <jose/jws.h>
#include <openssl/err.h>
#include <stdlib.h>

enum { PARTS = 3 };

typedef struct compact {
    isw_str parts[PARTS]; /* header, payload, signature; base64url */
    const auth_algorithm *algorithm;
    const char *key_id; /* kid, or NULL; points into `header` */
    json_t *header;
} compact;

/* -- Text -------------------------------------------------------------------------------------- */

/* Whether brackets nest no deeper than AUTH_TOKEN_MAX_DEPTH: the parser recurses. */
static bool is_shallow(const char *json, size_t size)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < size; i++) {
        if (in_string && json[i] == '\\')
            i++;
        else if (json[i] == '"')
            in_string = !in_string;
        else if (!in_string && (json[i] == '{' || json[i] == '['))
            depth++;
        else if (!in_string && (json[i] == '}' || json[i] == ']'))
            depth--;
        if (depth > AUTH_TOKEN_MAX_DEPTH)
            return false;
    }
    return true;
}

/* The JSON object in a part that `split` admitted, or NULL. A member that is there twice is refused: readers differ in
 * which one counts (RFC 7515, section 4). */
static json_t *decode_object(isw_str part)
{
    const size_t size = auth_base64url_size(part);
    char *text = malloc(size + 1);
    json_t *object = NULL;

    if (text)
        auth_base64url_decode(part, text);
    if (text && is_shallow(text, size) && !memchr(text, 0, size)) /* a NUL may be passed over */
        object = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

/* Three parts with a dot between, none of them empty: no signature is no token. */
static bool split(isw_str text, isw_str parts[PARTS])
{
    for (int i = 0; i < PARTS; i++) {
        const char *dot = memchr(text.data, '.', text.size);

        if (!dot != (i == PARTS - 1))
            return false;
        parts[i].data = text.data;
        parts[i].size = dot ? (size_t)(dot - text.data) : text.size;
        if (parts[i].size == 0 || auth_base64url_size(parts[i]) == SIZE_MAX)
            return false;
        if (dot)
            text = (isw_str){ dot + 1, text.size - parts[i].size - 1 };
    }
    return true;
}

/* -- Header ------------------------------------------------------------------------------------ */

static bool is_listed(const auth_jwt_options *options, const char *name)
{
    for (size_t i = 0; i < options->algorithms.count; i++)
        if (strcmp(options->algorithms.items[i], name) == 0)
            return true;
    return false;
}

/* RFC 7515, section 4.1.9, and RFC 9068, section 4. */
static bool is_known_type(const char *type)
{
    static const char *const known[] = { "JWT", "at+jwt", "application/at+jwt" };

    for (size_t i = 0; type && i < sizeof known / sizeof known[0]; i++)
        if (isw_str_equal_nocase(isw_str_of(type), isw_str_of(known[i])))
            return true;
    return false;
}

/* Returns NULL with `token` filled in, or the reason to refuse it. Ways for a token to bring its
 * own key (jku, jwk, x5u, x5c; RFC 8725, section 3.10) are not looked at, as the keys are the
 * issuer's alone; what a reader must understand (crit; RFC 7515, section 4.1.11) is refused. */
static const char *read_header(compact *token, const auth_jwt_options *options)
{
    const json_t *algorithm = json_object_get(token->header, "alg");
    const json_t *key_id = json_object_get(token->header, "kid");
    const json_t *type = json_object_get(token->header, "typ");

    if (json_object_get(token->header, "crit"))
        return "the token's header has crit, of which nothing is understood here";
    if (!json_is_string(algorithm) || !is_listed(options, json_string_value(algorithm)))
        return "the token's alg is not allowed";
    if (type && !is_known_type(json_string_value(type)))
        return "the token's typ is neither JWT nor at+jwt";
    if (key_id && !json_is_string(key_id))
        return "the token's kid is no text";
    token->algorithm = auth_algorithm_find(json_string_value(algorithm));
    token->key_id = json_string_value(key_id);
    return token->algorithm ? NULL : "the token's alg is not known";
}

/* -- Signature --------------------------------------------------------------------------------- */

static bool is_signed_by(const auth_jwt *jwt, const compact *token, const auth_key *key)
{
    const isw_str *part = token->parts;
    json_t *jws =
        json_pack("{s:s%, s:s%, s:s%}", "protected", part[0].data, part[0].size, "payload",
                  part[1].data, part[1].size, "signature", part[2].data, part[2].size);
    bool good = jws && jose_jws_ver(jwt->jose, jws, jws, key->jwk, false);

    json_decref(jws);
    ERR_clear_error();
    return good;
}

/* The token's kid must match exactly. Without one, whichever key fits is tried. */
static bool may_be_key(const auth_key *key, const compact *token)
{
    if (token->key_id && (!key->id || strcmp(key->id, token->key_id) != 0))
        return false;
    return auth_key_fits(key, token->algorithm);
}

/* *tried says how many keys came into question. */
static bool is_signed(const auth_jwt *jwt, const compact *token, const auth_keyset *set,
                      unsigned *tried)
{
    *tried = 0;
    for (size_t i = 0; i < set->count && *tried < AUTH_TOKEN_MAX_TRIES; i++) {
        if (!may_be_key(&set->keys[i], token))
            continue;
        ++*tried;
        if (is_signed_by(jwt, token, &set->keys[i]))
            return true;
    }
    return false;
}

/* Against the keys at hand, and once more if there may be newer ones: the issuer has rotated its
 * keys when it signs with one that we do not have. */
static isw_status verify_signature(auth_jwt *jwt, const compact *token, int64_t now_ms,
                                   const char **reason, isw_error *note)
{
    auth_keyset *set = NULL;
    auth_keyset *newer = NULL;
    unsigned tried;
    bool good;

    *reason = "there are no keys to verify tokens with";
    if (auth_jwks_get(&jwt->jwks, NULL, now_ms, &set, note) != ISW_OK)
        return ISW_E_UNAVAILABLE;
    good = is_signed(jwt, token, set, &tried);
    if (!good && !(tried && token->key_id) &&
        auth_jwks_get(&jwt->jwks, set, now_ms, &newer, note) == ISW_OK && newer != set)
        good = is_signed(jwt, token, newer, &tried);
    auth_keyset_release(newer);
    auth_keyset_release(set);
    *reason = good    ? NULL
              : tried ? "the token's signature does not hold"
                      : "no key fits the token's kid and alg";
    return good ? ISW_OK : ISW_E_UNAUTHENTICATED;
}

/* -- The whole --------------------------------------------------------------------------------- */

static isw_status verify_token(auth_jwt *jwt, compact *token, auth_now now, json_t **claims,
                               const char **reason, isw_error *note)
{
    isw_status status;

    token->header = decode_object(token->parts[0]);
    *reason = token->header ? read_header(token, jwt->options) : "the token's header is malformed";
    if (*reason)
        return ISW_E_UNAUTHENTICATED;
    status = verify_signature(jwt, token, now.monotonic_ms, reason, note);
    if (status != ISW_OK)
        return status;
    *claims = decode_object(token->parts[1]);
    *reason = *claims ? auth_claims_refuse(*claims, jwt->options, now.wall_s)
                      : "the token's claims are malformed";
    return *reason ? ISW_E_UNAUTHENTICATED : ISW_OK;
}

isw_status auth_jwt_verify(auth_jwt *jwt, isw_str text, auth_now now, json_t **claims,
                           const char **reason, isw_error *note)
{
    compact token = { 0 };
    json_t *found = NULL;
    isw_status status;

    *reason = "the token is longer than 16 KiB";
    if (text.size > AUTH_TOKEN_MAX_BYTES)
        return ISW_E_UNAUTHENTICATED;
    *reason = "the token is no compact JWS";
    if (!split(text, token.parts))
        return ISW_E_UNAUTHENTICATED;
    status = verify_token(jwt, &token, now, &found, reason, note);
    json_decref(token.header);
    if (status == ISW_OK)
        *claims = found;
    else
        json_decref(found);
    return status;
}

/* -- Start and stop ---------------------------------------------------------------------------- */

/* libjose prints to standard error otherwise, whatever a caller sends. */
static void keep_quiet(void *misc, const char *file, int line, uint64_t code, const char *format,
                       va_list args)
{
    (void)misc, (void)file, (void)line, (void)code, (void)format, (void)args;
}

static isw_status check_options(const auth_jwt_options *options, isw_error *error)
{
    const isw_option_strings *algorithms = &options->algorithms;

    if (!options->jwks == !options->jwks_url)
        return isw_error_set(error, ISW_E_CONFIG, "jwt needs one of jwks (a file) and jwks_url");
    if (options->jwks_url && !auth_url_allowed(options->jwks_url))
        return isw_error_set(error, ISW_E_CONFIG,
                             "jwt.jwks_url is no https URL (http is for loopback only)");
    if (!options->issuer[0] || !options->audience_claim[0] || options->audience.count == 0 ||
        algorithms->count == 0)
        return isw_error_set(
            error, ISW_E_CONFIG,
            "jwt.issuer, audience, audience_claim and algorithms must not be empty");
    for (size_t i = 0; i < algorithms->count; i++)
        if (!auth_algorithm_find(algorithms->items[i]))
            return isw_error_set(error, ISW_E_CONFIG,
                                 "jwt.algorithms has \"%s\"; there are RS, PS, ES and HS with 256, "
                                 "384 and 512",
                                 algorithms->items[i]);
    return ISW_OK;
}

isw_status auth_jwt_init(auth_jwt *jwt, const auth_jwt_options *options, auth_now now,
                         isw_error *error)
{
    const auth_jwks_source source = { options->jwks, options->jwks_url, options->cache_ms,
                                      options->refresh_ms };
    isw_status status = check_options(options, error);

    if (status != ISW_OK)
        return status;
    jwt->jose = jose_cfg();
    if (!jwt->jose)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory");
    jose_cfg_set_err_func(jwt->jose, keep_quiet, NULL);
    status = auth_jwks_init(&jwt->jwks, &source, now.monotonic_ms, error);
    if (status == ISW_OK)
        jwt->options = options;
    else
        jose_cfg_decref(jwt->jose);
    return status;
}

void auth_jwt_fini(auth_jwt *jwt)
{
    if (!jwt->options)
        return;
    auth_jwks_fini(&jwt->jwks);
    jose_cfg_decref(jwt->jose);
    jwt->options = NULL;
}
