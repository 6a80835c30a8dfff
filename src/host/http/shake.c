/* SPDX-License-Identifier: Apache-2.0 */
/* The begin of a connection over TLS. It has the time of a head for it and for the first head
 * together. */
#include "host/http/h2.h"

/* What is said to it is in plain from here on. */
static void give_up_tls(iswi_http_connection *connection)
{
    iswi_tls_session_end(connection->tls);
    connection->tls = NULL;
}

/* What came behind the handshake may have been read with it. */
static void begin_http(iswi_http_connection *connection)
{
    const bool h2 = iswi_tls_is_http2(connection->tls);

    connection->coming = ISWI_HTTP_AT_HEAD;
    connection->readable = true;
    if (connection->refused && h2)
        iswi_http_connection_close(connection);
    else if (connection->refused)
        iswi_http_refuse_connection(connection);
    else if (h2)
        iswi_h2_begin(connection);
}

/* The client was told why, and is given the time to read it. */
static void fail(iswi_http_connection *connection)
{
    const iswi_http *http = connection->http;

    atomic_fetch_add(&connection->http->unshaken, 1);
    if (http->events.unshaken)
        http->events.unshaken(http->user, connection->peer.name,
                              iswi_tls_session_fault(connection->tls));
    give_up_tls(connection);
    connection->closes = true;
    iswi_http_linger(connection);
}

bool iswi_http_shake(iswi_http_connection *connection)
{
    switch (iswi_tls_handshake(connection->tls)) {
    case ISWI_TLS_WANTS_INPUT:
    case ISWI_TLS_WANTS_OUTPUT:
        return false;
    case ISWI_TLS_DONE:
        begin_http(connection);
        break;
    case ISWI_TLS_PLAIN:
        give_up_tls(connection);
        iswi_http_refuse(connection, 400, "This address speaks HTTPS alone, and the request came "
                                          "in plain: write https:// instead of http://.");
        break;
    case ISWI_TLS_LEFT:
        iswi_http_connection_close(connection);
        break;
    case ISWI_TLS_FAILED:
        fail(connection);
        break;
    }
    return !connection->closed;
}
