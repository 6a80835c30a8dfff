/* SPDX-License-Identifier: Apache-2.0 */
/* The option tables of the middleware `auth`. They are what users read: the YAML's names, defaults
 * and help. Offsets lead into the structs of auth.h. */
#include "auth.h"

const char *const auth_level_names[] = { "anonymous", "function", "admin", NULL };

static const char *const grant_levels[] = { "function", "admin", NULL };

/* Of a struct that has an auth_grant. */
#define GRANT_ROWS(owner)                                                                         \
    { .name = "level", .type = ISW_OPTION_ENUM, .offset = offsetof(owner, grant.level),           \
      .default_value = "function", .choices = grant_levels,                                       \
      .help = "admin opens functions of level admin as well" },                                   \
    { .name = "functions", .type = ISW_OPTION_STRINGS, .optional = true,                          \
      .offset = offsetof(owner, grant.functions),                                                 \
      .help = "patterns of the functions it opens; none means all" },                             \
    { .name = "roles", .type = ISW_OPTION_STRINGS, .optional = true,                              \
      .offset = offsetof(owner, grant.roles), .help = "what `roles` of a function asks for" },    \
    { .name = "scopes", .type = ISW_OPTION_STRINGS, .optional = true,                             \
      .offset = offsetof(owner, grant.scopes), .help = "what `scopes` of a function asks for" }

static const isw_option key_options[] = {
    { .name = "name", .type = ISW_OPTION_STRING, .offset = offsetof(auth_key_options, name),
      .help = "who it was given to; the principal's subject" },
    { .name = "hash", .type = ISW_OPTION_STRING, .offset = offsetof(auth_key_options, hash),
      .help = "sha256:S:H where H is: printf %s \"$S$key\" | openssl dgst -sha256, and S is: "
              "openssl rand -hex 16" },
    GRANT_ROWS(auth_key_options),
    { 0 },
};

static const isw_option certificate_options[] = {
    { .name = "name", .type = ISW_OPTION_STRING, .offset = offsetof(auth_certificate_options, name),
      .help = "its subject, CN=orders,O=Example, or an alternative name with DNS:, URI:, email: or "
              "IP: before it, in which * stands for anything" },
    GRANT_ROWS(auth_certificate_options),
    { 0 },
};

static const isw_option jwt_options[] = {
    { .name = "issuer",
      .type = ISW_OPTION_STRING,
      .offset = offsetof(auth_jwt_options, issuer),
      .help = "what `iss` must be, exactly" },
    { .name = "audience",
      .type = ISW_OPTION_STRINGS,
      .offset = offsetof(auth_jwt_options, audience),
      .help = "`audience_claim` must have one of these" },
    { .name = "audience_claim",
      .type = ISW_OPTION_STRING,
      .default_value = "aud",
      .offset = offsetof(auth_jwt_options, audience_claim),
      .help = "the claim that says whom a token is for; client_id for Cognito's access tokens" },
    { .name = "jwks",
      .type = ISW_OPTION_PATH,
      .optional = true,
      .offset = offsetof(auth_jwt_options, jwks),
      .help = "file with the issuer's JWK Set; read again when it changes" },
    { .name = "jwks_url",
      .type = ISW_OPTION_STRING,
      .optional = true,
      .offset = offsetof(auth_jwt_options, jwks_url),
      .help = "or the https URL to fetch it from" },
    { .name = "algorithms",
      .type = ISW_OPTION_STRINGS,
      .default_value = "[RS256, ES256]",
      .offset = offsetof(auth_jwt_options, algorithms),
      .help = "what `alg` may be, out of RS, PS, ES and HS with 256, 384 or 512" },
    { .name = "clock_skew",
      .type = ISW_OPTION_DURATION,
      .default_value = "60s",
      .max = 300000,
      .offset = offsetof(auth_jwt_options, clock_skew_ms),
      .help = "how far the issuer's clock may be off" },
    { .name = "cache",
      .type = ISW_OPTION_DURATION,
      .default_value = "10m",
      .min = 1000,
      .max = 86400000,
      .offset = offsetof(auth_jwt_options, cache_ms),
      .help = "fetch keys again after this; after twice this without success none is good" },
    { .name = "refresh",
      .type = ISW_OPTION_DURATION,
      .default_value = "30s",
      .min = 1000,
      .max = 3600000,
      .offset = offsetof(auth_jwt_options, refresh_ms),
      .help = "least time between two fetches for a key that is not there" },
    { .name = "roles_claim",
      .type = ISW_OPTION_STRING,
      .default_value = "roles",
      .offset = offsetof(auth_jwt_options, roles_claim),
      .help = "the claim that lists roles; of nested ones a path, such as realm_access.roles" },
    { .name = "scopes_claim",
      .type = ISW_OPTION_STRING,
      .default_value = "scope",
      .offset = offsetof(auth_jwt_options, scopes_claim),
      .help = "the claim that lists scopes, likewise" },
    { 0 },
};

const isw_option auth_option_table[] = {
    { .name = "default_level", .type = ISW_OPTION_ENUM, .default_value = "function",
      .choices = auth_level_names, .offset = offsetof(auth_options, default_level),
      .help = "level of functions whose metadata has no auth_level" },
    { .name = "keys", .type = ISW_OPTION_GROUP_LIST, .optional = true, .group = key_options,
      .group_size = sizeof(auth_key_options), .offset = offsetof(auth_options, keys),
      .help = "API keys, by their hashes" },
    { .name = "certificates", .type = ISW_OPTION_GROUP_LIST, .optional = true,
      .group = certificate_options, .group_size = sizeof(auth_certificate_options),
      .offset = offsetof(auth_options, certificates),
      .help = "of clients, which the host has verified (http.tls.client_ca); the first counts" },
    { .name = "key_header", .type = ISW_OPTION_STRING, .default_value = "x-functions-key",
      .offset = offsetof(auth_options, key_header), .help = "header with the key; \"\" for none" },
    { .name = "key_query", .type = ISW_OPTION_STRING, .default_value = "code",
      .offset = offsetof(auth_options, key_query),
      .help = "query parameter with the key; \"\" for none" },
    { .name = "admin_role", .type = ISW_OPTION_STRING, .default_value = "admin",
      .offset = offsetof(auth_options, admin_role),
      .help = "role that makes a token good for level admin; \"\" for none" },
    { .name = "jwt", .type = ISW_OPTION_GROUP, .optional = true, .group = jwt_options,
      .group_size = sizeof(auth_jwt_options), .offset = offsetof(auth_options, jwt),
      .help = "bearer tokens; left out, none is accepted" },
    { 0 },
};
