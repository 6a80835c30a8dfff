/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of requests. What they say points into the bytes that were read, which stay where they are
 * until the request is answered. */
#include "host/http/h2.h"

#include "url/fields.h"

/* A protocol that a client must not believe to have got. Others are offers, which one may pass by
 * (RFC 9110, section 7.8). */
static bool wants_websocket(const iswi_http1_head *head)
{
    isw_str protocols = head->upgrade;

    while (protocols.size)
        if (iswi_field_equal(iswi_field_split(&protocols, ','), "websocket"))
            return true;
    return false;
}

static void refuse_head(iswi_http_connection *connection)
{
    const iswi_http1_refusal *refusal = &connection->head.refusal;

    iswi_http_refuse(connection, refusal->status,
                     iswi_http1_refusal_text(refusal, &connection->request->arena));
}

static void lead(iswi_http_connection *connection)
{
    switch (iswi_http_route(connection->request)) {
    case ISWI_HTTP_ROUTED:
        iswi_http_begin_body(connection);
        break;
    case ISWI_HTTP_ANSWERED:
        iswi_http_answer_here(connection);
        break;
    case ISWI_HTTP_EARLY:
        connection->coming = ISWI_HTTP_AT_ROUTE;
        break;
    }
}

bool iswi_http_read_route(iswi_http_connection *connection)
{
    if (connection->request->is_early)
        return false;
    connection->coming = ISWI_HTTP_AT_HEAD;
    lead(connection);
    return true;
}

static void head_arrived(iswi_http_connection *connection)
{
    const iswi_http1_head *head = &connection->head;
    iswi_http_request *request = connection->request;
    const char *why;
    int status;

    connection->from += head->size;
    connection->phase = ISWI_HTTP_FREE;
    request->data.method = head->method;
    request->data.url = head->url;
    request->data.headers = head->fields;
    status = iswi_http_request_arrived(request, &connection->peer, connection->tls, &why);
    if (status)
        iswi_http_refuse(connection, status, why);
    else if (wants_websocket(head))
        iswi_http_refuse(connection, 501, "WebSockets are no trigger of this host yet, so that it "
                                          "does not upgrade to them.");
    else
        lead(connection);
}

static iswi_http1_result look(iswi_http_connection *connection)
{
    if (connection->from == connection->to || !connection->guessed)
        return ISWI_HTTP1_MORE;
    if (!connection->request) {
        connection->request = iswi_http_request_create(
            connection->loop, &iswi_http_connection_carrier, connection);
        if (!connection->request) {
            iswi_http_connection_close(connection);
            return ISWI_HTTP1_MORE;
        }
        connection->told_left = false;
        connection->begun_at = iswi_http_used(connection);
        iswi_http1_head_begin(&connection->head, &connection->request->arena, 0);
    }
    return iswi_http1_head_read(&connection->head, connection->input->bytes + connection->from,
                                connection->to - connection->from);
}

/* Whether the first bytes of the connection begin HTTP/2, which then has it. */
static bool is_h2(iswi_http_connection *connection)
{
    iswi_h2_guess guess = ISWI_H2_PERHAPS;

    if (!connection->guessed && connection->from < connection->to)
        guess = iswi_h2_guess_of(connection->input->bytes + connection->from,
                                 connection->to - connection->from);
    connection->guessed = connection->guessed || guess == ISWI_H2_NO;
    if (guess == ISWI_H2_YES)
        iswi_h2_begin(connection);
    return guess == ISWI_H2_YES;
}

bool iswi_http_read_head(iswi_http_connection *connection)
{
    size_t size;

    if (is_h2(connection))
        return !connection->closed;
    switch (look(connection)) {
    case ISWI_HTTP1_DONE:
        head_arrived(connection);
        return true;
    case ISWI_HTTP1_REFUSED:
        refuse_head(connection);
        return true;
    case ISWI_HTTP1_MORE:
        break;
    }
    if (connection->closed)
        return false;
    if (!connection->readable) {
        iswi_http_rest(connection);
        return false;
    }
    if (!iswi_http_make_room(connection)) {
        iswi_http_connection_close(connection);
        return false;
    }
    size = iswi_http_fill(connection, connection->input->bytes + connection->to,
                          connection->input->size - connection->to);
    connection->to += size;
    if (!size && !connection->closed)
        iswi_http_rest(connection);
    return size > 0;
}
