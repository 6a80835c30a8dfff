/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are handed on as they come, to a request that was handed over with its head.
 * Invariant: what lies in connection->piece is passed before any more is read. */
#include "host/http/connection.h"

enum { RETRY_NS = 1000000, TRIES_MOST = 1000 };

void iswi_http_begin_upload(iswi_http_connection *connection)
{
    iswi_http_request *request = connection->request;

    if (!iswi_http_stream_upload(request)) {
        iswi_http_refuse(connection, 503, iswi_http_no_memory);
        return;
    }
    if (!iswi_http_part_from_head(connection))
        return;
    connection->coming = ISWI_HTTP_AT_UPLOAD;
    connection->body_ended = false;
    connection->piece = (isw_bytes){ NULL, 0 };
    connection->tries = 0;
    iswi_http1_body_begin(&connection->body, &connection->head, INT64_MAX);
    iswi_http_hand_over(request);
}

/* Who was told may have answered, and the request be done with. */
static bool goes_on(iswi_http_connection *connection, iswi_http_request *request)
{
    const bool same = !connection->closed && connection->request == request &&
                      connection->coming == ISWI_HTTP_AT_UPLOAD;

    iswi_http_request_unlook(request);
    return same;
}

/* What the other side did not take, it is asked again to. */
static bool try_again(iswi_http_connection *connection)
{
    if (++connection->tries > TRIES_MOST)
        iswi_http_connection_close(connection);
    else
        iswi_http_connection_set_phase(connection, ISWI_HTTP_RETRYING, RETRY_NS);
    return false;
}

static bool pass(iswi_http_connection *connection)
{
    iswi_http_request *request = connection->request;
    isw_bytes *piece = &connection->piece;
    isw_status status;
    size_t taken;

    iswi_http_request_look(request);
    status = iswi_http_stream_pass(request, *piece, &taken);
    if (!goes_on(connection, request))
        return true;
    if (status == ISW_E_BUSY)
        return try_again(connection);
    if (status != ISW_OK) {
        iswi_http_connection_close(connection);
        return false;
    }
    connection->tries = 0;
    connection->phase = ISWI_HTTP_FREE; /* without a window it is the function's turn */
    piece->data = (const char *)piece->data + taken;
    piece->size -= taken;
    return taken > 0;
}

static bool end_upload(iswi_http_connection *connection)
{
    iswi_http_request *request = connection->request;
    isw_status status;

    iswi_http_request_look(request);
    status = iswi_http_stream_whole(request);
    if (!goes_on(connection, request))
        return true;
    if (status == ISW_E_BUSY)
        return try_again(connection);
    connection->phase = ISWI_HTTP_FREE;
    connection->coming = ISWI_HTTP_WHOLE;
    return true;
}

/* The request was handed over: whoever has it hears that its body breaks off, and the client what
 * was wrong, unless the answer to it has begun. */
static void refuse_upload(iswi_http_connection *connection)
{
    const iswi_http1_refusal refusal = connection->body.refusal;
    iswi_http_request *request = connection->request;

    if (connection->going != ISWI_HTTP_SILENT) {
        iswi_http_connection_close(connection);
        return;
    }
    connection->request = NULL;
    iswi_http_request_abandon(request);
    iswi_http_refuse(connection, refusal.status, NULL);
}

/* Nothing is there. What the client holds back is asked for when the function reads. */
static bool wait(iswi_http_connection *connection)
{
    if (connection->head.expects_continue && connection->request->stream->wanted)
        iswi_http_ask_for_body(connection);
    if (connection->closed)
        return false;
    if (!connection->head.expects_continue)
        iswi_http_connection_set_phase(connection, ISWI_HTTP_DUE_BODY,
                                       connection->http->terms->body_ns);
    else if (connection->phase != ISWI_HTTP_ASKING)
        iswi_http_connection_set_phase(connection, ISWI_HTTP_ASKING,
                                       ISWI_HTTP_ASK_NS);
    return false;
}

bool iswi_http_read_upload(iswi_http_connection *connection)
{
    iswi_http_block *raw = connection->input;
    iswi_http1_result result;
    size_t used;

    if (connection->piece.size)
        return pass(connection);
    if (connection->body_ended)
        return end_upload(connection);
    if (connection->from == connection->to && connection->ended) {
        iswi_http_connection_close(connection); /* the rest will never come */
        return false;
    }
    if (connection->from == connection->to && !connection->readable)
        return wait(connection);
    if (connection->from == connection->to) {
        connection->from = 0;
        connection->to = iswi_http_fill(connection, raw->bytes, raw->size);
        return connection->to > 0 || !connection->closed;
    }
    connection->head.expects_continue = false; /* it did not wait */
    result = iswi_http1_body_read(&connection->body, raw->bytes + connection->from,
                                  connection->to - connection->from, &used, &connection->piece);
    connection->from += used;
    connection->body_ended = result == ISWI_HTTP1_DONE;
    if (result == ISWI_HTTP1_REFUSED)
        refuse_upload(connection);
    return !connection->closed;
}
