/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_CALLER_H
#define AUTH_CALLER_H

/*
 * Who calls: the credential that a request shows, checked. A caller lives as long as the invocation
 * and points into its context's memory and the options.
 */
#include "auth.h"
#include "auth_jwt.h"
#include "auth_keys.h"

typedef struct auth_caller {
    auth_level level;            /* what the credential is good for */
    bool showed_token;           /* whether it was, or tried to be, a bearer token */
    const auth_grant *grant; /* of a key or certificate; NULL: a token says itself what it is for */
    isw_principal principal;
    const char *reason; /* why not, for operators */
} auth_caller;

/* Fill `caller`, zeroed before; on failure only `reason` and `showed_token`. A warning about keys
 * that could not be renewed goes to the log of `ctx`. Blocks as auth_jwt_verify.
 * Errors: ISW_E_UNAUTHENTICATED, ISW_E_UNAVAILABLE, ISW_E_NO_MEMORY. */
isw_status auth_caller_identify(isw_context *ctx, const auth_options *options,
                                const auth_keys *keys, auth_jwt *jwt, const isw_http *request,
                                auth_caller *caller);

/* Milliseconds and seconds of the system's clocks. */
auth_now auth_read_clocks(void);

#endif
