/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to a caller. A credential counts only if there is one of its kind: where readers
 * could differ in which of two is meant, it is neither. */
#include "auth_caller.h"

#include "auth_claims.h"
#include "auth_grant.h"

#include <isoworker/http.h>
#include <isoworker/log.h>
#include <time.h>

auth_now auth_read_clocks(void)
{
    struct timespec wall;
    struct timespec monotonic;

    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    return (auth_now){ wall.tv_sec,
                       (int64_t)monotonic.tv_sec * 1000 + monotonic.tv_nsec / 1000000 };
}

static isw_status refuse(auth_caller *caller, isw_status status, const char *reason)
{
    caller->reason = reason;
    return status;
}

/* Letter case counts in the names of query parameters, and does not in those of headers. */
typedef bool (*compare_fn)(isw_str a, isw_str b);

/* How many pairs are named `name` (none for an empty name), and the value of the last. */
static size_t find_value(const isw_pairs *pairs, const char *name, compare_fn compare,
                         isw_str *value)
{
    const isw_str wanted = isw_str_of(name);
    size_t found = 0;

    for (size_t i = 0; wanted.size && i < pairs->count; i++) {
        const isw_pair *pair = &pairs->items[i];

        if (compare(pair->name, wanted)) {
            *value = pair->value;
            found++;
        }
    }
    return found;
}

/* RFC 6750, section 2.1; the scheme in any letter case (RFC 9110, section 11.1). */
static bool is_bearer(isw_str header, isw_str *token)
{
    static const char scheme[] = "Bearer";
    size_t at = sizeof scheme - 1;

    if (header.size < at || !isw_str_equal_nocase((isw_str){ header.data, at }, isw_str_of(scheme)))
        return false;
    if (header.size > at && header.data[at] != ' ')
        return false;
    while (at < header.size && header.data[at] == ' ')
        at++;
    *token = (isw_str){ header.data + at, header.size - at };
    return true;
}

/* -- Tokens ------------------------------------------------------------------------------------ */

static bool is_admin(const isw_principal *principal, const char *admin_role)
{
    for (size_t i = 0; admin_role[0] && i < principal->role_count; i++)
        if (isw_str_equal(principal->roles[i], isw_str_of(admin_role)))
            return true;
    return false;
}

/* Keys that were refused since the last call. */
static void tell_of_refusals(isw_context *ctx, auth_jwks *jwks)
{
    auth_keyset *set = auth_jwks_news(jwks);

    for (size_t i = 0; set && i < set->refusal_count; i++)
        isw_log(ctx, ISW_LOG_WARNING, "auth: %s: %s %s; it verifies nothing",
                auth_jwks_place(jwks), set->refusals[i].key, set->refusals[i].reason);
    auth_keyset_release(set);
}

static isw_status check_token(isw_context *ctx, const auth_options *options, auth_jwt *jwt,
                              isw_str token, auth_caller *caller)
{
    json_t *claims = NULL;
    isw_error note = { 0 };
    isw_status status;
    bool filled;

    caller->showed_token = true;
    status = auth_jwt_verify(jwt, token, auth_read_clocks(), &claims, &caller->reason, &note);
    tell_of_refusals(ctx, &jwt->jwks);
    if (status == ISW_E_UNAVAILABLE)
        caller->reason = isw_context_printf(ctx, "%s: %s", caller->reason, note.message);
    else if (note.status != ISW_OK)
        isw_log(ctx, ISW_LOG_WARNING, "auth: %s", note.message);
    if (status != ISW_OK)
        return caller->reason ? status : refuse(caller, ISW_E_NO_MEMORY, "out of memory");
    filled = auth_claims_principal(ctx, claims, &options->jwt, &caller->principal);
    json_decref(claims);
    if (!filled)
        return refuse(caller, ISW_E_NO_MEMORY, "out of memory");
    caller->level = is_admin(&caller->principal, options->admin_role) ? AUTH_ADMIN : AUTH_FUNCTION;
    return ISW_OK;
}

/* -- Keys and certificates --------------------------------------------------------------------- */

/* NULL when memory is out. */
static const isw_str *views_of(isw_context *ctx, const isw_option_strings *texts)
{
    isw_str *views = isw_context_alloc(ctx, (texts->count + 1) * sizeof *views);

    for (size_t i = 0; views && i < texts->count; i++)
        views[i] = isw_str_of(texts->items[i]);
    return views;
}

/* The caller's principal has its names; what it may do is in the options. */
static isw_status take_grant(isw_context *ctx, const auth_grant *grant, auth_caller *caller)
{
    isw_principal *principal = &caller->principal;

    caller->grant = grant;
    caller->level = grant->level ? AUTH_ADMIN : AUTH_FUNCTION;
    principal->roles = views_of(ctx, &grant->roles);
    principal->role_count = grant->roles.count;
    principal->scopes = views_of(ctx, &grant->scopes);
    principal->scope_count = grant->scopes.count;
    if (!principal->roles || !principal->scopes)
        return refuse(caller, ISW_E_NO_MEMORY, "out of memory");
    return ISW_OK;
}

static isw_status check_key(isw_context *ctx, const auth_keys *keys, isw_str text,
                            auth_caller *caller)
{
    const auth_key_options *key = auth_keys_find(keys, text);

    if (!key)
        return refuse(caller, ISW_E_UNAUTHENTICATED, "the key is not one of ours");
    caller->principal.scheme = isw_str_of("key");
    caller->principal.subject = isw_str_of(key->name);
    return take_grant(ctx, &key->grant, caller);
}

/* The host has verified it, so that one who is not among ours is known, and may not (403): to come
 * again with other credentials is not what a connection can do. Its subject is the caller's, or its first name where it has none: not
 * the entry's, which may be of many. */
static isw_status check_certificate(isw_context *ctx, const auth_options *options,
                                    const isw_client_certificate *certificate, auth_caller *caller)
{
    const auth_certificate_options *entry =
        auth_certificates_find(&options->certificates, certificate);

    if (!entry)
        return refuse(caller, ISW_E_FORBIDDEN, "the certificate has none of the names");
    caller->principal.scheme = isw_str_of("certificate");
    caller->principal.subject =
        certificate->subject.size ? certificate->subject : certificate->names[0];
    caller->principal.issuer = certificate->issuer;
    return take_grant(ctx, &entry->grant, caller);
}

/* -- Any of them ------------------------------------------------------------------------------- */

/* A bearer token must be good if there is one. Otherwise the key decides, in the header before the
 * query, and an Authorization of another kind is left to the function. The certificate of a
 * connection counts for requests that show nothing themselves. */
isw_status auth_caller_identify(isw_context *ctx, const auth_options *options,
                                const auth_keys *keys, auth_jwt *jwt, const isw_http *request,
                                auth_caller *caller)
{
    const isw_client_certificate *certificate;
    isw_str header = { NULL, 0 };
    isw_str token = { NULL, 0 };
    isw_str key = { NULL, 0 };
    const size_t headers =
        find_value(&request->headers, "authorization", isw_str_equal_nocase, &header);
    size_t shown = find_value(&request->headers, options->key_header, isw_str_equal_nocase, &key);

    if (headers > 1)
        return refuse(caller, ISW_E_UNAUTHENTICATED, "more than one Authorization header");
    if (headers && jwt->options && is_bearer(header, &token))
        return check_token(ctx, options, jwt, token, caller);
    if (!shown)
        shown = find_value(&request->query, options->key_query, isw_str_equal, &key);
    if (shown > 1)
        return refuse(caller, ISW_E_UNAUTHENTICATED, "more than one key");
    if (shown)
        return check_key(ctx, keys, key, caller);
    certificate = options->certificates.count ? isw_http_client_certificate(ctx) : NULL;
    if (certificate)
        return check_certificate(ctx, options, certificate, caller);
    return refuse(caller, ISW_E_UNAUTHENTICATED,
                  headers ? "Authorization is of no kind that is accepted here" : "no credentials");
}
