/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: what is to be done about what came of them. Invariant: a stream that happened to be
 * noted stays until it is settled; whoever answers from down here changes no more than what is
 * written in it. */
#include "host/http/h2.h"

enum { RETRY_NS = 1000000, TRIES_MOST = 1000 };

static const char too_large[] = "The body is over the limit.";
static const char no_room[] = "There is no memory for the body now.";

static void set_due(iswi_h2_stream *stream, int64_t after_ns)
{
    stream->due_ns = iswi_reactor_now_ns(stream->h2->loop->reactor) + after_ns;
    iswi_h2_remind(stream->h2, stream->due_ns);
}

static void reset(iswi_h2_stream *stream, uint32_t error)
{
    stream->due_ns = INT64_MAX;
    nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id, error);
    iswi_h2_wake(stream->h2);
}

/* -- What they hold together ------------------------------------------------------------------- */

/* Whether there is an older one whose body is being gathered. */
static bool is_behind_another(const iswi_h2_stream *stream)
{
    const iswi_h2_stream *older = stream->next;

    while (older && older->body != ISWI_H2_GATHERS)
        older = older->next;
    return older != NULL;
}

/* Those that waited for the oldest look whether they are that now. */
static void let_others_go_on(iswi_h2 *h2)
{
    for (iswi_h2_stream *stream = h2->streams; stream; stream = stream->next)
        if (stream->body == ISWI_H2_GATHERS)
            iswi_h2_stream_note(stream);
}

/* It has so many bytes of a body that is not whole. */
static void hold(iswi_h2_stream *stream, size_t size)
{
    stream->h2->gathered += (int64_t)size - (int64_t)stream->held;
    stream->held = size;
}

/* Nothing of its body is gathered any more, whether or not any of it had come: it may have been the
 * one that others waited for. */
static void hold_no_more(iswi_h2_stream *stream)
{
    iswi_h2 *h2 = stream->h2;
    const bool waited = h2->gathered > h2->gather_most;

    hold(stream, 0);
    if (waited)
        let_others_go_on(h2);
}

/* -- Requests ---------------------------------------------------------------------------------- */

static void refuse(iswi_h2_stream *stream, int status, const char *why)
{
    hold_no_more(stream);
    iswi_h2_stream_drop(stream);
    iswi_http_set_problem(stream->request, status, NULL, why, NULL);
    iswi_h2_answer_here(stream);
}

static void hand_over(iswi_h2_stream *stream, iswi_h2_body body)
{
    stream->body = body;
    stream->due_ns = INT64_MAX;
    iswi_http_hand_over(stream->request);
}

/* Have the client send the body that it holds back. */
static void ask_for_body(iswi_h2_stream *stream)
{
    const nghttp2_nv status = { (uint8_t *)":status", (uint8_t *)"100", 7, 3,
                                NGHTTP2_NV_FLAG_NONE };

    if (stream->head.expects_continue && stream->from == stream->to && !stream->answered) {
        nghttp2_submit_headers(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id, NULL, &status, 1,
                               NULL);
        iswi_h2_wake(stream->h2);
    }
    stream->head.expects_continue = false;
}

static void begin_body(iswi_h2_stream *stream)
{
    iswi_http_request *request = stream->request;
    const iswi_http *http = request->http;

    if (stream->ended && stream->from == stream->to) {
        hand_over(stream, ISWI_H2_TAKEN);
        return;
    }
    if (iswi_http_comes_in_pieces(request)) {
        if (!iswi_http_stream_upload(request)) {
            refuse(stream, 503, iswi_http_no_memory);
            return;
        }
        hand_over(stream, ISWI_H2_UPLOADS);
        return;
    }
    if (stream->head.content_length > http->terms->body_limit_bytes) {
        refuse(stream, 413, too_large);
        return;
    }
    stream->body = ISWI_H2_GATHERS;
    ask_for_body(stream);
    set_due(stream, http->terms->body_ns);
}

static void lead(iswi_h2_stream *stream)
{
    switch (iswi_http_route(stream->request)) {
    case ISWI_HTTP_ROUTED:
        if (stream->starved)
            refuse(stream, 503, no_room);
        else
            begin_body(stream);
        break;
    case ISWI_HTTP_ANSWERED:
        iswi_h2_stream_drop(stream);
        iswi_h2_answer_here(stream);
        break;
    case ISWI_HTTP_EARLY:
        stream->body = ISWI_H2_EARLY;
        break;
    }
}

static void begin(iswi_h2_stream *stream)
{
    const char *why;
    int status = iswi_h2_head_read(stream, &why);

    if (status)
        refuse(stream, status, why);
    else
        lead(stream);
}

/* -- Bodies ------------------------------------------------------------------------------------ */

/* A stream that has to wait for others is not its client's fault. */
static void go_on_gathering(iswi_h2_stream *stream, size_t size)
{
    const iswi_http *http = stream->request->http;

    if (stream->h2->gathered > stream->h2->gather_most && is_behind_another(stream)) {
        stream->due_ns = INT64_MAX;
        return;
    }
    if (stream->due_ns == INT64_MAX)
        set_due(stream, http->terms->body_ns);
    iswi_h2_stream_widen(stream, size - stream->counted);
    stream->counted = size;
}

static void gather(iswi_h2_stream *stream)
{
    iswi_http_request *request = stream->request;
    const size_t size = stream->to - stream->from;

    if ((int64_t)size > request->http->terms->body_limit_bytes || stream->starved) {
        refuse(stream, stream->starved ? 503 : 413, stream->starved ? no_room : too_large);
        return;
    }
    if (!stream->ended) {
        hold(stream, size);
        go_on_gathering(stream, size);
        return;
    }
    hold_no_more(stream);
    if (size)
        request->data.body = (isw_bytes){ stream->come->bytes + stream->from, size };
    request->blocks[1] = stream->come;
    stream->come = NULL;
    iswi_h2_stream_forget(stream);
    hand_over(stream, ISWI_H2_TAKEN);
}

/* What the other side did not take, it is asked again to. */
static void try_again(iswi_h2_stream *stream)
{
    if (++stream->tries > TRIES_MOST)
        reset(stream, NGHTTP2_INTERNAL_ERROR);
    else
        set_due(stream, RETRY_NS);
}

static void end_upload(iswi_h2_stream *stream)
{
    if (iswi_http_stream_whole(stream->request) == ISW_E_BUSY) {
        try_again(stream);
        return;
    }
    if (stream->body == ISWI_H2_UPLOADS)
        stream->body = ISWI_H2_TAKEN;
    if (!stream->answered)
        stream->due_ns = INT64_MAX;
}

/* A body that is held back is asked for when somebody reads it. */
static void wait_for_more(iswi_h2_stream *stream)
{
    if (stream->head.expects_continue && stream->request->stream->wanted)
        ask_for_body(stream);
    if (!stream->head.expects_continue)
        set_due(stream, stream->request->http->terms->body_ns);
    else if (!stream->is_asking)
        set_due(stream, ISWI_HTTP_ASK_NS);
    stream->is_asking = stream->head.expects_continue;
}

static void upload(iswi_h2_stream *stream)
{
    while (stream->from < stream->to && stream->body == ISWI_H2_UPLOADS) {
        isw_bytes piece = { stream->come->bytes + stream->from, stream->to - stream->from };
        size_t taken;
        isw_status status = iswi_http_stream_pass(stream->request, piece, &taken);

        if (status == ISW_E_BUSY) {
            try_again(stream);
            return;
        }
        if (status != ISW_OK) {
            reset(stream, NGHTTP2_INTERNAL_ERROR);
            return;
        }
        stream->tries = 0;
        if (!taken) { /* it is the function's turn to ask for more */
            stream->due_ns = INT64_MAX;
            return;
        }
        if (stream->body != ISWI_H2_UPLOADS)
            return; /* it was answered, and the rest is not wanted */
        stream->from += taken;
        iswi_h2_stream_widen(stream, taken);
    }
    if (stream->body != ISWI_H2_UPLOADS)
        return;
    iswi_h2_stream_forget(stream);
    if (stream->starved) /* whoever has it hears that its body breaks off */
        reset(stream, NGHTTP2_INTERNAL_ERROR);
    else if (stream->ended)
        end_upload(stream);
    else
        wait_for_more(stream);
}

/* -- All that happened ------------------------------------------------------------------------- */

static void settle(iswi_h2_stream *stream)
{
    if (stream->closed) {
        stream->body = ISWI_H2_DROPS;
        hold_no_more(stream);
        iswi_h2_stream_destroy(stream);
        return;
    }
    iswi_h2_take_sent(stream);
    if (stream->body == ISWI_H2_HEAD && stream->has_head)
        begin(stream);
    else if (stream->body == ISWI_H2_EARLY && !stream->request->is_early)
        lead(stream);
    if (stream->body == ISWI_H2_GATHERS)
        gather(stream);
    else if (stream->body == ISWI_H2_UPLOADS)
        upload(stream);
}

void iswi_h2_settle(iswi_h2 *h2)
{
    iswi_h2_stream *stream;

    while ((stream = h2->noted) && !h2->connection->closed) {
        h2->noted = stream->next_noted;
        stream->is_noted = false;
        settle(stream);
    }
}

void iswi_h2_stream_due(iswi_h2_stream *stream)
{
    stream->due_ns = INT64_MAX;
    if (stream->body == ISWI_H2_UPLOADS && (stream->tries || stream->is_asking)) {
        if (stream->is_asking)
            ask_for_body(stream);
        iswi_h2_stream_note(stream);
    } else if (stream->body == ISWI_H2_GATHERS)
        refuse(stream, 408, "The request did not come in time.");
    else
        reset(stream, NGHTTP2_CANCEL);
}
