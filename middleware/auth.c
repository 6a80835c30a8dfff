/* SPDX-License-Identifier: Apache-2.0 */
/* The middleware `auth`: who calls, and may they run this function? The function's metadata says
 * what it asks for: `auth_level` (anonymous, function or admin), `roles` (the caller has one of the
 * words) and `scopes` (the caller has them all). Whatever cannot be decided is refused. Callers
 * learn no more than 401, 403, 500 or 503; the reason is for the log, and no credential is in it.
 *
 * Functions that HTTP does not trigger have no caller to check and pass; `when` can leave them
 * out. An anonymous function's caller is not looked at. */
#include "auth.h"

#include "auth_caller.h"
#include "auth_grant.h"

#include <isoworker/http.h>
#include <stdio.h>

/* RFC 6750, section 3: no error code for a caller that showed no token. */
#define CHALLENGE "Bearer realm=\"isoworker\""
#define CHALLENGE_INVALID CHALLENGE ", error=\"invalid_token\""
#define CHALLENGE_SCOPE CHALLENGE ", error=\"insufficient_scope\""

typedef struct auth_state {
    auth_keys keys;
    auth_jwt jwt;
} auth_state;

/* -- What the function asks for ---------------------------------------------------------------- */

/* The next word of a list separated by spaces or commas; false at its end. */
static bool next_word(const char **list, isw_str *word)
{
    *list += strspn(*list, " ,");
    word->data = *list;
    word->size = strcspn(*list, " ,");
    *list += word->size;
    return word->size != 0;
}

static bool has(const isw_str *list, size_t count, isw_str word)
{
    for (size_t i = 0; i < count; i++)
        if (isw_str_equal(list[i], word))
            return true;
    return false;
}

/* A list without words asks for nothing that anybody could have: one of none is refused. */
static bool has_one_role(const isw_principal *principal, const char *roles)
{
    isw_str word;

    while (next_word(&roles, &word))
        if (has(principal->roles, principal->role_count, word))
            return true;
    return false;
}

static bool has_all_scopes(const isw_principal *principal, const char *scopes)
{
    isw_str word;

    while (next_word(&scopes, &word))
        if (!has(principal->scopes, principal->scope_count, word))
            return false;
    return true;
}

/* False for a level that does not exist: a misspelt one must not open a function. */
static bool level_of(const isw_function *function, const auth_options *options, auth_level *out)
{
    const char *name = isw_property_find(function->metadata, "auth_level");

    *out = (auth_level)options->default_level;
    if (!name)
        return true;
    for (int i = 0; auth_level_names[i]; i++)
        if (strcmp(name, auth_level_names[i]) == 0) {
            *out = (auth_level)i;
            return true;
        }
    return false;
}

/* -- Answers ----------------------------------------------------------------------------------- */

static const char *challenge_of(isw_status status, const auth_caller *caller)
{
    if (status == ISW_E_UNAUTHENTICATED)
        return caller->showed_token ? CHALLENGE_INVALID : CHALLENGE;
    return status == ISW_E_FORBIDDEN && caller->showed_token ? CHALLENGE_SCOPE : NULL;
}

/* The answer says what the caller must do and nothing about why. */
static isw_status refuse(isw_context *ctx, isw_status status, const auth_caller *caller,
                         const char *reason)
{
    const char *challenge = challenge_of(status, caller);
    const char *title = status == ISW_E_UNAUTHENTICATED  ? "Unauthorized"
                        : status == ISW_E_FORBIDDEN      ? "Forbidden"
                        : isw_status_http(status) == 503 ? "Service Unavailable"
                                                         : "Internal Server Error";

    if (challenge)
        isw_http_set_header(ctx, "www-authenticate", challenge);
    if (status == ISW_E_UNAVAILABLE)
        isw_http_set_header(ctx, "retry-after", "5");
    isw_http_reply_problem(ctx, isw_status_http(status), title, NULL);
    return isw_fail(ctx, status, "auth: %s", reason);
}

/* -- The decision ------------------------------------------------------------------------------ */

/* NULL if `caller` may run the function, otherwise the reason. */
static const char *lacks(const isw_function *function, auth_level level, const auth_caller *caller)
{
    const char *roles = isw_property_find(function->metadata, "roles");
    const char *scopes = isw_property_find(function->metadata, "scopes");

    if (caller->grant && !auth_grant_opens(caller->grant, function->name))
        return "the caller's key or certificate is for other functions";
    if (caller->level < level)
        return "the caller is no admin";
    if (roles && caller->showed_token && caller->principal.role_count == 0)
        return "the caller has none of the roles; its token has none at jwt.roles_claim";
    if (roles && !has_one_role(&caller->principal, roles))
        return "the caller has none of the roles";
    if (scopes && !has_all_scopes(&caller->principal, scopes))
        return "the caller lacks a scope";
    return NULL;
}

static isw_status admit_known(isw_instance *self, isw_context *ctx, auth_level level,
                              const isw_http *request)
{
    auth_state *state = isw_instance_state(self);
    auth_caller *caller = isw_context_alloc(ctx, sizeof *caller);
    isw_status status;
    const char *lack;

    if (!caller)
        return isw_fail(ctx, ISW_E_NO_MEMORY, "auth: out of memory");
    memset(caller, 0, sizeof *caller);
    if (!request)
        return refuse(ctx, ISW_E_UNAUTHENTICATED, caller,
                      "an HTTP function was invoked without a request");
    status = auth_caller_identify(ctx, isw_instance_options(self), &state->keys, &state->jwt,
                                  request, caller);
    if (status != ISW_OK)
        return refuse(ctx, status, caller, caller->reason);
    lack = lacks(isw_context_function(ctx), level, caller);
    if (lack)
        return refuse(ctx, ISW_E_FORBIDDEN, caller, lack);
    isw_context_set_principal(ctx, &caller->principal);
    return ISW_OK;
}

static isw_status admit(isw_instance *self, isw_context *ctx, const isw_function *function,
                        const isw_http *request)
{
    static const auth_caller nobody;
    auth_level level;

    if (!level_of(function, isw_instance_options(self), &level))
        return refuse(ctx, ISW_E_CONFIG, &nobody,
                      "the function's auth_level is not anonymous, function or admin");
    if (level != AUTH_ANONYMOUS)
        return admit_known(self, ctx, level, request);
    if (isw_property_find(function->metadata, "roles") ||
        isw_property_find(function->metadata, "scopes"))
        return refuse(ctx, ISW_E_CONFIG, &nobody,
                      "the function is anonymous and asks for roles or scopes");
    return ISW_OK;
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const isw_function *function = isw_context_function(ctx);
    const isw_http *request = isw_http_request(ctx);
    isw_status status = ISW_OK;

    if (request || isw_str_equal_nocase(isw_str_of(function->trigger.type), isw_str_of("http")))
        status = admit(self, ctx, function, request);
    return status == ISW_OK ? isw_next_run(next, ctx) : status;
}

/* -- Start and stop ---------------------------------------------------------------------------- */

static void stop(isw_instance *self)
{
    auth_state *state = isw_instance_state(self);

    auth_jwt_fini(&state->jwt);
    auth_keys_fini(&state->keys);
}

/* There is no invocation yet that could log, and the host makes warnings of standard error. */
static void tell_of_refusals(isw_instance *self, auth_jwks *jwks)
{
    auth_keyset *set = auth_jwks_news(jwks);

    for (size_t i = 0; set && i < set->refusal_count; i++)
        fprintf(stderr, "%s: auth: %s: %s %s; it verifies nothing\n", isw_instance_where(self),
                auth_jwks_place(jwks), set->refusals[i].key, set->refusals[i].reason);
    auth_keyset_release(set);
}

static isw_status start(isw_instance *self, isw_error *error)
{
    const auth_options *options = isw_instance_options(self);
    auth_state *state = isw_instance_state(self);
    isw_status status;

    if (options->keys.count == 0 && options->certificates.count == 0 && !options->jwt.issuer &&
        options->default_level != AUTH_ANONYMOUS)
        return isw_error_set(error, ISW_E_CONFIG, "there are neither keys, certificates nor jwt, so "
                             "that nobody could call");
    status = auth_certificates_check(&options->certificates, error);
    if (status == ISW_OK)
        status = auth_keys_init(&state->keys, &options->keys, error);
    if (status == ISW_OK && options->jwt.issuer)
        status = auth_jwt_init(&state->jwt, &options->jwt, auth_read_clocks(), error);
    if (status != ISW_OK)
        stop(self);
    else if (state->jwt.options)
        tell_of_refusals(self, &state->jwt.jwks);
    return status;
}

/* Tokens come as authorization, which is a secret everywhere. */
static void tell(isw_instance *self, isw_facts *facts)
{
    const auth_options *options = isw_instance_options(self);

    isw_facts_reads(facts, "auth_level roles scopes");
    isw_facts_secret(facts, ISW_SECRET_HEADER, options->key_header);
    isw_facts_secret(facts, ISW_SECRET_QUERY, options->key_query);
    isw_facts_not_inside(facts, "idempotency",
                         "who knows a key gets the answer again, and is asked for nothing else");
}

const isw_middleware isw_middleware_auth = {
    .size = sizeof(isw_middleware),
    .name = "auth",
    .summary = "checks API keys and bearer tokens against what each function asks for",
    .options = auth_option_table,
    .options_size = sizeof(auth_options),
    .instance_size = sizeof(auth_state),
    .start = start,
    .stop = stop,
    .invoke = invoke,
    .tell = tell,
};
