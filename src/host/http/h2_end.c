/* SPDX-License-Identifier: Apache-2.0 */
/* The end of streams and of a connection of theirs. Invariant: whoever is up the stack may still
 * look at both: they are freed when nobody is. */
#include "host/http/h2.h"

#include "base/alloc.h"

/* Its request is done with: answered as far as it will be. */
static void let_go(iswi_h2_stream *stream)
{
    iswi_http_request *request = stream->request;

    stream->request = NULL;
    if (!request)
        return;
    if (stream->answered && (stream->whole || !request->reply.streams))
        iswi_http_request_done(request);
    else
        iswi_http_request_abandon(request);
}

void iswi_h2_stream_destroy(iswi_h2_stream *stream)
{
    iswi_h2 *h2 = stream->h2;

    let_go(stream);
    iswi_http_loop_give(h2->loop, stream->come);
    iswi_http_loop_give(h2->loop, stream->kept);
    *stream->link = stream->next;
    if (stream->next)
        stream->next->link = stream->link;
    h2->count--;
    h2->quiet_ns = iswi_reactor_now_ns(h2->loop->reactor) + h2->connection->http->idle_ns;
    iswi_free(stream);
}

/* Those up the stack may still look at the streams. */
void iswi_h2_end(iswi_h2 *h2)
{
    for (iswi_h2_stream *stream = h2->streams; stream; stream = stream->next) {
        iswi_http_request *request = stream->request;

        stream->request = NULL;
        stream->closed = true;
        if (request)
            iswi_http_request_abandon(request);
    }
}

void iswi_h2_free(iswi_h2 *h2)
{
    if (!h2)
        return;
    while (h2->streams)
        iswi_h2_stream_destroy(h2->streams);
    iswi_http_loop_give(h2->loop, h2->out);
    nghttp2_session_del(h2->session);
    iswi_free(h2);
}
