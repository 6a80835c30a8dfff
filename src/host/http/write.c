/* SPDX-License-Identifier: Apache-2.0 */
/* Writing, as far as the socket takes it. Invariant: what is there only while it is handed over was
 * written or copied when iswi_http_flush returns. */
#include "host/http/connection.h"

#include <errno.h>
#include <stddef.h>

/* Write as much of it as is written at once: over TLS each byte takes its time, and a client that
 * reads as fast would keep us from the others. */
static ssize_t write_some(iswi_http_connection *connection)
{
    const iswi_http_out *out = &connection->out;
    struct iovec parts[sizeof out->parts / sizeof out->parts[0]];
    size_t left = ISWI_HTTP_BYTES_AT_ONCE;
    unsigned count = 0;

    for (unsigned i = out->first; i < out->count && left; i++) {
        struct iovec *part = &parts[count++];

        *part = out->parts[i];
        if (part->iov_len > left)
            part->iov_len = left;
        left -= part->iov_len;
    }
    return iswi_http_transport_write(connection, parts, count);
}

static void cut(iswi_http_waiting *waiting)
{
    char *out = (char *)waiting - offsetof(iswi_http_out, waiting);

    iswi_http_connection_close((iswi_http_connection *)(out - offsetof(iswi_http_connection, out)));
}

static void count_waiting(iswi_http_connection *connection)
{
    iswi_http_out *out = &connection->out;
    size_t size = 0;

    for (unsigned i = out->first; i < out->count; i++)
        size += out->parts[i].iov_len;
    if (connection->going == ISWI_HTTP_STREAMS)
        size = ISWI_WINDOW_BYTES; /* where its pieces lie */
    out->waiting.cut = cut;
    iswi_http_wait_for_client(connection->loop, &out->waiting, size);
}

/* What passes is kept; the time of what is stalled is over, since it moved. */
static iswi_http_flushed let_others_write(iswi_http_connection *connection)
{
    if (!iswi_http_out_keep(connection))
        return ISWI_HTTP_BROKEN;
    if (connection->phase == ISWI_HTTP_STALLED)
        connection->phase = ISWI_HTTP_FREE;
    return ISWI_HTTP_PAUSED;
}

iswi_http_flushed iswi_http_flush(iswi_http_connection *connection, uint64_t most)
{
    iswi_http_out *out = &connection->out;
    bool moved = connection->phase != ISWI_HTTP_STALLED;

    while (out->first < out->count) {
        ssize_t sent;

        if (connection->written >= most)
            return let_others_write(connection);
        sent = write_some(connection);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno != EAGAIN || !iswi_http_out_keep(connection)))
            return ISWI_HTTP_BROKEN;
        if (sent < 0)
            count_waiting(connection);
        if (sent < 0 && moved)
            iswi_http_connection_set_phase(connection, ISWI_HTTP_STALLED,
                                           connection->http->terms->body_ns);
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
