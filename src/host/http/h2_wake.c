/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be looked at again, and when. */
#include "host/http/h2.h"

void iswi_h2_stream_note(iswi_h2_stream *stream)
{
    iswi_h2 *h2 = stream->h2;

    if (stream->is_noted)
        return;
    stream->is_noted = true;
    stream->next_noted = h2->noted;
    h2->noted = stream;
}

void iswi_h2_wake(iswi_h2 *h2)
{
    iswi_http_connection_wake(h2->connection);
}

void iswi_h2_remind(iswi_h2 *h2, int64_t at_ns)
{
    iswi_http_connection *connection = h2->connection;
    iswi_reactor *reactor = h2->loop->reactor;

    if (connection->phase == ISWI_HTTP_TENDED && connection->timer.is_set &&
        connection->timer.at_ns <= at_ns)
        return;
    iswi_http_connection_set_phase(connection, ISWI_HTTP_TENDED,
                                   at_ns - iswi_reactor_now_ns(reactor));
}
