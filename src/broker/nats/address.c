/* SPDX-License-Identifier: Apache-2.0 */
/* Places on NATS, taken apart. */
#include "broker/nats/address.h"

#include "base/alloc.h"
#include "broker/nats/calls.h"

#include <stdlib.h>
#include <string.h>

static isw_status wrong(isw_error *error, const char *what)
{
    return isw_error_set(error, ISW_E_CONFIG,
                         "%s; a place on NATS is nats://[USER:PASSWORD@]HOST:PORT[,HOST:PORT], or "
                         "tls://..., with prefix=, replicas=, creds=, nkey=, seed=, ca=, cert= or key= "
                         "behind a '?'", what);
}

/* -- Behind the '?' ---------------------------------------------------------------------------- */

static bool is_prefix(const char *name)
{
    const size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_");

    return size > 0 && size < ISWI_NATS_PREFIX_BYTES && name[size] == '\0';
}

static isw_status set_option(iswi_nats_address *of, const char *name, const char *value,
                             isw_error *error)
{
    const struct { const char *name; const char **value; } rows[] = {
        { "prefix", &of->prefix }, { "creds", &of->creds }, { "nkey", &of->nkey },
        { "seed", &of->seed },     { "ca", &of->ca },       { "cert", &of->cert },
        { "key", &of->key },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(name, rows[i].name) == 0) {
            *rows[i].value = value;
            return ISW_OK;
        }
    if (strcmp(name, "replicas") != 0)
        return wrong(error, "a place on NATS has no such option");
    of->replicas = value[0] >= '1' && value[0] <= '5' && !value[1] ? value[0] - '0' : 0;
    return of->replicas ? ISW_OK : wrong(error, "replicas are 1 to 5");
}

static isw_status read_options(iswi_nats_address *of, char *rest, isw_error *error)
{
    isw_status status = ISW_OK;
    char *end;
    char *value;

    for (char *at = rest; at && *at && status == ISW_OK; at = end) {
        end = strchr(at, '&');
        if (end)
            *end++ = '\0';
        value = strchr(at, '=');
        if (!value || !value[1])
            return wrong(error, "an option of a place is NAME=VALUE");
        *value++ = '\0';
        status = set_option(of, at, value, error);
    }
    if (status == ISW_OK && !is_prefix(of->prefix))
        return wrong(error, "a prefix is of letters, digits, '-' and '_', 63 at most");
    if (status == ISW_OK && (of->cert != NULL) != (of->key != NULL))
        return wrong(error, "cert= and key= go together");
    if (status == ISW_OK && (of->nkey != NULL) != (of->seed != NULL))
        return wrong(error, "nkey= and seed= go together");
    if (status == ISW_OK && !!of->user + !!of->creds + !!of->nkey > 1)
        return wrong(error, "who we are is said once: by a user, creds= or nkey=");
    return status;
}

/* -- Before it --------------------------------------------------------------------------------- */

static bool is_server(const char *text)
{
    const char *port = strrchr(text, ':');
    char *end = NULL;
    long number;

    if (!port)
        return *text != '\0';
    number = strtol(port + 1, &end, 10);
    return port > text && number > 0 && number < 65536 && *end == '\0';
}

static isw_status read_servers(iswi_nats_address *of, char *list, isw_error *error)
{
    char *next;

    for (char *at = list; at; at = next) {
        next = strchr(at, ',');
        if (next)
            *next++ = '\0';
        if (!is_server(at))
            return wrong(error, "a server is HOST or HOST:PORT");
        if (of->server_count == ISWI_NATS_SERVERS_MAX)
            return wrong(error, "there are more than 16 servers");
        of->servers[of->server_count++] = at;
    }
    return ISW_OK;
}

static isw_status read_text(iswi_nats_address *of, isw_error *error)
{
    char *at = strstr(of->text, "://");
    char *options;
    char *host;

    if (!at)
        return wrong(error, "\"//\" is missing");
    *at = '\0';
    of->scheme = of->text;
    at += 3;
    options = strchr(at, '?');
    if (options)
        *options++ = '\0';
    host = strrchr(at, '@');
    if (host) {
        of->user = at;
        *host = '\0';
        at = host + 1;
    }
    return read_servers(of, at, error) == ISW_OK ? read_options(of, options, error)
                                                 : error->status;
}

isw_status iswi_nats_address_read(const char *place, iswi_nats_address *out, isw_error *error)
{
    iswi_nats_address of = { .text = iswi_strdup(place), .prefix = "isoworker", .replicas = 1 };
    isw_status status;

    status = of.text ? read_text(&of, error)
                     : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a place");
    if (status == ISW_OK)
        *out = of;
    else
        iswi_free(of.text);
    return status;
}

void iswi_nats_address_free(iswi_nats_address *address)
{
    iswi_free(address->text);
    address->text = NULL;
}

isw_status iswi_nats_check(const char *place, isw_error *error)
{
    iswi_nats_address address;
    iswi_nats_calls calls;
    const isw_status status = iswi_nats_address_read(place, &address, error);

    if (status == ISW_OK)
        iswi_nats_address_free(&address);
    return status ? status : iswi_nats_load(&calls, error);
}
