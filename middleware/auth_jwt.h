/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

/*
 * Bearer tokens: JSON Web Tokens (RFC 7519) signed as a compact JWS (RFC 7515, section 7.1), held
 * to the advice of RFC 8725. Made at start; any thread may verify.
 */
#include "auth.h"
#include "auth_jwks.h"

#include <jose/cfg.h>

enum {
    AUTH_TOKEN_MAX_BYTES = 16 * 1024,
    AUTH_TOKEN_MAX_DEPTH = 16, /* of JSON in it */
    AUTH_TOKEN_MAX_TRIES = 16  /* keys tried for one token */
};

typedef struct auth_jwt {
    const auth_jwt_options *options; /* NULL: no token is accepted */
    jose_cfg_t *jose;
    auth_jwks jwks;
} auth_jwt;

/* Check `options`, which must outlive `jwt`, and read the keys. A URL that does
 * not answer is no error, tokens are refused until it does.
 * Errors: ISW_E_CONFIG, ISW_E_NO_MEMORY. Blocks while the keys are read. */
isw_status auth_jwt_init(auth_jwt *jwt, const auth_jwt_options *options, auth_now now,
                         isw_error *error);
void auth_jwt_fini(auth_jwt *jwt); /* a zeroed one is fine */

/* Verify `token` and its claims. *claims is the caller's to json_decref. On failure *reason says
 * why, for operators: static text that never quotes the token. *note as auth_jwks_get.
 * Errors: ISW_E_UNAUTHENTICATED, ISW_E_UNAVAILABLE when there are no keys to verify with. May
 * block as auth_jwks_get. */
isw_status auth_jwt_verify(auth_jwt *jwt, isw_str token, auth_now now, json_t **claims,
                           const char **reason, isw_error *note);

#endif
