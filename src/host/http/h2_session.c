/* SPDX-License-Identifier: Apache-2.0 */
/* A connection that speaks HTTP/2: bytes in, bytes out, and its times. Invariant: nothing is read
 * while what was written before waits for the client. */
#include "host/http/h2.h"

#include "base/alloc.h"

#include <errno.h>

enum { READ_BYTES = 64 * 1024, OUT_BYTES = 64 * 1024, FRAME_BYTES = 16 * 1024 + 9 };

/* -- Begin ------------------------------------------------------------------------------------- */

iswi_h2_guess iswi_h2_guess_of(const char *bytes, size_t size)
{
    const size_t least = size < NGHTTP2_CLIENT_MAGIC_LEN ? size : NGHTTP2_CLIENT_MAGIC_LEN;

    if (memcmp(bytes, NGHTTP2_CLIENT_MAGIC, least) != 0)
        return ISWI_H2_NO;
    return least == NGHTTP2_CLIENT_MAGIC_LEN ? ISWI_H2_YES : ISWI_H2_PERHAPS;
}

static void give_to_session(iswi_h2 *h2, const char *bytes, size_t size)
{
    if (nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes, size) < 0)
        iswi_http_connection_close(h2->connection);
}

void iswi_h2_begin(iswi_http_connection *connection)
{
    iswi_h2 *h2 = iswi_calloc(1, sizeof *h2);

    if (h2) {
        h2->connection = connection;
        h2->loop = connection->loop;
        h2->carrier = &iswi_h2_carrier;
        h2->gather_most = connection->http->terms->body_limit_bytes;
        iswi_h2_budgets_begin(h2);
        h2->session = iswi_h2_session_new(h2);
    }
    if (h2 && h2->session) {
        connection->h2 = h2;
        connection->coming = ISWI_HTTP_IN_FRAMES;
        h2->quiet_ns = iswi_reactor_now_ns(h2->loop->reactor) + connection->http->terms->header_ns;
        iswi_h2_remind(h2, h2->quiet_ns);
        if (connection->from < connection->to)
            give_to_session(h2, connection->input->bytes + connection->from,
                            connection->to - connection->from);
    } else {
        iswi_free(h2);
        iswi_http_connection_close(connection);
    }
    iswi_http_loop_give(connection->loop, connection->input);
    connection->input = NULL;
    connection->from = connection->to = 0;
}

/* Have the client go elsewhere once its streams are answered. Where another host answers the rest,
 * those that it began before it heard so are served, too: its answer to a ping comes behind them
 * (RFC 9113, section 6.8). */
static void leave(iswi_h2 *h2)
{
    if (h2->connection->http->quiescing) {
        iswi_h2_go_away(h2);
    } else if (!h2->leaves) {
        h2->leaves = true;
        nghttp2_submit_shutdown_notice(h2->session);
        nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL);
    }
}

/* All is said, or one of us has said that nothing follows: the client gets to read it. */
static void finish(iswi_h2 *h2)
{
    iswi_h2_end(h2);
    iswi_http_linger(h2->connection);
}

/* -- Times ------------------------------------------------------------------------------------- */

/* When the connection has waited too long for its client, for whatever it waits. */
static int64_t due_of(const iswi_h2 *h2)
{
    int64_t at_ns = h2->count ? INT64_MAX : h2->quiet_ns;

    if (h2->in_head && h2->head_ns < at_ns)
        at_ns = h2->head_ns;
    if (h2->blocked && h2->stall_ns < at_ns)
        at_ns = h2->stall_ns;
    return at_ns;
}

void iswi_h2_due(iswi_http_connection *connection)
{
    iswi_h2 *h2 = connection->h2;
    const int64_t now_ns = iswi_reactor_now_ns(h2->loop->reactor);
    int64_t next_ns = due_of(h2);

    if (next_ns <= now_ns && !h2->blocked && !h2->in_head) {
        nghttp2_session_terminate_session(h2->session, NGHTTP2_NO_ERROR);
        iswi_h2_wake(h2);
        return;
    }
    if (next_ns <= now_ns) {
        iswi_http_connection_close(connection);
        return;
    }
    for (iswi_h2_stream *stream = h2->streams; stream && !connection->closed;
         stream = stream->next) {
        if (stream->due_ns <= now_ns)
            iswi_h2_stream_due(stream);
        if (stream->due_ns < next_ns)
            next_ns = stream->due_ns;
    }
    if (connection->closed)
        return;
    if (next_ns != INT64_MAX)
        iswi_h2_remind(h2, next_ns);
    iswi_h2_wake(h2);
}

/* -- Bytes ------------------------------------------------------------------------------------- */

/* Take what nghttp2 has to say, as far as there is room. False: the connection is closed. */
static bool gather(iswi_h2 *h2)
{
    while (h2->from == h2->to || h2->out->size - h2->to >= FRAME_BYTES) {
        const uint8_t *bytes;
        ssize_t size = nghttp2_session_mem_send(h2->session, &bytes);

        if (size > 0 && !h2->out)
            h2->out = iswi_http_loop_take(h2->loop, OUT_BYTES);
        if (size < 0 || (size > 0 && (!h2->out || (size_t)size > h2->out->size - h2->to))) {
            iswi_http_connection_close(h2->connection);
            return false;
        }
        if (!size)
            break;
        memcpy(h2->out->bytes + h2->to, bytes, (size_t)size);
        h2->to += (size_t)size;
    }
    return true;
}

/* Write it. False: the client takes no more now, or is gone. */
static bool send_out(iswi_h2 *h2)
{
    iswi_http_connection *connection = h2->connection;

    while (h2->from < h2->to) {
        struct iovec part = { h2->out->bytes + h2->from, h2->to - h2->from };
        ssize_t sent = iswi_http_transport_write(connection, &part, 1);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN) {
            iswi_http_connection_close(connection);
            return false;
        }
        if (sent > 0 || !h2->blocked) {
            h2->stall_ns =
                iswi_reactor_now_ns(h2->loop->reactor) + connection->http->terms->body_ns;
            h2->blocked = sent < 0;
        }
        if (sent < 0) {
            iswi_h2_remind(h2, h2->stall_ns);
            return false;
        }
        h2->from += (size_t)sent;
    }
    h2->blocked = false;
    h2->from = h2->to = 0;
    return true;
}

/* Write all there is, unless it is more than is written at once. False: see above, or it goes on
 * once others had their turn. */
static bool flush(iswi_h2 *h2)
{
    iswi_http_connection *connection = h2->connection;
    const uint64_t most = connection->written + ISWI_HTTP_BYTES_AT_ONCE;

    do {
        if (connection->written >= most) {
            iswi_http_connection_yield(connection);
            return false;
        }
        if (!gather(h2))
            return false;
    } while (h2->from < h2->to && send_out(h2));
    if (h2->from < h2->to || h2->connection->closed)
        return false;
    iswi_http_loop_give(h2->loop, h2->out);
    h2->out = NULL;
    return true;
}

bool iswi_h2_read(iswi_http_connection *connection)
{
    iswi_h2 *h2 = connection->h2;
    iswi_http_block *block;
    size_t size;

    if (connection->http->quiescing || connection->http->leaving)
        leave(h2);
    iswi_h2_settle(h2);
    if (connection->closed || !flush(h2))
        return false;
    if (h2->noted)
        return true;
    if (!nghttp2_session_want_read(h2->session) && !nghttp2_session_want_write(h2->session)) {
        finish(h2);
        return true;
    }
    if (!h2->count)
        iswi_h2_remind(h2, h2->quiet_ns);
    if (!connection->readable)
        return false;
    block = iswi_http_loop_take(h2->loop, READ_BYTES);
    if (!block) {
        iswi_http_connection_close(connection);
        return false;
    }
    size = iswi_http_fill(connection, block->bytes, block->size);
    if (size)
        give_to_session(h2, block->bytes, size);
    iswi_http_loop_give(h2->loop, block);
    return !connection->closed;
}

void iswi_h2_write(iswi_http_connection *connection)
{
    if (connection->coming == ISWI_HTTP_IN_FRAMES && connection->h2->from < connection->h2->to)
        flush(connection->h2);
}
