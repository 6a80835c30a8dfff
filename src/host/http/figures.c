/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection knows of a request that the access log wants to know. */
#include "host/http/connection.h"

uint64_t iswi_http_used(const iswi_http_connection *connection)
{
    return connection->read - (connection->to - connection->from);
}

void iswi_http_connection_record(const iswi_http_connection *connection, bool cut)
{
    const iswi_http_request *request = connection->request;
    iswi_http_figures figures = { .client = isw_str_of(connection->peer.name),
                                  .received = iswi_http_used(connection) - connection->begun_at,
                                  .answered = connection->going != ISWI_HTTP_SILENT,
                                  .cut = cut };

    if (!request->record)
        return;
    if (connection->coming == ISWI_HTTP_LINGERS) /* what was refused ended nowhere */
        figures.received = connection->read - connection->begun_at;
    if (figures.answered) {
        figures.sent = connection->sent;
        figures.body_sent = connection->sent > connection->head_size
                                ? connection->sent - connection->head_size
                                : 0;
    }
    if (request->data.method.size)
        figures.protocol = isw_str_of(connection->head.minor ? "HTTP/1.1" : "HTTP/1.0");
    iswi_http_record_end(request, &figures);
}
