/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_H2_H
#define ISWI_HOST_HTTP_H2_H

/*
 * HTTP/2 on a connection, by nghttp2 (RFC 9113): with prior knowledge, or where TLS agreed on it.
 * It takes the connection's place as the carrier of requests, and has one for each stream.
 *
 * Bytes go into nghttp2, whose callbacks do no more than write down what came (h2_events.c). What
 * is to be done about it is done when it has taken them all (h2_settle.c): so nobody answers from
 * within nghttp2, and a stream that was opened and reset in one go never became a request. What
 * goes back is gathered in one block and written when the loop has nothing else to do
 * (h2_session.c).
 *
 * What one client may cost:
 *   - streams at the same time, and the bytes and fields of a head (431), are limited;
 *   - bodies wait with the client: the window of a stream is widened as its bytes are handed on;
 *     those that are gathered have one body's limit together, and beyond it the oldest goes on;
 *     they count among those of all connections (bounds.h), and so do answers;
 *   - nothing more is read while the client does not take what was written;
 *   - streams that break off, and frames that carry nothing, have a budget that time refills; a
 *     connection that overdraws it ends with ENHANCE_YOUR_CALM (h2_calm.c).
 *
 * All of it on the loop's thread. Inside the room.
 */
#include "host/http/connection.h"

#include <nghttp2/nghttp2.h>

enum {
    ISWI_H2_STREAMS = 100,              /* of a connection at the same time */
    ISWI_H2_WINDOW_BYTES = 256 * 1024,  /* of a stream's body, that nobody has taken */
    ISWI_H2_SHARED_BYTES = 1024 * 1024, /* the same of the connection */
    ISWI_H2_BREAKS = 256,               /* streams that may break off at once, and then ... */
    ISWI_H2_BREAKS_PER_S = 32,          /* ... each second */
    ISWI_H2_IDLE_FRAMES = 1000,         /* the same of frames that carry nothing */
    ISWI_H2_IDLE_FRAMES_PER_S = 200,
    ISWI_H2_CONTINUATIONS = 8 /* frames of one head, besides its first */
};

/* How much of something a client may do. */
typedef struct iswi_h2_budget {
    int64_t left;
    int64_t at_ns; /* when that was so */
} iswi_h2_budget;

typedef struct iswi_h2 iswi_h2;

/* What has come of a head. */
typedef struct iswi_h2_head {
    isw_str method, scheme, authority, path;
    isw_pair *fields; /* in the request's arena */
    size_t count, room;
    size_t bytes;        /* of names and values, and 4 for each field */
    size_t cookie_bytes; /* of those that are to be one */
    int64_t content_length;
    bool too_large, no_memory, invalid;
    bool expects_continue;
} iswi_h2_head;

typedef enum iswi_h2_body {
    ISWI_H2_HEAD,    /* the head has not come */
    ISWI_H2_EARLY,   /* its function is not known yet */
    ISWI_H2_GATHERS, /* the request is handed over once its body is whole */
    ISWI_H2_UPLOADS, /* it was, and its body follows */
    ISWI_H2_TAKEN,   /* nothing more of it is needed */
    ISWI_H2_DROPS    /* nor wanted */
} iswi_h2_body;

typedef struct iswi_h2_stream {
    iswi_h2 *h2;
    struct iswi_h2_stream *next, **link; /* of the connection */
    struct iswi_h2_stream *next_noted;   /* of those that something happened to */
    iswi_http_request *request;          /* NULL: it was no request, or is done with */
    int32_t id;
    bool is_noted;
    bool has_head;  /* its head is whole */
    bool starved;   /* there was no room for its body */
    bool ended;     /* the client sends no more */
    bool closed;    /* nghttp2 has forgotten it */
    uint32_t error; /* with which it closed */

    iswi_h2_head head;
    iswi_h2_body body;
    iswi_http_block *come; /* bytes of it that were not handed on */
    size_t from, to;
    size_t counted; /* of those that were gathered, the window was widened for so many */
    size_t held;    /* bytes that were gathered, as the connection counts them */
    unsigned tries; /* of a piece that was not taken */
    bool is_asking; /* it is held back, and asked for when it is due */

    bool answered;         /* the answer was given to nghttp2 */
    bool deferred;         /* nghttp2 waits for more of it */
    bool whole;            /* all of it was given */
    int64_t due;           /* bytes that were announced and not given; or NO_LENGTH */
    size_t sent;           /* of the reply's body */
    size_t looked;         /* of the stream's ring, given to nghttp2 and not taken yet */
    iswi_http_block *kept; /* the body of a reply that is gone */
    uint64_t received, head_sent, body_sent; /* bytes, before they were packed */
    uint64_t due_sent; /* how many of its body it must have taken to be given more time */
    iswi_http_waiting waiting; /* for its client to take the answer */
    int64_t due_ns; /* when the client has waited too long to go on; INT64_MAX: not its turn */
} iswi_h2_stream;

struct iswi_h2 {
    iswi_http_connection *connection;
    iswi_http_loop *loop;
    const iswi_http_carrier *carrier; /* of its requests: ours */
    nghttp2_session *session;
    iswi_h2_stream *streams; /* the newest first */
    size_t count;
    iswi_h2_stream *noted; /* something happened to them */
    int64_t gathered; /* bytes of bodies that are not whole */
    int64_t gather_most; /* and of how many all but the oldest wait */
    iswi_h2_budget breaks, idle_frames;
    iswi_http_block *out; /* bytes to be written; NULL: none */
    size_t from, to;
    bool in_head;     /* a head has begun and not ended */
    bool blocked;     /* the client takes nothing now */
    bool leaves;      /* its client was told to go elsewhere with what is new, */
    bool left;        /* and that what comes all the same is not heard */
    int64_t head_ns;  /* when a head that has begun is due */
    int64_t quiet_ns; /* when there has been no stream for too long */
    int64_t stall_ns; /* when the client has taken nothing for too long */
};

/* ---- h2_session.c ---- */

/* What the first bytes of a connection are. */
typedef enum iswi_h2_guess { ISWI_H2_NO, ISWI_H2_PERHAPS, ISWI_H2_YES } iswi_h2_guess;

iswi_h2_guess iswi_h2_guess_of(const char *bytes, size_t size);

/* From now on the connection speaks HTTP/2, with what was read and not used. If there is no memory
 * for that it is closed. */
void iswi_h2_begin(iswi_http_connection *connection);

bool iswi_h2_read(iswi_http_connection *connection);  /* a step */
void iswi_h2_write(iswi_http_connection *connection); /* the socket takes more */
void iswi_h2_due(iswi_http_connection *connection);   /* its timer */

/* ---- h2_events.c ---- */

/* NULL: no memory. */
nghttp2_session *iswi_h2_session_new(iswi_h2 *h2);

/* ---- h2_settle.c: not from within nghttp2 ---- */

/* Do what is to be done about all that happened. */
void iswi_h2_settle(iswi_h2 *h2);

/* The client took too long. */
void iswi_h2_stream_due(iswi_h2_stream *stream);

/* ---- h2_head.c ---- */

/* One more field. */
void iswi_h2_head_add(iswi_h2_stream *stream, isw_str name, isw_str value);

/* All are there: they become the request's data. 0, or the status to refuse it with and a sentence
 * in *why. */
int iswi_h2_head_read(iswi_h2_stream *stream, const char **why);

/* ---- h2_answer.c ---- */

extern const iswi_http_carrier iswi_h2_carrier;

/* The request has its reply and was not handed over: answer it. */
void iswi_h2_answer_here(iswi_h2_stream *stream);

/* What nghttp2 was given of a streamed answer is taken. */
void iswi_h2_take_sent(iswi_h2_stream *stream);

/* ---- h2_stream.c ---- */

/* A new one; NULL: no memory. */
iswi_h2_stream *iswi_h2_stream_create(iswi_h2 *h2, int32_t id);

/* More of its body; false: there is no room for it. */
bool iswi_h2_stream_append(iswi_h2_stream *stream, const void *bytes, size_t size);

/* The client may send as much more. */
void iswi_h2_stream_widen(iswi_h2_stream *stream, size_t size);

/* What lies there was handed on. */
void iswi_h2_stream_forget(iswi_h2_stream *stream);

/* Its body is not wanted. */
void iswi_h2_stream_drop(iswi_h2_stream *stream);

/* ---- h2_calm.c ---- */

void iswi_h2_budgets_begin(iswi_h2 *h2);

/* One more; the session ends if that was too many. */
void iswi_h2_note_break(iswi_h2 *h2);
void iswi_h2_note_frame(iswi_h2 *h2, const nghttp2_frame_hd *frame);

/* Something useful was sent, which frames of windows answer. */
void iswi_h2_note_data(iswi_h2 *h2);

/* ---- h2_wake.c ---- */

/* Something happened to it. */
void iswi_h2_stream_note(iswi_h2_stream *stream);

/* Write what there is, soon. */
void iswi_h2_wake(iswi_h2 *h2);

/* Call iswi_h2_due at `at_ns` at the latest. */
void iswi_h2_remind(iswi_h2 *h2, int64_t at_ns);

/* ---- h2_end.c ---- */

/* It is over, and its request with it. */
void iswi_h2_stream_destroy(iswi_h2_stream *stream);

/* Nothing new is heard from now on, and the client is told. Not from within nghttp2's writing. */
void iswi_h2_go_away(iswi_h2 *h2);

void iswi_h2_end(iswi_h2 *h2);  /* the connection is closed: its requests are abandoned */
void iswi_h2_free(iswi_h2 *h2); /* then; may be NULL */

#endif
