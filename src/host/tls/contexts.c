/* SPDX-License-Identifier: Apache-2.0 */
/* A context of OpenSSL for each certificate. All that may be said of clients is the same in each,
 * so that whichever name one asks for, it is held to the same. */
#include "host/tls/internal.h"

#include "base/alloc.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

enum { SECURITY_LEVEL = 2, SESSION_SECONDS = 3600 };

static const char suites[] = "ECDHE+AESGCM:ECDHE+CHACHA20"; /* of TLS 1.2 */

/* -- What is agreed on in a handshake ---------------------------------------------------------- */

/* The first of ours that the client knows, too; none is the end, so that no other protocol's client
 * is taken for one of HTTP (RFC 7301, section 3.2). */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *size,
                           const unsigned char *offered, unsigned offered_size, void *user)
{
    static const unsigned char ours[] = "\2h2\10http/1.1";
    const bool *http2 = user;
    const unsigned char *from = *http2 ? ours : ours + 3;
    unsigned char *chosen;

    (void)ssl;
    if (SSL_select_next_proto(&chosen, size, from, (unsigned)(ours + sizeof ours - 1 - from),
                              offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* The certificate that is for the name, if there is one. The session holds the contexts. */
static int choose_certificate(SSL *ssl, int *alert, void *user)
{
    const iswi_tls_contexts *contexts = user;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    for (size_t i = 0; name && i < contexts->count; i++)
        if (X509_check_host(SSL_CTX_get0_certificate(contexts->items[i]), name, 0, 0, NULL) == 1) {
            SSL_set_SSL_CTX(ssl, contexts->items[i]);
            break;
        }
    return SSL_TLSEXT_ERR_OK;
}

/* -- One context ------------------------------------------------------------------------------- */

const iswi_tls_certificate *iswi_tls_certificate_at(const iswi_tls_options *options, size_t at)
{
    return at ? &options->others[at - 1] : &options->first;
}

/* What hangs on no file. */
static bool set_up(SSL_CTX *context, const iswi_tls_options *options)
{
    static const unsigned char ours[] = "isoworker";

    SSL_CTX_set_security_level(context, SECURITY_LEVEL);
    /* The end of a connection without a word is one like others (session.h). */
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* A connection that rests has no buffers. */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets keep nothing here */
    SSL_CTX_set_timeout(context, SESSION_SECONDS);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, (void *)&options->http2);
    return SSL_CTX_set_min_proto_version(context, options->least == ISWI_TLS_1_3 ? TLS1_3_VERSION
                                                                                : TLS1_2_VERSION) &&
           SSL_CTX_set_max_proto_version(context, 0) &&
           SSL_CTX_set_cipher_list(context, suites) &&
           SSL_CTX_set_session_id_context(context, ours, sizeof ours - 1);
}

static isw_status ask_clients(SSL_CTX *context, const iswi_tls_options *options,
                              iswi_tls_fault *fault, isw_error *error)
{
    int mode = SSL_VERIFY_PEER | (options->client_optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT);

    if (!options->client_ca)
        return ISW_OK;
    fault->file = ISWI_TLS_FAULT_CLIENT_CA;
    SSL_CTX_set_verify(context, mode, NULL);
    return iswi_tls_use_client_ca(context, options->client_ca, error);
}

static isw_status make_context(const iswi_tls_options *options, size_t at, SSL_CTX **out,
                               iswi_tls_fault *fault, isw_error *error)
{
    const iswi_tls_ear ear = { options->say, options->user };
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    const iswi_tls_certificate *files = iswi_tls_certificate_at(options, at);
    isw_status status;

    *out = context;
    if (!context || !set_up(context, options))
        return isw_error_set(error, ISW_E_NO_MEMORY, "OpenSSL cannot begin: %s",
                             iswi_tls_reason());
    *fault = (iswi_tls_fault){ ISWI_TLS_FAULT_CHAIN, at };
    status = iswi_tls_use_chain(context, files->chain, &ear, error);
    if (status)
        return status;
    fault->file = ISWI_TLS_FAULT_KEY;
    status = iswi_tls_use_key(context, files, &ear, error);
    return status ? status : ask_clients(context, options, fault, error);
}

/* -- All of them ------------------------------------------------------------------------------- */

void iswi_tls_contexts_release(iswi_tls_contexts *contexts)
{
    if (!contexts || atomic_fetch_sub(&contexts->holders, 1) != 1)
        return;
    for (size_t i = 0; i < contexts->count; i++)
        SSL_CTX_free(contexts->items[i]);
    iswi_free(contexts);
}

isw_status iswi_tls_contexts_read(const iswi_tls_options *options, iswi_tls_contexts **out,
                                  iswi_tls_fault *fault, isw_error *error)
{
    const size_t count = iswi_tls_certificate_count(options);
    iswi_tls_contexts *contexts =
        iswi_calloc(1, sizeof *contexts + count * sizeof contexts->items[0]);
    isw_error own = { ISW_OK, "" };
    iswi_tls_fault place = { ISWI_TLS_FAULT_CHAIN, 0 };

    if (!contexts)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for TLS");
    atomic_init(&contexts->holders, 1);
    while (contexts->count < count && own.status == ISW_OK) {
        size_t at = contexts->count++;

        make_context(options, at, &contexts->items[at], &place, &own);
    }
    if (own.status) {
        iswi_tls_contexts_release(contexts);
        if (fault)
            *fault = place;
        return isw_error_set(error, own.status, "%s", own.message);
    }
    if (contexts->count > 1)
        SSL_CTX_set_tlsext_servername_callback(contexts->items[0], choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(contexts->items[0], contexts);
    *out = contexts;
    return ISW_OK;
}
