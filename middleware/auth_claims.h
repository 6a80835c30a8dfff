/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_CLAIMS_H
#define AUTH_CLAIMS_H

/*
 * The claims of a token whose signature was verified (RFC 7519, section 4). Pure; any thread.
 */
#include "auth.h"

#include <jansson.h>

/* NULL if the token was issued by our issuer for us and is valid at `now_s`; otherwise the reason,
 * static text for operators. */
const char *auth_claims_refuse(const json_t *claims, const auth_jwt_options *options,
                               int64_t now_s);

/* Fill `principal` with the caller that claims accepted above tell of, in memory of `ctx`. False
 * when memory is out. */
bool auth_claims_principal(isw_context *ctx, const json_t *claims, const auth_jwt_options *options,
                           isw_principal *principal);

#endif
