/* SPDX-License-Identifier: Apache-2.0 */
/* One connection. Invariant: once anything has failed, OpenSSL is not asked for anything more of
 * the session; it allows nothing else. */
#include "host/tls/internal.h"

#include "base/alloc.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>

enum { RECORD_BYTES = SSL3_RT_MAX_PLAIN_LENGTH, PEER_BYTES = 1024 };

struct iswi_tls_session {
    SSL *ssl;
    iswi_tls_contexts *contexts;
    iswi_tls_socket socket;
    bool shaken, failed, dry, wants_output;
    const char *fault;
    const iswi_tls_peer *peer;
    iswi_arena arena; /* of the peer */
};

/* -- Begin and end ----------------------------------------------------------------------------- */

iswi_tls_session *iswi_tls_session_begin(iswi_tls *tls, int fd)
{
    iswi_tls_session *session = iswi_calloc(1, sizeof *session);
    BIO *bio = BIO_new(iswi_tls_socket_of(tls));

    if (session) {
        session->contexts = iswi_tls_contexts_take(tls);
        session->socket.fd = fd;
        session->fault = "";
        session->ssl = SSL_new(session->contexts->items[0]);
        iswi_arena_init(&session->arena, PEER_BYTES);
    }
    if (!session || !session->ssl || !bio) {
        BIO_free(bio);
        iswi_tls_session_end(session);
        ERR_clear_error();
        return NULL;
    }
    BIO_set_data(bio, &session->socket);
    SSL_set_bio(session->ssl, bio, bio);
    SSL_set_accept_state(session->ssl);
    return session;
}

void iswi_tls_session_end(iswi_tls_session *session)
{
    if (!session)
        return;
    SSL_free(session->ssl);
    iswi_tls_contexts_release(session->contexts);
    iswi_arena_fini(&session->arena);
    iswi_free(session);
}

/* -- What came of a call ----------------------------------------------------------------------- */

static void fail(iswi_tls_session *session, const char *fault)
{
    session->failed = true;
    session->fault = fault;
}

static void note_reason(iswi_tls_session *session)
{
    unsigned long code = ERR_peek_error();
    long verified = SSL_get_verify_result(session->ssl);
    bool refused = ERR_GET_LIB(code) == ERR_LIB_SSL &&
                   ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED;

    if (refused && verified != X509_V_OK)
        fail(session, X509_verify_cert_error_string(verified));
    else
        fail(session, code ? iswi_tls_reason() : "the connection was closed");
    ERR_clear_error();
}

/* After a call that gave `result`, not above 0: 0 at the end of what the client sends, else -1 with
 * errno. */
static int explain(iswi_tls_session *session, int result)
{
    int kind = SSL_get_error(session->ssl, result);

    session->wants_output = kind == SSL_ERROR_WANT_WRITE;
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
        errno = EAGAIN;
        return -1;
    }
    if (kind == SSL_ERROR_ZERO_RETURN)
        return 0;
    note_reason(session);
    errno = EPROTO;
    return -1;
}

/* -- Shaking hands ----------------------------------------------------------------------------- */

/* Also of a session that is resumed, whose ticket has the certificate. */
static iswi_tls_progress know_peer(iswi_tls_session *session)
{
    X509 *certificate = SSL_get1_peer_certificate(session->ssl);

    session->shaken = true;
    if (!certificate)
        return ISWI_TLS_DONE;
    session->peer = iswi_tls_peer_read(certificate, &session->arena);
    X509_free(certificate);
    if (session->peer)
        return ISWI_TLS_DONE;
    fail(session, "the names in its certificate cannot be read");
    return ISWI_TLS_FAILED;
}

/* Of a session that failed. */
static iswi_tls_progress end_of(const iswi_tls_session *session)
{
    if (!session->socket.begun)
        return ISWI_TLS_LEFT;
    return session->socket.plain ? ISWI_TLS_PLAIN : ISWI_TLS_FAILED;
}

iswi_tls_progress iswi_tls_handshake(iswi_tls_session *session)
{
    int result;

    if (session->failed)
        return end_of(session);
    if (session->shaken)
        return ISWI_TLS_DONE;
    ERR_clear_error();
    result = SSL_do_handshake(session->ssl);
    if (result == 1)
        return know_peer(session);
    if (explain(session, result) < 0 && errno == EAGAIN)
        return session->wants_output ? ISWI_TLS_WANTS_OUTPUT : ISWI_TLS_WANTS_INPUT;
    if (session->socket.plain)
        fail(session, "it does not speak TLS");
    else if (!session->failed)
        fail(session, "the client left");
    return end_of(session);
}

const char *iswi_tls_session_fault(const iswi_tls_session *session)
{
    return session->fault;
}

bool iswi_tls_is_http2(const iswi_tls_session *session)
{
    const unsigned char *name;
    unsigned size;

    SSL_get0_alpn_selected(session->ssl, &name, &size);
    return size == 2 && memcmp(name, "h2", 2) == 0;
}

const iswi_tls_peer *iswi_tls_peer_of(const iswi_tls_session *session)
{
    return session->peer;
}

/* -- Reading ----------------------------------------------------------------------------------- */

static bool is_usable(const iswi_tls_session *session)
{
    if (session->failed || !session->shaken)
        errno = EPROTO;
    return !session->failed && session->shaken;
}

ssize_t iswi_tls_read(iswi_tls_session *session, void *to, size_t size)
{
    size_t got;
    int result;

    if (!is_usable(session))
        return -1;
    ERR_clear_error();
    session->wants_output = false;
    result = SSL_read_ex(session->ssl, to, size, &got);
    session->dry = result <= 0;
    return result > 0 ? (ssize_t)got : explain(session, result);
}

bool iswi_tls_has_input(const iswi_tls_session *session)
{
    return !session->failed && !session->dry &&
           (SSL_has_pending(session->ssl) || !session->socket.dry);
}

bool iswi_tls_wants_output(const iswi_tls_session *session)
{
    return session->wants_output;
}

/* -- Writing ----------------------------------------------------------------------------------- */

/* How far a write has come. */
typedef struct writing {
    const struct iovec *pieces;
    int count;
    size_t offset; /* in the first of them */
} writing;

static void pass_written(writing *at)
{
    while (at->count && at->offset >= at->pieces->iov_len) {
        at->offset -= at->pieces->iov_len;
        at->pieces++;
        at->count--;
    }
}

/* What goes into the next record: of a piece that fills one as it is, else of all that fit into
 * one, copied together, so that a head and a small body are one record. */
static isw_bytes next_part(const writing *at, unsigned char *record)
{
    const struct iovec *first = at->pieces;
    isw_bytes part = { (const char *)first->iov_base + at->offset, first->iov_len - at->offset };
    size_t filled = 0;

    if (part.size >= RECORD_BYTES || at->count == 1)
        return part;
    for (int i = 0; i < at->count && filled < RECORD_BYTES; i++) {
        size_t skipped = i ? 0 : at->offset;
        size_t size = first[i].iov_len - skipped;

        if (size > RECORD_BYTES - filled)
            size = RECORD_BYTES - filled;
        if (size)
            memcpy(record + filled, (const char *)first[i].iov_base + skipped, size);
        filled += size;
    }
    return (isw_bytes){ record, filled };
}

ssize_t iswi_tls_write(iswi_tls_session *session, const struct iovec *pieces, int count)
{
    unsigned char record[RECORD_BYTES];
    writing at = { pieces, count, 0 };
    size_t written = 0;

    if (!is_usable(session))
        return -1;
    ERR_clear_error();
    session->wants_output = false;
    for (pass_written(&at); at.count; pass_written(&at)) {
        isw_bytes part = next_part(&at, record);
        size_t size;
        int result = SSL_write_ex(session->ssl, part.data, part.size, &size);

        if (result <= 0) {
            result = explain(session, result);
            return written && !session->failed ? (ssize_t)written : -1;
        }
        at.offset += size;
        written += size;
    }
    return (ssize_t)written;
}

bool iswi_tls_finish(iswi_tls_session *session)
{
    int result;

    if (session->failed || !session->shaken)
        return true;
    ERR_clear_error();
    result = SSL_shutdown(session->ssl);
    return result >= 0 || explain(session, result) == 0 || session->failed;
}
