/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers on a connection. Invariant: the next request is not read before this one is answered, and
 * never from within an answer, which may come from far down a stack that has its own work to end.
 */
#include "host/http/connection.h"

#include <inttypes.h>
#include <stdio.h>

/* -- The end of an answer ---------------------------------------------------------------------- */

/* Whether bytes have come, or may have, that were not read. */
static bool has_unread(const iswi_http_connection *connection)
{
    return connection->from < connection->to || connection->readable;
}

static void finish(iswi_http_connection *connection)
{
    iswi_http_request *request = connection->request;

    if (connection->coming == ISWI_HTTP_AT_UPLOAD)
        iswi_http_drop_rest(connection);
    iswi_http_connection_record(connection, false);
    connection->request = NULL;
    connection->going = ISWI_HTTP_SILENT;
    if (request->handed_over && !request->answered) /* whoever streams it need not go on */
        iswi_http_request_abandon(request);
    else
        iswi_http_request_done(request);
    if (connection->closed)
        return;
    if (connection->closes && connection->coming == ISWI_HTTP_WHOLE && !has_unread(connection)) {
        iswi_http_connection_close(connection);
        return;
    }
    if (connection->closes || connection->ended) {
        iswi_http_linger(connection);
        return;
    }
    if (connection->coming == ISWI_HTTP_WHOLE)
        connection->coming = ISWI_HTTP_AT_HEAD;
    if (connection->coming != ISWI_HTTP_AT_HEAD || has_unread(connection))
        iswi_http_connection_wake(connection);
    else if (!connection->turning)
        iswi_http_rest(connection);
}

/* -- Streams ----------------------------------------------------------------------------------- */

/* The answer cannot become what its head says; the client sees it cut. */
static bool cut(iswi_http_connection *connection)
{
    iswi_http_connection_close(connection);
    return false;
}

static void add_end(iswi_http_connection *connection, bool behind_a_piece)
{
    static const char end[] = "\r\n0\r\n\r\n";
    const size_t skip = behind_a_piece ? 0 : 2;

    connection->last_piece = true;
    if (connection->chunked)
        iswi_http_out_add(&connection->out, end + skip, sizeof end - 1 - skip, false);
}

static void add_piece(iswi_http_connection *connection, const struct iovec parts[2], size_t size)
{
    iswi_http_out *out = &connection->out;
    const size_t first = parts[0].iov_len < size ? parts[0].iov_len : size;

    if (size && connection->chunked)
        iswi_http_out_add(out, out->line,
                          (size_t)snprintf(out->line, sizeof out->line, "%zx\r\n", size), false);
    iswi_http_out_add(out, parts[0].iov_base, first, false);
    iswi_http_out_add(out, parts[1].iov_base, size - first, false);
    out->piece_size = size;
    if (connection->due != ISWI_HTTP_NO_LENGTH)
        connection->due -= (int64_t)size;
}

/* Whether there is a piece of the stream to be written, or its end. What is beyond the length that
 * was announced is left out. */
static bool next_piece(iswi_http_connection *connection)
{
    struct iovec parts[2];
    bool complete;
    bool ended;
    size_t there = iswi_http_stream_look(connection->request->stream, parts, &ended, &complete);
    size_t size = there < ISWI_HTTP_PIECE_BYTES ? there : ISWI_HTTP_PIECE_BYTES;
    bool over = connection->due != ISWI_HTTP_NO_LENGTH && (uint64_t)connection->due < there;

    if (over && (uint64_t)connection->due <= size)
        size = (size_t)connection->due;
    if (!there && !ended)
        return false;
    if (!there && (!complete || connection->due > 0))
        return cut(connection);
    add_piece(connection, parts, size);
    if (connection->due <= 0 && (over || (ended && complete && size == there)))
        add_end(connection, size > 0);
    else if (connection->chunked)
        iswi_http_out_add(&connection->out, "\r\n", 2, false);
    return true;
}

/* What was written of the stream is taken. False: the request is done with. */
static bool take_piece(iswi_http_connection *connection)
{
    iswi_http_request *request = connection->request;
    const size_t size = connection->out.piece_size;

    connection->out.piece_size = 0;
    if (size)
        iswi_http_stream_take(request, size);
    return !connection->closed && connection->request == request;
}

void iswi_http_pump(iswi_http_connection *connection)
{
    const uint64_t most = connection->written + ISWI_HTTP_BYTES_AT_ONCE;

    connection->paused = false;
    for (;;) {
        switch (iswi_http_flush(connection, most)) {
        case ISWI_HTTP_BROKEN:
            iswi_http_connection_close(connection);
            return;
        case ISWI_HTTP_PAUSED:
            connection->paused = true;
            iswi_http_connection_yield(connection);
            return;
        case ISWI_HTTP_BLOCKED:
            return;
        case ISWI_HTTP_FLUSHED:
            break;
        }
        if (!connection->request || !take_piece(connection))
            return;
        if (connection->going != ISWI_HTTP_STREAMS || connection->last_piece) {
            finish(connection);
            return;
        }
        if (!next_piece(connection))
            return;
    }
}

/* -- Its begin --------------------------------------------------------------------------------- */

/* What its head says of the body and of the connection, and what becomes of both. */
static const char *decide(iswi_http_connection *connection, const iswi_http_reply *reply,
                          bool head_alone)
{
    const iswi_http1_head *head = &connection->head;
    const bool endless = reply->streams && reply->length == ISWI_HTTP_NO_LENGTH && !head_alone;

    connection->chunked = endless && head->minor > 0;
    connection->due = reply->streams ? reply->length : ISWI_HTTP_NO_LENGTH;
    connection->closes = connection->closes || connection->request->last || !head->keep_alive ||
                         connection->http->quiescing || connection->http->leaving ||
                         (endless && head->minor == 0);
    if (connection->closes)
        return "close";
    return head->minor == 0 ? "keep-alive" : NULL;
}

static void answer(iswi_http_request *request)
{
    iswi_http_connection *connection = request->carried_by;
    iswi_http_loop *loop = connection->loop;
    iswi_http_reply *reply = &request->reply;
    iswi_http_out *out = &connection->out;
    const bool head_alone = iswi_http_wants_head(request);
    const char *says;

    if (connection->coming == ISWI_HTTP_AT_UPLOAD && !reply->streams)
        iswi_http_drop_rest(connection);
    says = decide(connection, reply, head_alone);
    iswi_http_request_name_reply(request);
    iswi_buffer_reset(&loop->head);
    if (!reply->status || connection->closed ||
        !iswi_http_head_write(&loop->head, reply, iswi_http_loop_date(loop), connection->chunked,
                              says)) {
        iswi_http_connection_close(connection); /* memory is out */
        return;
    }
    iswi_http_count_answer(connection->http, reply->status);
    connection->sent = 0;
    connection->head_size = loop->head.size;
    iswi_http_out_add(out, loop->head.data, loop->head.size, true);
    iswi_http_out_add(out, reply->body.data, reply->body.size, !reply->release);
    out->release = reply->release;
    out->release_user = reply->release_user;
    reply->release = NULL;
    connection->last_piece = false;
    connection->going = reply->streams && !head_alone ? ISWI_HTTP_STREAMS : ISWI_HTTP_ANSWERS;
    iswi_http_pump(connection);
}

static void go_on(iswi_http_request *request)
{
    iswi_http_connection *connection = request->carried_by;

    if (connection->going == ISWI_HTTP_STREAMS && !connection->out.count)
        iswi_http_pump(connection);
}

static void widen(iswi_http_request *request)
{
    iswi_http_connection_wake(request->carried_by);
}

const iswi_http_carrier iswi_http_connection_carrier = { answer, go_on, widen, false };

void iswi_http_answer_here(iswi_http_connection *connection)
{
    if (connection->coming == ISWI_HTTP_AT_HEAD)
        iswi_http_drop_rest(connection);
    if (!connection->closed)
        answer(connection->request);
}

void iswi_http_refuse(iswi_http_connection *connection, int status, const char *detail)
{
    iswi_http_request *request = connection->request;

    if (!request)
        request = iswi_http_request_create(connection->loop, &iswi_http_connection_carrier,
                                           connection);
    if (!request) {
        iswi_http_connection_close(connection);
        return;
    }
    connection->request = request;
    connection->closes = true;
    connection->coming = ISWI_HTTP_LINGERS;
    iswi_http_set_problem(request, status, NULL, detail, NULL);
    iswi_http_answer_here(connection);
}

void iswi_http_refuse_connection(iswi_http_connection *connection)
{
    iswi_http_refuse(connection, 503, "The server has as many connections as it takes.");
}
