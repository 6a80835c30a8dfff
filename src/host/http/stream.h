/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_STREAM_H
#define ISWI_HOST_HTTP_STREAM_H

/*
 * A request whose body, or whose answer's, goes piece by piece, with a window in each direction:
 * what the handler has not asked for stays with the client (upload.c), what the client has not
 * taken stays with the handler (download.c). Inside the room.
 */
#include "host/http/internal.h"

#include <sys/uio.h>

enum {
    ISWI_HTTP_PIECE_BYTES = 64 * 1024,
    ISWI_HTTP_ASK_NS = 1000000000 /* until a body that is held back is asked for anyway */
};

struct iswi_http_stream {
    /* From the client; the loop's alone but for the first two. */
    atomic_ullong window; /* bytes that may still be handed on */
    atomic_bool wanted;   /* though the client holds it back */
    bool uploads, whole;
    /* To the client. */
    atomic_bool begun;
    pthread_mutex_t lock; /* guards what follows */
    unsigned char *ring;  /* of ISWI_WINDOW_BYTES */
    size_t head, filled;
    size_t owed; /* taken by the client, and not told */
    bool ended, complete;
};

/* That of the request, made if there is none; NULL: no memory. */
iswi_http_stream *iswi_http_stream_of(iswi_http_request *request);
void iswi_http_stream_free(iswi_http_stream *stream); /* may be NULL */

/* ---- upload.c; on the loop ---- */

/* Before the request is handed over with its head alone. False: no memory. */
bool iswi_http_stream_upload(iswi_http_request *request);

/* Hand on what the window takes of a piece; *taken bytes. ISW_E_BUSY: none now. */
isw_status iswi_http_stream_pass(iswi_http_request *request, isw_bytes piece, size_t *taken);

/* The body is whole. ISW_E_BUSY: say it again later. */
isw_status iswi_http_stream_whole(iswi_http_request *request);

/* Nobody reads it any more: tell, if it was not whole. */
void iswi_http_stream_broken(iswi_http_request *request);

/* ---- download.c; on the loop ---- */

/* What of the ring is there, in up to two parts, whose size it returns. They stay until they are
 * taken. *ended: nothing follows; *complete: that is its end, and no cut. */
size_t iswi_http_stream_look(iswi_http_stream *stream, struct iovec parts[2], bool *ended,
                             bool *complete);

/* The client has taken so much of it. */
void iswi_http_stream_take(iswi_http_request *request, size_t size);

/* ---- the same, on any thread ---- */

bool iswi_http_stream_put(iswi_http_stream *stream, isw_bytes bytes); /* false: there is no room */
void iswi_http_stream_end(iswi_http_stream *stream, bool complete);

#endif
