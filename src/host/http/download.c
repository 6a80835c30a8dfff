/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of answers, piece by piece, through a ring that whoever answers fills and the loop
 * empties. Invariant: what the loop looks at is not written again before it has taken it. */
#include "host/http/stream.h"

#include "base/alloc.h"

iswi_http_stream *iswi_http_stream_of(iswi_http_request *request)
{
    iswi_http_stream *stream = request->stream;

    if (stream)
        return stream;
    stream = iswi_calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    pthread_mutex_init(&stream->lock, NULL);
    request->stream = stream;
    return stream;
}

void iswi_http_stream_free(iswi_http_stream *stream)
{
    if (!stream)
        return;
    pthread_mutex_destroy(&stream->lock);
    iswi_free(stream->ring);
    iswi_free(stream);
}

size_t iswi_http_stream_look(iswi_http_stream *stream, struct iovec parts[2], bool *ended,
                             bool *complete)
{
    size_t size;
    size_t head;
    size_t first;

    pthread_mutex_lock(&stream->lock);
    size = stream->filled;
    head = stream->head;
    *ended = stream->ended;
    *complete = stream->complete;
    pthread_mutex_unlock(&stream->lock);
    first = ISWI_WINDOW_BYTES - head;
    first = first < size ? first : size;
    parts[0] = (struct iovec){ stream->ring + head, first };
    parts[1] = (struct iovec){ stream->ring, size - first };
    return size;
}

void iswi_http_stream_take(iswi_http_request *request, size_t size)
{
    const iswi_http *http = request->http;
    iswi_http_stream *stream = request->stream;
    size_t told = 0;

    pthread_mutex_lock(&stream->lock);
    stream->head = (stream->head + size) % ISWI_WINDOW_BYTES;
    stream->filled -= size;
    stream->owed += size;
    if (stream->owed >= ISWI_WINDOW_BYTES / 2 && !stream->ended) {
        told = stream->owed;
        stream->owed = 0;
    }
    pthread_mutex_unlock(&stream->lock);
    if (told && http->events.taken)
        http->events.taken(http->user, request, told);
}

bool iswi_http_stream_put(iswi_http_stream *stream, isw_bytes bytes)
{
    size_t at;
    size_t first;
    bool fits;

    pthread_mutex_lock(&stream->lock);
    fits = bytes.size <= ISWI_WINDOW_BYTES - stream->filled - stream->owed;
    if (fits && bytes.size) {
        at = (stream->head + stream->filled) % ISWI_WINDOW_BYTES;
        first = bytes.size < ISWI_WINDOW_BYTES - at ? bytes.size : ISWI_WINDOW_BYTES - at;
        memcpy(stream->ring + at, bytes.data, first);
        memcpy(stream->ring, (const char *)bytes.data + first, bytes.size - first);
        stream->filled += bytes.size;
    }
    pthread_mutex_unlock(&stream->lock);
    return fits;
}

void iswi_http_stream_end(iswi_http_stream *stream, bool complete)
{
    pthread_mutex_lock(&stream->lock);
    stream->ended = true;
    stream->complete = complete;
    pthread_mutex_unlock(&stream->lock);
}

bool iswi_http_has_begun(const iswi_http_request *request)
{
    return request->stream && request->stream->begun;
}
