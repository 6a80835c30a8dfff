/* SPDX-License-Identifier: Apache-2.0 */
/* verify KEYS: says of each line of standard input whether auth would take it for a token, signed
 * with the keys of the file: "signed" when the signature holds, whatever stands in the payload (a
 * suite signs texts that are no claims), else why not. */
#include "../../middleware/auth_jwt.h"

#include <stdio.h>
#include <string.h>

static const char *algorithms[] = { "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
                                    "ES256", "ES384", "ES512", "HS256", "HS384", "HS512" };
static const char *audience[] = { "suite" };

/* What is said of a payload that is no claims, which is looked at once the signature held. */
static const char no_claims[] = "the token's claims are malformed";

static void judge(auth_jwt *jwt, const char *line, size_t size)
{
    json_t *claims = NULL;
    const char *reason = NULL;
    isw_error note = { 0 };
    isw_status status =
        auth_jwt_verify(jwt, (isw_str){ line, size }, (auth_now){ 1, 1 }, &claims, &reason, &note);

    json_decref(claims);
    puts(status == ISW_OK || strcmp(reason, no_claims) == 0 ? "signed" : reason);
}

int main(int argc, char **argv)
{
    auth_jwt_options options = { .issuer = "suite",
                                 .audience = { audience, 1 },
                                 .algorithms = { algorithms, 12 },
                                 .roles_claim = "roles",
                                 .scopes_claim = "scope",
                                 .audience_claim = "aud",
                                 .cache_ms = 3600000,
                                 .refresh_ms = 3600000,
                                 .jwks = argc == 2 ? argv[1] : NULL };
    static char line[64 * 1024];
    auth_jwt jwt = { 0 };
    isw_error error = { 0 };

    if (!options.jwks) {
        fputs("usage: verify KEYS <TOKENS\n", stderr);
        return 64;
    }
    if (auth_jwt_init(&jwt, &options, (auth_now){ 1, 1 }, &error) != ISW_OK) {
        printf("! %s\n", error.message);
        return 0;
    }
    while (fgets(line, sizeof line, stdin))
        judge(&jwt, line, strcspn(line, "\n"));
    auth_jwt_fini(&jwt);
    return 0;
}
