/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of answers, piece by piece. */
#include "host/http/stream.h"

#include "base/alloc.h"

/* Copy out of the ring. With the lock. */
static size_t take(iswi_http_stream *stream, char *out, size_t most)
{
    size_t size = stream->filled < most ? stream->filled : most;
    size_t first = ISWI_WINDOW_BYTES - stream->head;

    if (first > size)
        first = size;
    memcpy(out, stream->ring + stream->head, first);
    memcpy(out + first, stream->ring, size - first);
    stream->head = (stream->head + size) % ISWI_WINDOW_BYTES;
    stream->filled -= size;
    stream->owed += size;
    return size;
}

/* libmicrohttpd asks for more, on its thread. */
static ssize_t read_more(void *user, uint64_t position, char *out, size_t most)
{
    iswi_http_stream *stream = user;
    iswi_http_request *request = stream->request; /* alive: it was not let go */
    iswi_http *http = request->http;
    ssize_t result;
    size_t told = 0;
    bool rests = false;

    (void)position;
    pthread_mutex_lock(&stream->lock);
    if (stream->filled) {
        result = (ssize_t)take(stream, out, most);
        if (stream->owed >= ISWI_WINDOW_BYTES / 2 && !stream->ended) {
            told = stream->owed;
            stream->owed = 0;
        }
    } else if (stream->ended) {
        result = stream->complete ? MHD_CONTENT_READER_END_OF_STREAM
                                  : MHD_CONTENT_READER_END_WITH_ERROR;
    } else {
        result = 0;
        rests = true;
        iswi_http_stream_suspend(stream);
    }
    pthread_mutex_unlock(&stream->lock);
    if (rests)
        iswi_http_leave_watch(&http->leave, request->peer->fd, request);
    else if (http->events.left)
        iswi_http_leave_stop(&http->leave, request->peer->fd);
    if (told && http->events.taken)
        http->events.taken(http->user, request, told);
    return result;
}

static void let_go(void *user)
{
    iswi_http_stream_release(user);
}

static struct MHD_Response *response_of(iswi_http_stream *stream, uint64_t length)
{
    struct MHD_Response *response;

    atomic_fetch_add(&stream->holders, 1);
    response = MHD_create_response_from_callback(length, ISWI_HTTP_PIECE_BYTES, read_more, stream,
                                                 let_go);
    if (!response)
        iswi_http_stream_release(stream);
    return response;
}

isw_status iswi_http_begin(iswi_http_request *request, const isw_http *head)
{
    iswi_http_stream *stream = iswi_http_stream_of(request);
    struct MHD_Response *response;

    if (!stream)
        return ISW_E_NO_MEMORY;
    if (stream->begun)
        return ISW_E_CONFLICT;
    if (head->status < 200 || head->status > 599 || head->status == MHD_HTTP_NO_CONTENT ||
        head->status == MHD_HTTP_RESET_CONTENT || head->status == MHD_HTTP_NOT_MODIFIED)
        return ISW_E_INVALID;
    stream->ring = iswi_alloc(ISWI_WINDOW_BYTES);
    if (!stream->ring)
        return ISW_E_NO_MEMORY;
    response = iswi_http_wants_head(request) ? iswi_http_head_alone(iswi_http_length_of(head))
                                             : response_of(stream, iswi_http_length_of(head));
    if (!response)
        return ISW_E_NO_MEMORY;
    request->response = response;
    request->status = (unsigned)head->status;
    iswi_http_add_headers(request, &head->headers);
    pthread_mutex_lock(&stream->lock);
    stream->begun = true;
    pthread_mutex_unlock(&stream->lock);
    if (iswi_http_begin_streaming(request) == ISWI_HTTP_ABANDONED) {
        MHD_destroy_response(request->response);
        request->response = NULL;
    }
    return ISW_OK;
}

isw_status iswi_http_continue(iswi_http_request *request, isw_bytes bytes)
{
    iswi_http_stream *stream = request->stream;
    isw_status status = ISW_OK;
    size_t at;
    size_t first;

    if (!stream || !stream->begun)
        return ISW_E_CONFLICT;
    pthread_mutex_lock(&stream->lock);
    if (bytes.size > ISWI_WINDOW_BYTES - stream->filled - stream->owed) {
        status = ISW_E_TOO_LARGE;
    } else if (bytes.size) {
        at = (stream->head + stream->filled) % ISWI_WINDOW_BYTES;
        first = bytes.size < ISWI_WINDOW_BYTES - at ? bytes.size : ISWI_WINDOW_BYTES - at;
        memcpy(stream->ring + at, bytes.data, first);
        memcpy(stream->ring, (const char *)bytes.data + first, bytes.size - first);
        stream->filled += bytes.size;
        iswi_http_stream_resume(stream);
    }
    pthread_mutex_unlock(&stream->lock);
    return status;
}



void iswi_http_end(iswi_http_request *request, bool complete)
{
    iswi_http_stream *stream = request->stream;

    /* The request may be gone once it is handed back; libmicrohttpd may need the stream before. */
    atomic_fetch_add(&stream->holders, 1);
    pthread_mutex_lock(&stream->lock);
    stream->ended = true;
    stream->complete = complete;
    pthread_mutex_unlock(&stream->lock);
    iswi_http_stream_hurry(request);
    iswi_http_hand_back(request);
    pthread_mutex_lock(&stream->lock);
    iswi_http_stream_resume(stream);
    pthread_mutex_unlock(&stream->lock);
    iswi_http_stream_release(stream);
}
