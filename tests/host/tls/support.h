/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_HOST_TLS_SUPPORT_H
#define ISW_TESTS_HOST_TLS_SUPPORT_H

/* A session of ours and a client of OpenSSL's over a pair of sockets, in one thread: each goes on
 * until neither can. */
#include "support/main.h"

#include "host/tls/session.h"

#include <openssl/ssl.h>

/* A file that tests/support/certificates made; the text stays for the next 64 calls. */
const char *tls_file(const char *name);

/* The pair NAME.pem and NAME.key. */
iswi_tls_certificate tls_certificate(const char *name);

/* What was said to `tls_hear`. */
typedef struct tls_ear {
    char text[4096];
    isw_log_level level; /* of the last line */
} tls_ear;

void tls_hear(void *user, isw_log_level level, const char *text);

/* The certificate "server", nobody asked, all said into `ear`. */
iswi_tls_options tls_options(tls_ear *ear);

typedef struct tls_pair {
    iswi_tls *tls;
    iswi_tls_session *server;
    SSL_CTX *context;
    SSL *client;
    int server_fd, client_fd;
} tls_pair;

/* The options may be NULL: those above. */
void tls_pair_begin(tls_pair *pair, const iswi_tls_options *options);
void tls_pair_end(tls_pair *pair);

/* Another connection to the same server, whose client is as `pair->context` says; a session that it
 * resumes may be given. */
void tls_pair_again(tls_pair *pair, SSL_SESSION *resumed);

/* The client shows this certificate. */
void tls_show(tls_pair *pair, const char *name);

/* Until hands are shaken or it ends; of the server's side. The client's goes on until it has read
 * what the server told it at last. */
iswi_tls_progress tls_shake(tls_pair *pair);

/* A server of these options, which are refused: with what. */
void assert_refused(const iswi_tls_options *options, const char *part);

#endif
