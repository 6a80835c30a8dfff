/* SPDX-License-Identifier: Apache-2.0 */
/* What comes and is not wanted: the rest of a body behind an early answer, or all that follows on a
 * connection that ends. It is read, so that the client gets to read its answer. */
#include "host/http/connection.h"

enum { SMALL_BYTES = 256 * 1024, LINGER_BYTES = 64 * 1024 * 1024 };

static const int64_t linger_ns = INT64_C(5000000000);

/* Whether the rest is not worth to end the connection for. A client that still holds its body back
 * may send it or not. */
static bool is_small(const iswi_http_connection *connection)
{
    const iswi_http1_head *head = &connection->head;

    return !head->expects_continue &&
           (head->framing == ISWI_HTTP1_CHUNKED || connection->body.left <= SMALL_BYTES);
}

void iswi_http_drop_rest(iswi_http_connection *connection)
{
    const bool has_read = connection->coming == ISWI_HTTP_AT_UPLOAD;

    connection->dropped = 0;
    connection->piece = (isw_bytes){ NULL, 0 };
    if (connection->head.framing == ISWI_HTTP1_NO_BODY ||
        (has_read && connection->body_ended)) {
        connection->coming = ISWI_HTTP_WHOLE;
        return;
    }
    if (!has_read)
        iswi_http1_body_begin(&connection->body, &connection->head, INT64_MAX);
    connection->coming = ISWI_HTTP_DROPS;
    connection->closes = connection->closes || !is_small(connection);
}

void iswi_http_linger(iswi_http_connection *connection)
{
    connection->coming = ISWI_HTTP_LINGERS;
    if (connection->ended) {
        iswi_http_connection_close(connection);
        return;
    }
    iswi_http_transport_end(connection);
    iswi_http_connection_set_phase(connection, ISWI_HTTP_ENDING, linger_ns);
    iswi_http_connection_wake(connection);
}

/* The body that is dropped ends here: what follows is the next request. */
static bool reach_end(iswi_http_connection *connection)
{
    connection->coming =
        connection->going == ISWI_HTTP_SILENT ? ISWI_HTTP_AT_HEAD : ISWI_HTTP_WHOLE;
    connection->phase = ISWI_HTTP_FREE;
    return true;
}

/* Take what was read for no more than a part of the body, if its end is still looked for. */
static bool drop(iswi_http_connection *connection)
{
    size_t used = connection->to - connection->from;
    iswi_http1_result result = ISWI_HTTP1_MORE;
    isw_bytes piece;

    if (connection->coming == ISWI_HTTP_DROPS)
        result = iswi_http1_body_read(&connection->body,
                                      connection->input->bytes + connection->from, used, &used,
                                      &piece);
    connection->from += used;
    connection->dropped += used;
    if (result == ISWI_HTTP1_DONE)
        return reach_end(connection);
    if (connection->coming == ISWI_HTTP_DROPS &&
        (result == ISWI_HTTP1_REFUSED || connection->dropped > SMALL_BYTES)) {
        connection->closes = true;
        connection->coming = ISWI_HTTP_LINGERS;
        if (connection->going == ISWI_HTTP_SILENT)
            iswi_http_linger(connection);
    }
    if (connection->dropped > LINGER_BYTES)
        iswi_http_connection_close(connection);
    return !connection->closed;
}

bool iswi_http_read_rest(iswi_http_connection *connection)
{
    if (connection->from < connection->to)
        return drop(connection);
    if (!connection->readable) {
        if (connection->coming == ISWI_HTTP_DROPS && connection->going == ISWI_HTTP_SILENT &&
            connection->phase != ISWI_HTTP_DUE_BODY)
            iswi_http_connection_set_phase(connection, ISWI_HTTP_DUE_BODY,
                                           connection->http->terms->body_ns);
        return false;
    }
    if (connection->input && connection->request && !connection->request->blocks[0] &&
        !iswi_http_part_from_head(connection))
        return false; /* the head is still needed */
    if (!connection->input)
        connection->input = iswi_http_loop_take(connection->loop, ISWI_HTTP_PIECE_BYTES);
    if (!connection->input) {
        iswi_http_connection_close(connection);
        return false;
    }
    connection->from = 0;
    connection->to = iswi_http_fill(connection, connection->input->bytes, connection->input->size);
    return connection->to > 0;
}
