/* SPDX-License-Identifier: Apache-2.0 */
/* TLS of the end that dials, by nng. Invariant: nothing is dialed in plain unless that is meant. */
#include "link/far.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PEM_MOST = 1 << 20, HOST_BYTES = 256 };

static const char tls_scheme[] = "tls+tcp://";
static const char plain_scheme[] = "tcp://";

static bool begins(const char *url, const char *scheme)
{
    return strncmp(url, scheme, strlen(scheme)) == 0;
}

bool iswi_far_is(const char *url)
{
    return begins(url, tls_scheme) || begins(url, plain_scheme);
}

/* The file as text, which is the caller's to free. */
static isw_status read_pem(const char *variable, const char *path, char **out, isw_error *error)
{
    int fd;
    ssize_t got = 0;
    size_t size = 0;

    if (!path || !*path)
        return isw_error_set(error, ISW_E_CONFIG,
                             "%s is not set: a host on another machine needs ISOWORKER_TLS_CA, "
                             "ISOWORKER_TLS_CERTIFICATE and ISOWORKER_TLS_KEY, each a file in PEM "
                             "form",
                             variable);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    *out = iswi_alloc(PEM_MOST + 1);
    while (fd >= 0 && *out && size < PEM_MOST && (got = read(fd, *out + size, PEM_MOST - size)) > 0)
        size += (size_t)got;
    if (fd >= 0)
        close(fd);
    if (!*out)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for %s", path);
    (*out)[size] = '\0';
    return fd >= 0 && got >= 0 && size < PEM_MOST
               ? ISW_OK
               : isw_error_set(error, ISW_E_CONFIG, "%s=%s: %s", variable, path,
                               fd < 0 || got < 0 ? strerror(errno) : "it is too long for PEM");
}

typedef struct pems {
    char *ca, *certificate, *key;
} pems;

static isw_status read_all(const iswi_link_far *far, pems *out, isw_error *error)
{
    if (read_pem("ISOWORKER_TLS_CA", far->ca, &out->ca, error) == ISW_OK &&
        read_pem("ISOWORKER_TLS_CERTIFICATE", far->certificate, &out->certificate, error) == ISW_OK)
        read_pem("ISOWORKER_TLS_KEY", far->key, &out->key, error);
    return error->status;
}

static void forget(pems *all)
{
    if (all->key)
        explicit_bzero(all->key, strlen(all->key));
    iswi_free(all->ca);
    iswi_free(all->certificate);
    iswi_free(all->key);
}

/* The name that the host's certificate is to have. */
static void name_of(const char *url, char out[HOST_BYTES])
{
    const char *at = url + strlen(tls_scheme);

    if (*at == '[')
        snprintf(out, HOST_BYTES, "%.*s", (int)strcspn(at + 1, "]"), at + 1);
    else
        snprintf(out, HOST_BYTES, "%.*s", (int)strcspn(at, ":/"), at);
}

static isw_status give(const iswi_nng_calls *nng, nng_tls_config *config, const char *url,
                       const iswi_link_far *far, const pems *all, isw_error *error)
{
    char name[HOST_BYTES];
    int failed;

    name_of(url, name);
    failed = nng->tls_config_server_name(config, name);
    if (!failed)
        failed = nng->tls_config_auth_mode(config, NNG_TLS_AUTH_MODE_REQUIRED);
    if (failed)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "nng: %s", nng->strerror(failed));
    if ((failed = nng->tls_config_ca_chain(config, all->ca, NULL)) != 0)
        return isw_error_set(error, ISW_E_CONFIG, "ISOWORKER_TLS_CA=%s has no certificates that can "
                             "be used: %s", far->ca, nng->strerror(failed));
    if ((failed = nng->tls_config_own_cert(config, all->certificate, all->key, NULL)) != 0)
        return isw_error_set(error, ISW_E_CONFIG,
                             "ISOWORKER_TLS_CERTIFICATE=%s and ISOWORKER_TLS_KEY=%s are no "
                             "certificate with its key: %s", far->certificate, far->key, nng->strerror(failed));
    return ISW_OK;
}

isw_status iswi_far_secure(const iswi_nng_calls *nng, nng_stream_dialer *dialer, const char *url,
                           const iswi_link_far *far, isw_error *error)
{
    nng_tls_config *config = NULL;
    pems all = { NULL, NULL, NULL };
    int failed;

    nng->stream_dialer_set_bool(dialer, NNG_OPT_TCP_NODELAY, true); /* or do without */
    if (begins(url, plain_scheme))
        return far->insecure ? ISW_OK
                             : isw_error_set(error, ISW_E_CONFIG,
                                             "%s: over tcp:// whoever sees the network reads and "
                                             "changes all, the token too; use tls+tcp://, or, where "
                                             "that is meant, set ISOWORKER_INSECURE=true", url);
    failed = nng->tls_config_alloc(&config, NNG_TLS_MODE_CLIENT);
    if (failed)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "%s: this nng has no TLS: %s", url,
                             nng->strerror(failed));
    if (read_all(far, &all, error) == ISW_OK &&
        give(nng, config, url, far, &all, error) == ISW_OK) {
        failed = nng->stream_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG, config);
        if (failed)
            isw_error_set(error, ISW_E_UNSUPPORTED, "%s: %s", url, nng->strerror(failed));
    }
    forget(&all);
    nng->tls_config_free(config); /* the dialer holds it, too */
    return error->status;
}
