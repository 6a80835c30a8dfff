/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests, piece by piece. */
#include "host/http/stream.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

enum {
    BUSY_PAUSE_NS = 1000000, /* when the other side's backlog is full, until the next try */
    BUSY_TRIES = 1000
};

bool iswi_http_stream_upload(iswi_http_request *request, int64_t length)
{
    iswi_http_stream *stream = iswi_http_stream_of(request);

    if (!stream)
        return false;
    stream->uploads = true;
    stream->due = length > 0 ? length : -1;
    return true;
}

static isw_status send_piece(iswi_http_request *request, isw_bytes bytes, bool end, bool broken)
{
    const iswi_http_options *events = &request->http->events;
    const struct timespec pause = { 0, BUSY_PAUSE_NS };
    isw_status status = ISW_E_BUSY;

    for (int i = 0; status == ISW_E_BUSY && i < BUSY_TRIES; i++) {
        if (i)
            nanosleep(&pause, NULL);
        status = events->upload(request->http->user, request, bytes, end, broken);
    }
    return status;
}

/* libmicrohttpd is told once that a connection became readable, and takes a short read for all
 * there was: an end that came together with the last bytes it does not see. */
static bool has_left(int fd)
{
    struct pollfd one = { .fd = fd, .events = POLLRDHUP };
    int unread = 0;

    return poll(&one, 1, 0) > 0 && ioctl(fd, FIONREAD, &unread) == 0 && unread == 0;
}

/* What of `size` bytes the window allows now; without any the connection waits, suspended: what is
 * left with libmicrohttpd, it offers again for news from the socket or a resume only. */
static size_t allowed(iswi_http_stream *stream, size_t size, bool *hurried)
{
    size_t piece = size < ISWI_HTTP_PIECE_BYTES ? size : ISWI_HTTP_PIECE_BYTES;

    pthread_mutex_lock(&stream->lock);
    *hurried = stream->hurried;
    if (piece > stream->window)
        piece = (size_t)stream->window;
    if (!*hurried && !piece)
        iswi_http_stream_suspend(stream);
    stream->window -= piece;
    pthread_mutex_unlock(&stream->lock);
    return piece;
}

enum MHD_Result iswi_http_stream_more(iswi_http_request *request, const char *bytes, size_t *size)
{
    iswi_http_stream *stream = request->stream;

    while (*size) {
        bool hurried;
        size_t piece = allowed(stream, *size, &hurried);

        if (hurried) { /* nobody wants the rest */
            *size = 0;
            return MHD_YES;
        }
        iswi_http_watch_set(&request->http->watch, request->peer,
                            piece ? ISWI_HTTP_BODY : ISWI_HTTP_FREE);
        if (!piece)
            return MHD_YES;
        if (send_piece(request, (isw_bytes){ bytes, piece }, false, false) != ISW_OK)
            return MHD_NO;
        bytes += piece;
        *size -= piece;
        if (stream->due > 0)
            stream->due -= (int64_t)piece;
    }
    return stream->due > 0 && has_left(request->peer->fd) ? MHD_NO : MHD_YES;
}

void iswi_http_stream_whole(iswi_http_request *request)
{
    iswi_http_watch_set(&request->http->watch, request->peer, ISWI_HTTP_FREE);
    pthread_mutex_lock(&request->stream->lock);
    request->stream->whole = true;
    pthread_mutex_unlock(&request->stream->lock);
    send_piece(request, (isw_bytes){ NULL, 0 }, true, false);
}

void iswi_http_stream_broken(iswi_http_request *request)
{
    const iswi_http_stream *stream = request->stream;

    if (stream && stream->uploads && !stream->whole)
        send_piece(request, (isw_bytes){ NULL, 0 }, false, true);
}


void iswi_http_stream_hurry(iswi_http_request *request)
{
    iswi_http_stream *stream = request->stream;

    if (!stream || !stream->uploads)
        return;
    pthread_mutex_lock(&stream->lock);
    stream->hurried = true;
    iswi_http_stream_resume(stream);
    pthread_mutex_unlock(&stream->lock);
}

void iswi_http_widen(iswi_http_request *request, uint64_t bytes)
{
    iswi_http_stream *stream = request->stream;

    if (!stream || !stream->uploads)
        return;
    pthread_mutex_lock(&stream->lock);
    stream->window += bytes < UINT64_MAX - stream->window ? bytes : 0;
    if (!stream->begun || !stream->whole)
        iswi_http_stream_resume(stream);
    pthread_mutex_unlock(&stream->lock);
}
