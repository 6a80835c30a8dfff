/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are gathered before anybody hears of the request: behind the head where there is
 * room, else in a block of their own. Memory is taken as bytes come, not as they are announced. */
#include "host/http/connection.h"

enum { BEGIN_MOST_BYTES = 1024 * 1024 };

static const char too_large[] = "The body is over the limit.";
static const char no_room[] = "There is no memory for the body now.";

/* What to take where `size` bytes need room, of a body of at most `most`: more each time, so that
 * it is not copied often. */
static size_t with_room_to_grow(const iswi_http_connection *connection, size_t size, size_t most)
{
    const iswi_http_block *block = connection->request->blocks[1];
    const size_t twice = block ? 2 * block->size : 0;

    most = size < most ? most : size;
    return twice <= size ? size : twice < most ? twice : most;
}

/* Room for `size` bytes of body; false: there is none, and the request is refused. */
static bool reserve(iswi_http_connection *connection, size_t size)
{
    iswi_http_request *request = connection->request;
    iswi_http_block *old = request->blocks[1];
    iswi_http_block *block;

    if (old && size <= old->size)
        return true;
    block = iswi_http_body_take(connection->loop, size, old);
    if (!block) {
        iswi_http_refuse(connection, 503, no_room);
        return false;
    }
    if (request->data.body.size)
        memcpy(block->bytes, request->data.body.data, request->data.body.size);
    iswi_http_loop_give(connection->loop, old);
    request->blocks[1] = block;
    request->data.body.data = block->bytes;
    return true;
}

static bool append(iswi_http_connection *connection, isw_bytes piece)
{
    iswi_http_request *request = connection->request;
    const iswi_http_block *block = request->blocks[1];
    const size_t most = (size_t)connection->http->terms->body_limit_bytes;
    const size_t size = request->data.body.size + piece.size;

    if (!piece.size)
        return true;
    if ((!block || size > block->size) &&
        !reserve(connection, with_room_to_grow(connection, size, most)))
        return false;
    memcpy(request->blocks[1]->bytes + request->data.body.size, piece.data, piece.size);
    request->data.body.size = size;
    return true;
}

static bool is_whole(iswi_http_connection *connection)
{
    connection->coming = ISWI_HTTP_WHOLE;
    connection->phase = ISWI_HTTP_FREE;
    iswi_http_hand_over(connection->request);
    return true;
}

static bool wait(iswi_http_connection *connection)
{
    if (connection->phase != ISWI_HTTP_DUE_BODY)
        iswi_http_connection_set_phase(connection, ISWI_HTTP_DUE_BODY,
                                       connection->http->terms->body_ns);
    return false;
}

/* ---- with a length ---- */

/* What came with the head stays there if all of it will fit. */
static void begin_length(iswi_http_connection *connection)
{
    isw_bytes *body = &connection->request->data.body;
    const size_t length = (size_t)connection->head.content_length;
    size_t there = connection->to - connection->from;
    const char *begin = connection->input->bytes + connection->from;

    there = there < length ? there : length;
    if (connection->from + length <= connection->input->size)
        *body = (isw_bytes){ begin, there };
    else if (!reserve(connection, length < BEGIN_MOST_BYTES ? length : BEGIN_MOST_BYTES) ||
             !append(connection, (isw_bytes){ begin, there }))
        return;
    connection->from += there;
}

static bool read_length(iswi_http_connection *connection)
{
    iswi_http_request *request = connection->request;
    isw_bytes *body = &request->data.body;
    const size_t length = (size_t)connection->head.content_length;
    size_t room = length - body->size;
    const iswi_http_block *block = request->blocks[1];

    if (!room)
        return is_whole(connection);
    if (!connection->readable)
        return wait(connection);
    if (block && body->size == block->size &&
        !reserve(connection, with_room_to_grow(connection, body->size + 1, length)))
        return !connection->closed;
    block = request->blocks[1];
    if (block && room > block->size - body->size)
        room = block->size - body->size;
    room = iswi_http_fill(connection, (char *)body->data + body->size, room);
    if (!room)
        return false; /* the next turn waits, if there is one */
    body->size += room;
    if (!block)
        connection->from = connection->to += room;
    return true;
}

/* ---- in chunks ---- */

static bool read_chunks(iswi_http_connection *connection)
{
    const iswi_http1_refusal *refusal = &connection->body.refusal;
    iswi_http_block *raw = connection->input;
    iswi_http1_result result;
    isw_bytes piece;
    size_t used;

    if (connection->from == connection->to) {
        if (!connection->readable)
            return wait(connection);
        connection->from = 0;
        connection->to = iswi_http_fill(connection, raw->bytes, raw->size);
        return connection->to > 0;
    }
    result = iswi_http1_body_read(&connection->body, raw->bytes + connection->from,
                                  connection->to - connection->from, &used, &piece);
    connection->from += used;
    if (result == ISWI_HTTP1_REFUSED)
        iswi_http_refuse(connection, refusal->status,
                         refusal->status == 413
                             ? too_large
                             : iswi_http1_refusal_text(refusal, &connection->request->arena));
    else if (append(connection, piece) && result == ISWI_HTTP1_DONE)
        is_whole(connection);
    return !connection->closed;
}

/* -- Both -------------------------------------------------------------------------------------- */

bool iswi_http_read_body(iswi_http_connection *connection)
{
    return connection->head.framing == ISWI_HTTP1_LENGTH ? read_length(connection)
                                                         : read_chunks(connection);
}

void iswi_http_begin_body(iswi_http_connection *connection)
{
    iswi_http_request *request = connection->request;
    const iswi_http1_head *head = &connection->head;
    const iswi_http *http = connection->http;

    if (head->framing == ISWI_HTTP1_NO_BODY) {
        is_whole(connection);
        return;
    }
    if (iswi_http_comes_in_pieces(request)) {
        iswi_http_begin_upload(connection);
        return;
    }
    if (head->content_length > http->terms->body_limit_bytes) {
        iswi_http_refuse(connection, 413, too_large);
        return;
    }
    connection->coming = ISWI_HTTP_AT_BODY;
    iswi_http_ask_for_body(connection);
    if (connection->closed)
        return;
    iswi_http1_body_begin(&connection->body, head, http->terms->body_limit_bytes);
    if (head->framing == ISWI_HTTP1_LENGTH)
        begin_length(connection);
    else
        iswi_http_part_from_head(connection);
}
