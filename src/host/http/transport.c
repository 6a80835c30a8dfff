/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to and from the socket: the one place that knows what they go over. */
#include "host/http/connection.h"

#include <sys/socket.h>
#include <unistd.h>

ssize_t iswi_http_transport_read(iswi_http_connection *connection, void *bytes, size_t size)
{
    if (connection->tls)
        return iswi_tls_read(connection->tls, bytes, size);
    return recv(connection->watch.fd, bytes, size, 0);
}

ssize_t iswi_http_transport_write(iswi_http_connection *connection, const struct iovec *parts,
                                  unsigned count)
{
    const struct msghdr message = { .msg_iov = (struct iovec *)parts, .msg_iovlen = count };
    const ssize_t sent = connection->tls
                             ? iswi_tls_write(connection->tls, parts, (int)count)
                             : sendmsg(connection->watch.fd, &message, MSG_NOSIGNAL);

    if (sent > 0)
        connection->written += (uint64_t)sent;
    return sent;
}

ssize_t iswi_http_transport_take_raw(iswi_http_connection *connection, void *bytes, size_t size,
                                     bool only_look)
{
    return recv(connection->watch.fd, bytes, size, only_look ? MSG_PEEK : 0);
}

void iswi_http_transport_end(iswi_http_connection *connection)
{
    if (connection->tls)
        iswi_tls_finish(connection->tls); /* if there is room: a length has told the end already */
    shutdown(connection->watch.fd, SHUT_WR);
}

void iswi_http_transport_close(iswi_http_connection *connection)
{
    if (connection->tls)
        iswi_tls_finish(connection->tls);
    iswi_tls_session_end(connection->tls);
    connection->tls = NULL;
    close(connection->watch.fd);
}
