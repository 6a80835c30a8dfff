/* SPDX-License-Identifier: Apache-2.0 */
/* Which names stand for secrets: the usual ones, the operator's, and what functions have told. */
#include "host/debug/redact.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* Parts of names, and whole names, in lower case. */
static const char *const parts[] = { "password", "passwd",  "secret",     "token",
                                     "authorization", "api_key", "apikey", "api-key",
                                     "functions-key", "cookie",  "credential", "private_key",
                                     "session" };
static const char *const wholes[] = { "code", "key", "sig", "signature", "pin", "x-key", "x-auth",
                                      "auth-key", "x-auth-key" };

static bool is_usual(const char *lower)
{
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(lower, parts[i]))
            return true;
    for (size_t i = 0; i < sizeof wholes / sizeof wholes[0]; i++)
        if (strcmp(lower, wholes[i]) == 0)
            return true;
    return false;
}

static bool is_named(const iswi_secrets *secrets, const char *lower)
{
    for (size_t i = 0; secrets->patterns && i < secrets->patterns->count; i++) {
        char pattern[128];

        snprintf(pattern, sizeof pattern, "%s", secrets->patterns->items[i]);
        if (iswi_glob_match(iswi_lower_case(pattern), lower))
            return true;
    }
    return false;
}

/* Wherever it stands: what came as a header may be given back as a member of JSON. */
static bool is_told(const iswi_secrets *secrets, isw_str name)
{
    for (size_t i = 0; secrets->told && i < secrets->told->count; i++) {
        isw_str told = secrets->told->items[i].value;

        if (name.size && isw_str_equal_nocase(told, name))
            return true;
    }
    return false;
}

bool iswi_is_secret(isw_str name, const iswi_secrets *secrets)
{
    char lower[128];
    size_t size;

    while (name.size && name.data[0] == ' ') { /* in a query a '+' or "%20", which many skip */
        name.data++;
        name.size--;
    }
    while (name.size && name.data[name.size - 1] == ' ')
        name.size--;
    size = name.size < sizeof lower - 1 ? name.size : sizeof lower - 1;
    memcpy(lower, name.size ? name.data : "", size);
    lower[size] = '\0';
    iswi_lower_case(lower);
    return is_usual(lower) || is_named(secrets, lower) || is_told(secrets, name);
}
