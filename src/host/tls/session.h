/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TLS_SESSION_H
#define ISWI_HOST_TLS_SESSION_H

/*
 * TLS on one connection, the server's side: a non-blocking socket of the caller's, read and written
 * as by recv and writev. One thread at a time. A session that failed, in whatever call, reads and
 * writes nothing more.
 */
#include "base/arena.h"
#include "host/tls/tls.h"

#include <isoworker/value.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef struct iswi_tls_session iswi_tls_session;

/* By what is in force now. NULL: no memory. */
iswi_tls_session *iswi_tls_session_begin(iswi_tls *tls, int fd);

/* The descriptor is the caller's to close. NULL is allowed. */
void iswi_tls_session_end(iswi_tls_session *session);

typedef enum iswi_tls_progress {
    ISWI_TLS_DONE,
    ISWI_TLS_WANTS_INPUT,  /* go on once the socket can be read */
    ISWI_TLS_WANTS_OUTPUT, /* or written */
    ISWI_TLS_PLAIN,        /* the client does not speak TLS but text, such as HTTP: it may hear
                              a word in plain, by the socket */
    ISWI_TLS_LEFT,         /* the client went before it said anything, as those do that only look
                              whether somebody listens */
    ISWI_TLS_FAILED        /* the client was told, where there is a way to tell it */
} iswi_tls_progress;

/* Shake hands: first of all, until DONE, which stays DONE. */
iswi_tls_progress iswi_tls_handshake(iswi_tls_session *session);

/* Why the session failed, for people: "its certificate has expired". */
const char *iswi_tls_session_fault(const iswi_tls_session *session);

/* As recv: 0 at the end of what the client sends, -1 with errno; EAGAIN when more must come first.
 * There is an end whether the client said so (close_notify) or just closed: HTTP tells itself when
 * something is missing. */
ssize_t iswi_tls_read(iswi_tls_session *session, void *to, size_t size);

/* Whether the next read may have something although the socket becomes readable no more: the one
 * before did not end with EAGAIN, and bytes lie here, or the socket may have more than it gave. To
 * be asked before the socket is waited for. */
bool iswi_tls_has_input(const iswi_tls_session *session);

/* As writev; may write a part. After -1 with EAGAIN the next write must begin with the same bytes,
 * and have no fewer. */
ssize_t iswi_tls_write(iswi_tls_session *session, const struct iovec *pieces, int count);

/* Whether the last call waits for the socket to be written, and not to be read. Either may be the
 * case of reads and writes alike. */
bool iswi_tls_wants_output(const iswi_tls_session *session);

/* Tell the client that nothing more comes (close_notify). False: not now, as the socket is full.
 * What it sends can still be read. */
bool iswi_tls_finish(iswi_tls_session *session);

/* Whether HTTP/2 was agreed on; else it is HTTP/1.1. Once hands are shaken. */
bool iswi_tls_is_http2(const iswi_tls_session *session);

/* Whom a client's certificate is of. Text is UTF-8 without control characters. */
typedef struct iswi_tls_peer {
    isw_str subject;      /* "CN=Ada,O=Example" (RFC 4514); empty if it has none */
    isw_str issuer;       /* likewise */
    const isw_str *names; /* "DNS:a.example", "URI:spiffe://a/b", "email:ada@a.example", "IP:::1" */
    size_t name_count;
    isw_str fingerprint; /* SHA-256 of the certificate, 64 hexadecimal digits */
    int64_t expires_s;   /* since 1970 */
} iswi_tls_peer;

/* The client as it has proved to be; NULL: it showed no certificate. Once hands are shaken; lives
 * as long as the session. */
const iswi_tls_peer *iswi_tls_peer_of(const iswi_tls_session *session);

/* In the arena; NULL: no memory. */
const iswi_tls_peer *iswi_tls_peer_copy(const iswi_tls_peer *peer, iswi_arena *arena);

#endif
