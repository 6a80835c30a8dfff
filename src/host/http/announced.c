/* SPDX-License-Identifier: Apache-2.0 */
/* The very begin of a connection. A trusted proxy says first whose it is, in plain, before TLS as
 * well: so that is looked at in the socket and taken from there by its size, and nothing behind it
 * is read too early. */
#include "host/http/connection.h"

#include <errno.h>
#include <stdio.h>

static void begin_tls(iswi_http_connection *connection)
{
    connection->coming = ISWI_HTTP_SHAKES;
    connection->tls = iswi_tls_session_begin(connection->http->terms->tls, connection->watch.fd);
    if (!connection->tls)
        iswi_http_connection_close(connection);
}

void iswi_http_begin_to_speak(iswi_http_connection *connection)
{
    connection->coming = ISWI_HTTP_AT_HEAD;
    if (connection->secure)
        begin_tls(connection);
    else if (connection->refused)
        iswi_http_refuse_connection(connection);
}

/* It is taken, and there may be more that has come already. */
static void take(iswi_http_connection *connection, const iswi_http1_proxied *said)
{
    char bytes[ISWI_HTTP1_PROXY_BYTES];

    iswi_http_transport_take_raw(connection, bytes, said->size, false);
    iswi_http_peer_hand_on(&connection->peer, said, connection->http->terms->trust);
    connection->readable = true;
    iswi_http_begin_to_speak(connection);
}

bool iswi_http_read_announced(iswi_http_connection *connection)
{
    char bytes[ISWI_HTTP1_PROXY_BYTES];
    ssize_t size = iswi_http_transport_take_raw(connection, bytes, sizeof bytes, true);
    iswi_http1_refusal refusal;
    iswi_http1_proxied said;
    char sentence[160];

    if (size <= 0) {
        if (size == 0 || errno != EAGAIN)
            iswi_http_connection_close(connection);
        return false;
    }
    switch (iswi_http1_proxy_read(bytes, (size_t)size, &said, &refusal)) {
    case ISWI_HTTP1_MORE:
        if (connection->half_closed)
            iswi_http_connection_close(connection);
        return false;
    case ISWI_HTTP1_DONE:
        take(connection, &said);
        break;
    case ISWI_HTTP1_REFUSED:
        snprintf(sentence, sizeof sentence, "%s.", refusal.what);
        connection->readable = true;
        iswi_http_refuse(connection, refusal.status, sentence);
    }
    return !connection->closed;
}
