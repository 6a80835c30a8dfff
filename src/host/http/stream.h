/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_STREAM_H
#define ISWI_HOST_HTTP_STREAM_H

/*
 * A request whose body, or whose answer's, goes piece by piece, with a window in each direction:
 * what the handler has not asked for stays with the client (upload.c), what the client has not
 * taken stays with the handler (download.c). Where there is nothing to do, the connection is
 * suspended. Invariant: a connection is suspended under the stream's lock, by libmicrohttpd's
 * thread, with the flag that says so; whoever takes the flag back resumes it. Inside the room.
 */
#include "host/http/internal.h"

enum { ISWI_HTTP_PIECE_BYTES = 64 * 1024 };

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

/* That of the request, which is one of its holders, made if there is none; NULL: no memory. */
iswi_http_stream *iswi_http_stream_of(iswi_http_request *request);

/* With the lock; the first on libmicrohttpd's thread. */
void iswi_http_stream_suspend(iswi_http_stream *stream);
void iswi_http_stream_resume(iswi_http_stream *stream);

#endif
