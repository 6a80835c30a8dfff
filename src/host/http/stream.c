/* SPDX-License-Identifier: Apache-2.0 */
/* What both directions of a stream share. */
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
    stream->request = request;
    stream->connection = request->connection;
    atomic_init(&stream->holders, 1);
    pthread_mutex_init(&stream->lock, NULL);
    request->stream = stream;
    return stream;
}

void iswi_http_stream_release(iswi_http_stream *stream)
{
    if (!stream || atomic_fetch_sub(&stream->holders, 1) != 1)
        return;
    pthread_mutex_destroy(&stream->lock);
    iswi_free(stream->ring);
    iswi_free(stream);
}

void iswi_http_stream_suspend(iswi_http_stream *stream)
{
    stream->suspended = true;
    MHD_suspend_connection(stream->connection);
}

void iswi_http_stream_resume(iswi_http_stream *stream)
{
    if (stream->suspended) {
        stream->suspended = false;
        MHD_resume_connection(stream->connection);
    }
}

bool iswi_http_is_uploading(const iswi_http_request *request)
{
    return request->stream && request->stream->uploads;
}

bool iswi_http_has_begun(const iswi_http_request *request)
{
    return request->stream && request->stream->begun;
}

bool iswi_http_stream_is_whole(const iswi_http_request *request)
{
    return !request->stream || !request->stream->uploads || request->stream->whole;
}
