/* SPDX-License-Identifier: Apache-2.0 */
/* The handshake is hiredis's, the settings are ours: its own would take any host's certificate. */
#include "redis/tls.h"

#ifdef ISWI_REDIS_TLS

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

isw_status iswi_redis_tls_create(const char *ca_file, void **out, isw_error *error)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

    if (!tls)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for TLS");
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    if (ca_file ? SSL_CTX_load_verify_locations(tls, ca_file, NULL) != 1
                : SSL_CTX_set_default_verify_paths(tls) != 1) {
        SSL_CTX_free(tls);
        return isw_error_set(error, ISW_E_CONFIG, "ca_file: %s has no certificates in PEM, or "
                             "cannot be read", ca_file ? ca_file : "what the system trusts");
    }
    *out = tls;
    return ISW_OK;
}

void iswi_redis_tls_destroy(void *tls)
{
    SSL_CTX_free(tls);
}

static bool expect_host(SSL *ssl, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

bool iswi_redis_tls_begin(redisContext *redis, void *tls, const char *host,
                          char why[ISWI_REDIS_WHY_BYTES])
{
    SSL *ssl = SSL_new(tls);

    if (!ssl || !expect_host(ssl, host)) {
        SSL_free(ssl);
        snprintf(why, ISWI_REDIS_WHY_BYTES, "no memory for TLS");
        return false;
    }
    if (redisInitiateSSL(redis, ssl) == REDIS_OK) /* it is the connection's from here on */
        return true;
    snprintf(why, ISWI_REDIS_WHY_BYTES, "TLS: %s", redis->errstr);
    return false;
}

#else

isw_status iswi_redis_tls_create(const char *ca_file, void **out, isw_error *error)
{
    (void)ca_file;
    (void)out;
    return isw_error_set(error, ISW_E_UNSUPPORTED, "this isoworker was built with a hiredis that "
                         "has no TLS, as Debian 12's: use redis:// through a tunnel, or build it "
                         "where libhiredis-dev is 1.0 or later");
}

void iswi_redis_tls_destroy(void *tls)
{
    (void)tls;
}

bool iswi_redis_tls_begin(redisContext *redis, void *tls, const char *host,
                          char why[ISWI_REDIS_WHY_BYTES])
{
    (void)redis;
    (void)tls;
    (void)host;
    (void)why;
    return false;
}

#endif
