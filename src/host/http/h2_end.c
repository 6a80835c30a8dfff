/* SPDX-License-Identifier: Apache-2.0 */
/* The end of streams and of a connection of theirs. Invariant: whoever is up the stack may still
 * look at both: they are freed when nobody is. */
#include "host/http/h2.h"

#include "base/alloc.h"

static void record(const iswi_h2_stream *stream, bool whole)
{
    const iswi_http_figures figures = {
        .client = isw_str_of(stream->h2->connection->peer.name),
        .protocol = isw_str_of("HTTP/2.0"),
        .received = stream->head.bytes + stream->received,
        .sent = stream->head_sent + stream->body_sent,
        .body_sent = stream->body_sent,
        .answered = stream->answered,
        .cut = stream->answered && !whole,
    };

    iswi_http_record_end(stream->request, &figures);
}

/* Whether all of the answer was given to nghttp2, which has no body to ask for of some. */
static bool is_whole(const iswi_h2_stream *stream)
{
    const iswi_http_reply *reply = &stream->request->reply;

    return stream->answered &&
           (stream->whole || (!reply->streams && !reply->body.size) ||
            iswi_http_wants_head(stream->request));
}

/* Its request is done with: answered as far as it will be. */
static void let_go(iswi_h2_stream *stream)
{
    iswi_http_request *request = stream->request;

    if (!request)
        return;
    record(stream, is_whole(stream));
    stream->request = NULL;
    iswi_http_wait_no_more(stream->h2->loop, &stream->waiting);
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
    h2->quiet_ns = iswi_reactor_now_ns(h2->loop->reactor) + h2->connection->http->terms->idle_ns;
    iswi_http_small_give(&h2->loop->small, stream);
}

void iswi_h2_go_away(iswi_h2 *h2)
{
    if (h2->left)
        return;
    h2->left = h2->leaves = true;
    nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(h2->session), NGHTTP2_NO_ERROR,
                          NULL, 0);
}

/* Those up the stack may still look at the streams. */
void iswi_h2_end(iswi_h2 *h2)
{
    for (iswi_h2_stream *stream = h2->streams; stream; stream = stream->next) {
        iswi_http_request *request = stream->request;

        if (request)
            record(stream, is_whole(stream));
        stream->request = NULL;
        stream->closed = true;
        iswi_http_wait_no_more(h2->loop, &stream->waiting);
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
