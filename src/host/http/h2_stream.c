/* SPDX-License-Identifier: Apache-2.0 */
/* A stream, and the bytes of its body that wait to be handed on. */
#include "host/http/h2.h"

iswi_h2_stream *iswi_h2_stream_create(iswi_h2 *h2, int32_t id)
{
    iswi_h2_stream *stream = iswi_http_small_take(&h2->loop->small, sizeof *stream);

    if (!stream)
        return NULL;
    memset(stream, 0, sizeof *stream);
    stream->request = iswi_http_request_create(h2->loop, h2->carrier, stream);
    if (!stream->request) {
        iswi_http_small_give(&h2->loop->small, stream);
        return NULL;
    }
    stream->h2 = h2;
    stream->id = id;
    stream->due_ns = INT64_MAX;
    stream->head.content_length = ISWI_HTTP_NO_LENGTH;
    stream->next = h2->streams;
    stream->link = &h2->streams;
    if (stream->next)
        stream->next->link = &stream->next;
    h2->streams = stream;
    h2->count++;
    return stream;
}

/* Those that are handed on as they come are bounded by what is asked for of them, as calls are. */
static iswi_http_block *take(iswi_h2_stream *stream, size_t size)
{
    iswi_http_loop *loop = stream->h2->loop;

    return stream->body == ISWI_H2_UPLOADS ? iswi_http_loop_take(loop, size)
                                           : iswi_http_body_take(loop, size, stream->come);
}

bool iswi_h2_stream_append(iswi_h2_stream *stream, const void *bytes, size_t size)
{
    iswi_http_loop *loop = stream->h2->loop;
    iswi_http_block *old = stream->come;
    const size_t held = stream->to - stream->from;
    const int64_t length = stream->head.content_length;
    const size_t most = (size_t)loop->http->terms->body_limit_bytes + ISWI_H2_WINDOW_BYTES;
    iswi_http_block *block = old;
    size_t room = held + size;

    if (!old || stream->to + size > old->size) {
        if (old && room <= old->size) {
            memmove(old->bytes, old->bytes + stream->from, held);
        } else {
            if (!old && length > 0)
                room = length < ISWI_H2_WINDOW_BYTES ? (size_t)length : ISWI_H2_WINDOW_BYTES;
            if (old && room < 2 * old->size)
                room = 2 * old->size < most ? 2 * old->size : room < most ? most : room;
            block = take(stream, room < size ? size : room);
            if (!block)
                return false;
            if (held)
                memcpy(block->bytes, old->bytes + stream->from, held);
            iswi_http_loop_give(loop, old);
            stream->come = block;
        }
        stream->from = 0;
        stream->to = held;
    }
    memcpy(block->bytes + stream->to, bytes, size);
    stream->to += size;
    return true;
}

void iswi_h2_stream_widen(iswi_h2_stream *stream, size_t size)
{
    if (size && !stream->ended && !stream->closed) {
        nghttp2_session_consume_stream(stream->h2->session, stream->id, size);
        iswi_h2_wake(stream->h2);
    }
}

void iswi_h2_stream_forget(iswi_h2_stream *stream)
{
    iswi_http_loop_give(stream->h2->loop, stream->come);
    stream->come = NULL;
    stream->from = stream->to = stream->counted = 0;
}

void iswi_h2_stream_drop(iswi_h2_stream *stream)
{
    iswi_h2_stream_widen(stream, stream->to - stream->from - stream->counted);
    iswi_h2_stream_forget(stream);
    stream->body = ISWI_H2_DROPS;
}
