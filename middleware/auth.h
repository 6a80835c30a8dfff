/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_H
#define AUTH_H

/*
 * What the files of the middleware `auth` share: its options as the YAML fills them, and the
 * descriptor. auth.c decides about the caller that auth_caller finds: by an API key (auth_keys),
 * a bearer token (auth_jwt) or a client's certificate (auth_certificates); tokens with its claims (auth_claims) and the issuer's keys (auth_keyset),
 * which auth_jwks keeps up to date from a file or URL (auth_fetch).
 */
#include <isoworker/sys/middleware.h>

/* From the least to the most: whoever has a level has those before it. */
typedef enum auth_level { AUTH_ANONYMOUS = 0, AUTH_FUNCTION = 1, AUTH_ADMIN = 2 } auth_level;

/* What a key or a certificate is good for. */
typedef struct auth_grant {
    int64_t level; /* 0 function, 1 admin */
    isw_option_strings functions;
    isw_option_strings roles;
    isw_option_strings scopes;
} auth_grant;

/* One API key. Only its hash is known here. */
typedef struct auth_key_options {
    const char *name;
    const char *hash;
    auth_grant grant;
} auth_key_options;

/* Certificates of clients that have one name. */
typedef struct auth_certificate_options {
    const char *name; /* the subject, or a pattern of an alternative name */
    auth_grant grant;
} auth_certificate_options;

typedef struct auth_jwt_options {
    const char *issuer; /* NULL: the group was left out, and no token is accepted */
    isw_option_strings audience;
    const char *jwks;     /* a file, or NULL */
    const char *jwks_url; /* or where to fetch it, or NULL */
    isw_option_strings algorithms;
    int64_t clock_skew_ms;
    int64_t cache_ms;
    int64_t refresh_ms;
    const char *roles_claim;
    const char *scopes_claim;
    const char *audience_claim;
} auth_jwt_options;

typedef struct auth_options {
    int64_t default_level; /* auth_level */
    isw_option_list keys;  /* of auth_key_options */
    isw_option_list certificates; /* of auth_certificate_options */
    const char *key_header;
    const char *key_query;
    const char *admin_role;
    auth_jwt_options jwt;
} auth_options;

/* The two clocks that decide, read once for each invocation, so that tests choose them. */
typedef struct auth_now {
    int64_t wall_s;       /* since 1970-01-01 UTC: what tokens are dated by */
    int64_t monotonic_ms; /* what caches are aged by */
} auth_now;

extern const char *const auth_level_names[]; /* by auth_level, ends with NULL */
extern const isw_option auth_option_table[];
extern const isw_middleware isw_middleware_auth;

#endif
