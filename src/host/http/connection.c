/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: when one is to be looked at again, and its end. Invariant: it is freed by its task
 * alone, so that nobody up the stack finds it gone. */
#include "host/http/h2.h"

void iswi_http_connection_set_phase(iswi_http_connection *connection, iswi_http_phase phase,
                                    int64_t after_ns)
{
    iswi_reactor *reactor = connection->loop->reactor;

    connection->phase = phase;
    if (phase != ISWI_HTTP_FREE) /* else the timer may run on, and finds nothing to do */
        iswi_reactor_set_timer(reactor, &connection->timer,
                               iswi_reactor_now_ns(reactor) + after_ns);
}

void iswi_http_connection_later(iswi_http_connection *connection)
{
    if (connection->queued)
        return;
    connection->queued = true;
    iswi_reactor_defer(connection->loop->reactor, &connection->task);
}

void iswi_http_connection_yield(iswi_http_connection *connection)
{
    iswi_http_connection_later(connection);
    iswi_reactor_yield(connection->loop->reactor);
}

void iswi_http_connection_wake(iswi_http_connection *connection)
{
    connection->again = true;
    if (!connection->turning)
        iswi_http_connection_later(connection);
}

void iswi_http_connection_close(iswi_http_connection *connection)
{
    iswi_http_loop *loop = connection->loop;
    iswi_http_request *request = connection->request;

    if (connection->closed)
        return;
    connection->closed = true;
    iswi_reactor_cancel_timer(loop->reactor, &connection->timer);
    iswi_watch_end(loop->reactor, &connection->watch);
    iswi_http_transport_close(connection);
    iswi_http_peers_remove(&connection->http->listener.peers,
                           (const struct sockaddr *)&connection->address);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    iswi_http_out_drop(connection);
    if (request)
        iswi_http_connection_record(connection, connection->going != ISWI_HTTP_SILENT);
    connection->request = NULL;
    if (request && !request->blocks[0]) { /* its head lies there, and it may outlive us */
        request->blocks[0] = connection->input;
        connection->input = NULL;
    }
    iswi_http_loop_give(loop, connection->input);
    connection->input = NULL;
    if (request)
        iswi_http_request_abandon(request);
    if (connection->h2)
        iswi_h2_end(connection->h2);
    iswi_http_connection_later(connection);
}
