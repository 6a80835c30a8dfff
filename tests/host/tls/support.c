/* SPDX-License-Identifier: Apache-2.0 */
#include "host/tls/support.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char *tls_file(const char *name)
{
    static char texts[64][512];
    static unsigned next;
    char *text = texts[next++ % 64];

    snprintf(text, sizeof texts[0], "%s/%s", CERTIFICATES, name);
    return text;
}

iswi_tls_certificate tls_certificate(const char *name)
{
    char file[64];
    iswi_tls_certificate certificate;

    snprintf(file, sizeof file, "%s.pem", name);
    certificate.chain = tls_file(file);
    snprintf(file, sizeof file, "%s.key", name);
    certificate.key = tls_file(file);
    return certificate;
}

void tls_hear(void *user, isw_log_level level, const char *text)
{
    tls_ear *ear = user;
    size_t size = strlen(ear->text);

    ear->level = level;
    snprintf(ear->text + size, sizeof ear->text - size, "%s\n", text);
}

iswi_tls_options tls_options(tls_ear *ear)
{
    *ear = (tls_ear){ "", ISW_LOG_DEBUG };
    return (iswi_tls_options){ .first = tls_certificate("server"), .say = tls_hear, .user = ear };
}

void assert_refused(const iswi_tls_options *options, const char *part)
{
    isw_error error = { ISW_OK, "" };
    iswi_tls *tls;

    assert_int_equal(iswi_tls_create(options, &tls, NULL, &error), ISW_E_CONFIG);
    if (!strstr(error.message, part))
        fail_msg("\"%s\" says nothing of \"%s\"", error.message, part);
}

/* -- A pair ------------------------------------------------------------------------------------ */

void tls_pair_again(tls_pair *pair, SSL_SESSION *resumed)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    pair->server_fd = fds[0];
    pair->client_fd = fds[1];
    pair->server = iswi_tls_session_begin(pair->tls, fds[0]);
    pair->client = SSL_new(pair->context);
    assert_non_null(pair->server);
    assert_non_null(pair->client);
    if (resumed)
        assert_int_equal(SSL_set_session(pair->client, resumed), 1);
    assert_int_equal(SSL_set_fd(pair->client, fds[1]), 1);
    SSL_set_connect_state(pair->client);
}

void tls_pair_begin(tls_pair *pair, const iswi_tls_options *options)
{
    static tls_ear ear;
    iswi_tls_options standard = tls_options(&ear);
    isw_error error = { ISW_OK, "" };

    if (iswi_tls_create(options ? options : &standard, &pair->tls, NULL, &error) != ISW_OK)
        fail_msg("%s", error.message);
    pair->context = SSL_CTX_new(TLS_client_method());
    assert_int_equal(SSL_CTX_load_verify_file(pair->context, tls_file("ca.pem")), 1);
    SSL_CTX_set_verify(pair->context, SSL_VERIFY_PEER, NULL);
    tls_pair_again(pair, NULL);
}

static void end_connection(tls_pair *pair)
{
    iswi_tls_session_end(pair->server);
    SSL_free(pair->client);
    close(pair->server_fd);
    close(pair->client_fd);
}

void tls_pair_end(tls_pair *pair)
{
    end_connection(pair);
    SSL_CTX_free(pair->context);
    iswi_tls_destroy(pair->tls);
}

void tls_show(tls_pair *pair, const char *name)
{
    iswi_tls_certificate files = tls_certificate(name);

    assert_int_equal(SSL_use_certificate_file(pair->client, files.chain, SSL_FILETYPE_PEM), 1);
    assert_int_equal(SSL_use_PrivateKey_file(pair->client, files.key, SSL_FILETYPE_PEM), 1);
}

iswi_tls_progress tls_shake(tls_pair *pair)
{
    iswi_tls_progress progress = ISWI_TLS_WANTS_INPUT;
    char byte;

    for (int turn = 0; turn < 20; turn++) {
        ERR_clear_error();
        SSL_do_handshake(pair->client);
        progress = iswi_tls_handshake(pair->server);
        if (progress == ISWI_TLS_DONE || progress >= ISWI_TLS_PLAIN)
            break;
    }
    ERR_clear_error();
    SSL_do_handshake(pair->client);
    SSL_peek(pair->client, &byte, 1); /* tickets come after */
    return progress;
}
