/* SPDX-License-Identifier: Apache-2.0 */
/* Where the Runtime API is. */
#include "host/lambda/api.h"
#include "host/lambda/lambda.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static isw_status refuse(isw_error *error, const char *text, const char *why)
{
    return isw_error_set(error, ISW_E_CONFIG,
                         ISWI_LAMBDA_API_VARIABLE "=%s: %s; it is the HOST:PORT of the Runtime API, "
                         "which Lambda and its emulator set", text, why);
}

/* "host:port", "[::1]:port", as two texts. False: it is neither. */
static bool split(const char *text, char host[256], const char **port)
{
    const char *colon = strrchr(text, ':');
    size_t size = colon ? (size_t)(colon - text) : 0;

    if (!size || size >= 256 || !colon[1] || colon[1 + strspn(colon + 1, "0123456789")])
        return false;
    if (*text == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    }
    memcpy(host, text, size);
    host[size] = '\0';
    *port = colon + 1;
    return size > 0;
}

isw_status iswi_lambda_place_find(iswi_lambda_place *out, isw_error *error)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    const char *text = getenv(ISWI_LAMBDA_API_VARIABLE);
    struct addrinfo *found = NULL;
    const char *port;
    char host[256];
    int code;

    if (!text || !*text)
        return isw_error_set(error, ISW_E_CONFIG, ISWI_LAMBDA_API_VARIABLE " is not set: isoworker "
                             "lambda is started by AWS Lambda or its emulator, as bootstrap; "
                             "elsewhere use isoworker run");
    if (!split(text, host, &port) || strlen(text) >= sizeof out->text)
        return refuse(error, text, "no HOST:PORT");
    code = getaddrinfo(host, port, &hints, &found);
    if (code != 0)
        return refuse(error, text, gai_strerror(code));
    memcpy(&out->address, found->ai_addr, found->ai_addrlen);
    out->size = found->ai_addrlen;
    snprintf(out->text, sizeof out->text, "%s", text);
    freeaddrinfo(found);
    return ISW_OK;
}
