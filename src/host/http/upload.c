/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests, piece by piece. */
#include "host/http/stream.h"

bool iswi_http_stream_upload(iswi_http_request *request)
{
    iswi_http_stream *stream = iswi_http_stream_of(request);

    if (!stream)
        return false;
    stream->uploads = true;
    return true;
}

isw_status iswi_http_stream_pass(iswi_http_request *request, isw_bytes piece, size_t *taken)
{
    iswi_http_stream *stream = request->stream;
    const iswi_http *http = request->http;
    const uint64_t window = atomic_load(&stream->window);
    isw_status status;

    *taken = 0;
    if (piece.size > ISWI_HTTP_PIECE_BYTES)
        piece.size = ISWI_HTTP_PIECE_BYTES;
    if (piece.size > window)
        piece.size = (size_t)window;
    if (!piece.size)
        return ISW_OK;
    status = http->events.upload(http->user, request, piece, false, false);
    if (status != ISW_OK)
        return status;
    atomic_fetch_sub(&stream->window, piece.size);
    *taken = piece.size;
    return ISW_OK;
}

isw_status iswi_http_stream_whole(iswi_http_request *request)
{
    const iswi_http *http = request->http;
    isw_status status;

    status = http->events.upload(http->user, request, (isw_bytes){ NULL, 0 }, true, false);
    if (status != ISW_E_BUSY)
        request->stream->whole = true;
    return status;
}

void iswi_http_stream_broken(iswi_http_request *request)
{
    const iswi_http *http = request->http;
    iswi_http_stream *stream = request->stream;

    if (!stream || !stream->uploads || stream->whole)
        return;
    stream->whole = true;
    http->events.upload(http->user, request, (isw_bytes){ NULL, 0 }, false, true);
}

bool iswi_http_is_uploading(const iswi_http_request *request)
{
    return request->stream && request->stream->uploads;
}
