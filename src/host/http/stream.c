/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies piece by piece, with a window in each direction: what the handler has not asked for stays
 * with the client, what the client has not taken stays with the handler. Where there is nothing to
 * do, the connection is suspended. Invariant: a connection is suspended under the stream's lock,
 * by libmicrohttpd's thread, with the flag that says so; whoever takes the flag back resumes it.
 */
#include "host/http/internal.h"

#include "base/alloc.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

enum {
    PIECE_BYTES = 64 * 1024,
    BUSY_PAUSE_NS = 1000000, /* when the other side's backlog is full, until the next try */
    BUSY_TRIES = 1000
};

struct iswi_http_stream {
    iswi_http_request *request;
    struct MHD_Connection *connection;
    atomic_uint holders; /* the request, and libmicrohttpd while it has the response */
    pthread_mutex_t lock; /* guards what follows */
    bool suspended;
    /* From the client: */
    bool uploads, whole, hurried;
    uint64_t window;
    int64_t due; /* of a body whose length is known, what has not come; negative: not known */
    /* To the client: a ring of ISWI_WINDOW_BYTES. */
    unsigned char *ring;
    size_t head, filled;
    size_t owed; /* taken by the client, and not told */
    bool begun, ended, complete;
};

static iswi_http_stream *stream_of(iswi_http_request *request)
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

/* With the lock, on libmicrohttpd's thread. */
static void suspend(iswi_http_stream *stream)
{
    stream->suspended = true;
    MHD_suspend_connection(stream->connection);
}

/* With the lock. */
static void resume(iswi_http_stream *stream)
{
    if (stream->suspended) {
        stream->suspended = false;
        MHD_resume_connection(stream->connection);
    }
}

/* ---- from the client ---- */

bool iswi_http_stream_upload(iswi_http_request *request, int64_t length)
{
    iswi_http_stream *stream = stream_of(request);

    if (!stream)
        return false;
    stream->uploads = true;
    stream->window = ISWI_WINDOW_BYTES;
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
    size_t piece = size < PIECE_BYTES ? size : PIECE_BYTES;

    pthread_mutex_lock(&stream->lock);
    *hurried = stream->hurried;
    if (piece > stream->window)
        piece = (size_t)stream->window;
    if (!*hurried && !piece)
        suspend(stream);
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

bool iswi_http_stream_is_whole(const iswi_http_request *request)
{
    return !request->stream || !request->stream->uploads || request->stream->whole;
}

void iswi_http_stream_hurry(iswi_http_request *request)
{
    iswi_http_stream *stream = request->stream;

    if (!stream || !stream->uploads)
        return;
    pthread_mutex_lock(&stream->lock);
    stream->hurried = true;
    resume(stream);
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
        resume(stream);
    pthread_mutex_unlock(&stream->lock);
}

/* ---- to the client ---- */

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
        suspend(stream);
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
    response = MHD_create_response_from_callback(length, PIECE_BYTES, read_more, stream, let_go);
    if (!response)
        iswi_http_stream_release(stream);
    return response;
}

isw_status iswi_http_begin(iswi_http_request *request, const isw_http *head)
{
    iswi_http_stream *stream = stream_of(request);
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
        resume(stream);
    }
    pthread_mutex_unlock(&stream->lock);
    return status;
}

bool iswi_http_is_uploading(const iswi_http_request *request)
{
    return request->stream && request->stream->uploads;
}

bool iswi_http_has_begun(const iswi_http_request *request)
{
    return request->stream && request->stream->begun;
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
    iswi_http_hand_back(request);
    pthread_mutex_lock(&stream->lock);
    resume(stream);
    pthread_mutex_unlock(&stream->lock);
    iswi_http_stream_release(stream);
}
