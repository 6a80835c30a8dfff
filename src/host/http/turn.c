/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a connection, and what is done then. Invariant: it is turned by one caller at a
 * time. */
#include "host/http/h2.h"

#include "base/alloc.h"

#include <stddef.h>
#include <sys/epoll.h>

/* How long a client that sends no more may still wait for its answer, as those do that close their
 * half once they have asked, before whoever answers hears that it is gone. */
enum { LEAVING_NS = 5000000 };

/* After so many steps others have their turn. */
enum { STEPS_AT_ONCE = 64 };

static void tell_left(iswi_http_connection *connection)
{
    const iswi_http *http = connection->http;
    iswi_http_request *request = connection->request;

    connection->told_left = true;
    if (!http->events.left)
        return;
    iswi_http_request_look(request);
    http->events.left(http->user, request);
    iswi_http_request_unlook(request);
}

/* The client sends no more, and awaits an answer or is gone: nobody can say which. */
static void notice_leaving(iswi_http_connection *connection)
{
    const iswi_http_request *request = connection->request;

    if (!connection->half_closed || connection->told_left || !request || !request->handed_over ||
        request->answered || connection->coming != ISWI_HTTP_WHOLE)
        return;
    if (connection->going == ISWI_HTTP_STREAMS)
        tell_left(connection);
    else if (connection->going == ISWI_HTTP_SILENT && connection->phase != ISWI_HTTP_LEAVING)
        iswi_http_connection_set_phase(connection, ISWI_HTTP_LEAVING, LEAVING_NS);
}

/* -- A turn ------------------------------------------------------------------------------------ */

static bool step(iswi_http_connection *connection)
{
    switch (connection->coming) {
    case ISWI_HTTP_AT_HEAD:
        return iswi_http_read_head(connection);
    case ISWI_HTTP_AT_BODY:
        return iswi_http_read_body(connection);
    case ISWI_HTTP_AT_UPLOAD:
        return iswi_http_read_upload(connection);
    case ISWI_HTTP_DROPS:
    case ISWI_HTTP_LINGERS:
        return iswi_http_read_rest(connection);
    case ISWI_HTTP_IN_FRAMES:
        return iswi_h2_read(connection);
    case ISWI_HTTP_ANNOUNCED:
        return iswi_http_read_announced(connection);
    case ISWI_HTTP_SHAKES:
        return iswi_http_shake(connection);
    case ISWI_HTTP_AT_ROUTE:
        return iswi_http_read_route(connection);
    case ISWI_HTTP_WHOLE:
        break;
    }
    return false;
}

static void turn(iswi_http_connection *connection)
{
    const uint64_t most = connection->read + ISWI_HTTP_BYTES_AT_ONCE;
    unsigned left = STEPS_AT_ONCE;
    bool goes_on = true;

    connection->turning = true;
    for (; goes_on && left && connection->read < most && !connection->closed; left--) {
        connection->again = false;
        goes_on = step(connection) || connection->again;
    }
    if (!connection->closed && goes_on)
        iswi_http_connection_yield(connection);
    else if (!connection->closed)
        notice_leaving(connection);
    connection->turning = false;
}

static void on_ready(iswi_watch *watch, uint32_t events)
{
    iswi_http_connection *connection = (iswi_http_connection *)watch;

    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        connection->readable = true;
    if (events & EPOLLOUT && connection->tls && iswi_tls_wants_output(connection->tls))
        connection->readable = true; /* a read may have to write first */
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        connection->half_closed = true;
    if (events & (EPOLLHUP | EPOLLERR) && (connection->coming == ISWI_HTTP_WHOLE ||
                                           connection->coming == ISWI_HTTP_AT_ROUTE)) {
        iswi_http_connection_close(connection); /* nobody is there */
        return;
    }
    if (events & EPOLLOUT && connection->out.count)
        iswi_http_pump(connection);
    if (events & EPOLLOUT && connection->h2)
        iswi_h2_write(connection);
    if (!connection->closed)
        turn(connection);
}

static void on_due(iswi_timer *timer)
{
    iswi_http_connection *connection =
        (iswi_http_connection *)((char *)timer - offsetof(iswi_http_connection, timer));
    const iswi_http_phase phase = connection->phase;
    const iswi_http_request *request = connection->request;

    connection->phase = ISWI_HTTP_FREE;
    switch (phase) {
    case ISWI_HTTP_FREE:
        return;
    case ISWI_HTTP_LEAVING:
        if (request && connection->going == ISWI_HTTP_SILENT)
            tell_left(connection);
        return;
    case ISWI_HTTP_ASKING:
        iswi_http_ask_for_body(connection);
        if (!connection->closed)
            turn(connection);
        return;
    case ISWI_HTTP_RETRYING:
        turn(connection);
        return;
    case ISWI_HTTP_TENDED:
        iswi_h2_due(connection);
        return;
    case ISWI_HTTP_DUE_HEAD:
    case ISWI_HTTP_DUE_BODY:
        if (request && !request->handed_over && connection->going == ISWI_HTTP_SILENT) {
            iswi_http_refuse(connection, 408, "The request did not come in time.");
            turn(connection);
            return;
        }
        break;
    case ISWI_HTTP_IDLE:
    case ISWI_HTTP_STALLED:
    case ISWI_HTTP_ENDING:
        break;
    }
    iswi_http_connection_close(connection);
}

/* -- Begin and end ----------------------------------------------------------------------------- */

static void destroy(iswi_http_connection *connection)
{
    atomic_fetch_sub(&connection->http->listener.count, 1);
    iswi_h2_free(connection->h2);
    iswi_http_loop_freed(connection->loop, sizeof *connection);
    iswi_free(connection);
}

static void on_task(iswi_task *task)
{
    iswi_http_connection *connection =
        (iswi_http_connection *)((char *)task - offsetof(iswi_http_connection, task));

    connection->queued = false;
    if (connection->paused && !connection->closed)
        iswi_http_pump(connection);
    if (!connection->closed)
        turn(connection);
    else if (!connection->queued)
        destroy(connection);
}

/* On its loop. */
static void on_begin(iswi_task *task)
{
    iswi_http_connection *connection =
        (iswi_http_connection *)((char *)task - offsetof(iswi_http_connection, task));
    iswi_http_loop *loop = connection->loop;

    connection->task.run = on_task;
    connection->queued = false;
    connection->next = loop->connections;
    connection->link = &loop->connections;
    if (connection->next)
        connection->next->link = &connection->next;
    loop->connections = connection;
    if (!iswi_watch_begin(loop->reactor, &connection->watch,
                          EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)) {
        iswi_http_connection_close(connection);
        return;
    }
    if (connection->kept)
        iswi_http_connection_set_phase(connection, ISWI_HTTP_IDLE,
                                       connection->http->terms->idle_ns);
    else
        iswi_http_connection_set_phase(connection, ISWI_HTTP_DUE_HEAD,
                                       connection->http->terms->header_ns);
    if (connection->coming != ISWI_HTTP_ANNOUNCED)
        iswi_http_begin_to_speak(connection);
}

void iswi_http_connection_create(iswi_http_loop *loop, int fd, const struct sockaddr_storage *from,
                                 iswi_http_manner manner)
{
    const iswi_http_terms *terms = loop->http->terms;
    iswi_http_connection *connection = iswi_calloc(1, sizeof *connection);
    iswi_http_connection gone = { .watch.fd = fd };

    if (!connection) {
        iswi_http_transport_close(&gone);
        iswi_http_peers_remove(&loop->http->listener.peers, (const struct sockaddr *)from);
        return;
    }
    atomic_fetch_add(&loop->http->listener.count, 1);
    connection->watch = (iswi_watch){ fd, on_ready };
    connection->timer.due = on_due;
    connection->task.run = on_begin;
    connection->queued = true;
    connection->http = loop->http;
    connection->loop = loop;
    connection->secure = manner.secure;
    connection->kept = manner.kept;
    connection->guessed = manner.secure || terms->http1_only; /* TLS agrees on it */
    connection->refused = manner.refused;
    connection->address = *from;
    /* Once for each connection: writing an address as text costs more than routing a request. */
    connection->peer = iswi_http_peer_of((const struct sockaddr *)from, terms->trust);
    connection->peer.tls = manner.secure;
    if (connection->peer.trusted && terms->trust->proxy_protocol && !manner.kept)
        connection->coming = ISWI_HTTP_ANNOUNCED;
    if (iswi_reactor_is_own(loop->reactor))
        on_begin(&connection->task);
    else
        iswi_reactor_post(loop->reactor, &connection->task);
}
