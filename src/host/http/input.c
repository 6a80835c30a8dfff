/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from the socket, and the memory where it lies. */
#include "host/http/connection.h"

#include <errno.h>

enum { READ_MOST_BYTES = 256 * 1024 }; /* at once: a socket may hold megabytes */

size_t iswi_http_fill(iswi_http_connection *connection, char *bytes, size_t size)
{
    ssize_t got;

    if (size > READ_MOST_BYTES)
        size = READ_MOST_BYTES;
    do
        got = iswi_http_transport_read(connection, bytes, size);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        /* The next bytes, or the end, are an event of their own; but TLS reads ahead. */
        connection->readable = (size_t)got == size || connection->half_closed ||
                               (connection->tls && iswi_tls_has_input(connection->tls));
        connection->read += (uint64_t)got;
        return (size_t)got;
    }
    connection->readable = false;
    if (got < 0 && errno == EAGAIN)
        return 0;
    connection->ended = true;
    if (got < 0 || connection->going == ISWI_HTTP_SILENT)
        iswi_http_connection_close(connection);
    return 0;
}

bool iswi_http_make_room(iswi_http_connection *connection)
{
    iswi_http_block *old = connection->input;
    const size_t size = connection->to - connection->from;
    iswi_http_block *block;

    if (old && connection->from == connection->to)
        connection->from = connection->to = 0;
    if (old && connection->to < old->size)
        return true;
    if (old && connection->from) {
        memmove(old->bytes, old->bytes + connection->from, size);
    } else {
        block = iswi_http_loop_take(connection->loop, old ? 2 * old->size : 0);
        if (!block)
            return false;
        if (old)
            memcpy(block->bytes, old->bytes, size);
        iswi_http_loop_give(connection->loop, old);
        connection->input = block;
    }
    connection->from = 0;
    connection->to = size;
    return true;
}

void iswi_http_rest(iswi_http_connection *connection)
{
    const iswi_http *http = connection->http;
    const bool begun = connection->request && iswi_http1_head_has_begun(&connection->head);

    if (connection->from == connection->to && !connection->request) {
        iswi_http_loop_give(connection->loop, connection->input);
        connection->input = NULL;
        connection->from = connection->to = 0;
    }
    if (connection->phase == ISWI_HTTP_DUE_HEAD)
        return;
    if (begun)
        iswi_http_connection_set_phase(connection, ISWI_HTTP_DUE_HEAD, http->terms->header_ns);
    else if (connection->phase != ISWI_HTTP_IDLE)
        iswi_http_connection_set_phase(connection, ISWI_HTTP_IDLE, http->terms->idle_ns);
}

bool iswi_http_part_from_head(iswi_http_connection *connection)
{
    iswi_http_block *block = iswi_http_loop_take(connection->loop, ISWI_HTTP_PIECE_BYTES);
    const size_t size = connection->to - connection->from;

    if (!block) {
        iswi_http_connection_close(connection);
        return false;
    }
    memcpy(block->bytes, connection->input->bytes + connection->from, size);
    connection->request->blocks[0] = connection->input;
    connection->input = block;
    connection->from = 0;
    connection->to = size;
    return true;
}
