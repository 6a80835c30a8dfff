/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TLS_INTERNAL_H
#define ISWI_HOST_TLS_INTERNAL_H

/* What the files of this room share. */
#include "base/arena.h"
#include "host/tls/session.h"

#include <openssl/ssl.h>
#include <stdatomic.h>

/* -- files.c: one file after the other --------------------------------------------------------- */

/* Something that is no error, for the log. */
typedef struct iswi_tls_ear {
    void (*say)(void *user, isw_log_level level, const char *text);
    void *user;
} iswi_tls_ear;

void iswi_tls_say(const iswi_tls_ear *ear, isw_log_level level, const char *format, ...)
    ISW_PRINTF(3, 4);

/* Why OpenSSL's last call failed, in its words, which are static; its list of errors is empty
 * then. */
const char *iswi_tls_reason(void);

/* Give `context` what is in the file. Errors: as iswi_tls_create. */
isw_status iswi_tls_use_chain(SSL_CTX *context, const char *path, const iswi_tls_ear *ear,
                              isw_error *error);
isw_status iswi_tls_use_key(SSL_CTX *context, const iswi_tls_certificate *paths,
                            const iswi_tls_ear *ear, isw_error *error);
isw_status iswi_tls_use_client_ca(SSL_CTX *context, const char *path, isw_error *error);

/* -- contexts.c: all of them ------------------------------------------------------------------- */

/* Those of the options, the first one and then the others; how many there are. */
const iswi_tls_certificate *iswi_tls_certificate_at(const iswi_tls_options *options, size_t at);
static inline size_t iswi_tls_certificate_count(const iswi_tls_options *options)
{
    return options->other_count + 1;
}

/* What the files held at one time: a context for each certificate, alike but for that. */
typedef struct iswi_tls_contexts {
    atomic_uint holders;
    size_t count;
    SSL_CTX *items[];
} iswi_tls_contexts;

/* Read all files. Errors: as iswi_tls_create. */
isw_status iswi_tls_contexts_read(const iswi_tls_options *options, iswi_tls_contexts **out,
                                  iswi_tls_fault *fault, isw_error *error);
void iswi_tls_contexts_release(iswi_tls_contexts *contexts); /* any thread; may be NULL */

/* -- tls.c ------------------------------------------------------------------------------------- */

/* Those in force; the caller is one of their holders. Any thread. */
iswi_tls_contexts *iswi_tls_contexts_take(iswi_tls *tls);
const BIO_METHOD *iswi_tls_socket_of(const iswi_tls *tls);

/* -- socket.c ---------------------------------------------------------------------------------- */

/* A socket as OpenSSL sees it. */
typedef struct iswi_tls_socket {
    int fd;
    bool begun; /* something was read */
    bool plain; /* that was text, and no TLS; nothing more is read */
    bool dry;   /* the last read got less than it had room for */
} iswi_tls_socket;

/* The kind of BIO whose data is an iswi_tls_socket. NULL: no memory. */
BIO_METHOD *iswi_tls_socket_kind(void);

/* -- peer.c ------------------------------------------------------------------------------------ */

/* In the arena; NULL: no memory, or the certificate's names are no text. */
const iswi_tls_peer *iswi_tls_peer_read(X509 *certificate, iswi_arena *arena);

/* When it expires, since 1970; 0: its date is none. */
int64_t iswi_tls_expires_s(const X509 *certificate);

#endif
