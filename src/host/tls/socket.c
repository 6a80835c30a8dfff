/* SPDX-License-Identifier: Apache-2.0 */
/* A connected socket as a BIO. OpenSSL's own writes without MSG_NOSIGNAL, so that a client that has
 * left would end a program which leaves SIGPIPE as it is; and this one looks at the first byte. */
#include "host/tls/internal.h"

#include <errno.h>
#include <sys/socket.h>

/* A record begins with its type: 22, a handshake, or in the framing of SSL 2 a length of which the
 * first bit is set. The methods of HTTP are letters. */
static bool is_text(unsigned char first)
{
    return (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z');
}

static bool try_again(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static int socket_read(BIO *bio, char *to, int size)
{
    iswi_tls_socket *socket = BIO_get_data(bio);
    ssize_t got;

    BIO_clear_retry_flags(bio);
    if (size <= 0 || socket->plain)
        return -1;
    got = recv(socket->fd, to, (size_t)size, MSG_DONTWAIT);
    if (got < 0 && try_again(errno))
        BIO_set_retry_read(bio);
    socket->dry = got < size;
    if (got == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    if (got > 0 && !socket->begun) {
        socket->begun = true;
        socket->plain = is_text((unsigned char)to[0]);
        if (socket->plain)
            return -1;
    }
    return (int)got;
}

static int socket_write(BIO *bio, const char *from, int size)
{
    iswi_tls_socket *socket = BIO_get_data(bio);
    ssize_t written;

    BIO_clear_retry_flags(bio);
    if (size <= 0 || socket->plain)
        return -1;
    written = send(socket->fd, from, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written < 0 && try_again(errno))
        BIO_set_retry_write(bio);
    return (int)written;
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return command == BIO_CTRL_FLUSH;
}

static int socket_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *iswi_tls_socket_kind(void)
{
    BIO_METHOD *kind = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "isoworker socket");

    if (kind && BIO_meth_set_read(kind, socket_read) && BIO_meth_set_write(kind, socket_write) &&
        BIO_meth_set_ctrl(kind, socket_control) && BIO_meth_set_create(kind, socket_create))
        return kind;
    BIO_meth_free(kind);
    return NULL;
}
