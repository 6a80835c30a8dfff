/* SPDX-License-Identifier: Apache-2.0 */
/* Writing, as far as the socket takes it. Invariant: what is there only while it is handed over was
 * written or copied when iswi_http_flush returns. */
#include "host/http/connection.h"

#include <errno.h>

iswi_http_flushed iswi_http_flush(iswi_http_connection *connection)
{
    iswi_http_out *out = &connection->out;
    bool moved = connection->phase != ISWI_HTTP_STALLED;

    while (out->first < out->count) {
        ssize_t sent = iswi_http_transport_write(connection, out->parts + out->first,
                                                 out->count - out->first);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno != EAGAIN || !iswi_http_out_keep(connection)))
            return ISWI_HTTP_BROKEN;
        if (sent < 0 && moved)
            iswi_http_connection_set_phase(connection, ISWI_HTTP_STALLED,
                                           connection->http->body_ns);
        if (sent < 0)
            return ISWI_HTTP_BLOCKED;
        moved = moved || sent > 0;
        connection->sent += (uint64_t)sent;
        iswi_http_out_advance(out, (size_t)sent);
    }
    iswi_http_out_drop(connection);
    if (connection->phase == ISWI_HTTP_STALLED)
        connection->phase = ISWI_HTTP_FREE;
    return ISWI_HTTP_FLUSHED;
}

void iswi_http_ask_for_body(iswi_http_connection *connection)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct iovec part = { (void *)line, sizeof line - 1 };

    if (!connection->head.expects_continue)
        return;
    connection->head.expects_continue = false;
    if (connection->from == connection->to &&
        iswi_http_transport_write(connection, &part, 1) != (ssize_t)part.iov_len)
        iswi_http_connection_close(connection); /* nothing was written before: there was room */
}
