/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_CONNECTION_H
#define ISWI_HOST_HTTP_CONNECTION_H

/*
 * A connection of HTTP/1.1: a socket that one loop watches (edge-triggered, for everything, from
 * its begin to its end, so that nothing is to be changed in between), and one request after the
 * other.
 *
 * What comes:  [ANNOUNCED ->] [SHAKES ->] HEAD -> [ROUTE ->] (BODY | UPLOAD ->) WHOLE -> HEAD ...
 *   ANNOUNCED  by a trusted proxy, which says first whose connection it is
 *   SHAKES  the handshake of TLS
 *   HEAD    a head, or the silence before one; an idle connection holds no memory but itself
 *   BODY    a body that is gathered, in the request's blocks
 *   UPLOAD  one that is handed on piece by piece, as its window allows
 *   ROUTE   the head is there, and its function is not known yet
 *   WHOLE   nothing is read before the request is answered
 *   DROP    the rest of a body that nobody wants, after the answer, if it is small
 *   LINGER  the same, and then the end: a connection that is closed while bytes come is reset, and
 *           the reset may overtake the answer
 *   FRAMES  it turned out to be HTTP/2, which has its own ways (h2.h)
 *
 * What goes: nothing -> an answer, whole or as a stream -> nothing. All of it on the loop's thread.
 * Inside the room.
 */
#include "host/http/stream.h"
#include "http1/body.h"

#include <netinet/in.h>

typedef enum iswi_http_coming {
    ISWI_HTTP_AT_HEAD,
    ISWI_HTTP_AT_BODY,
    ISWI_HTTP_AT_UPLOAD,
    ISWI_HTTP_AT_ROUTE,
    ISWI_HTTP_WHOLE,
    ISWI_HTTP_DROPS,
    ISWI_HTTP_LINGERS,
    ISWI_HTTP_IN_FRAMES,
    ISWI_HTTP_SHAKES,
    ISWI_HTTP_ANNOUNCED
} iswi_http_coming;

typedef enum iswi_http_going {
    ISWI_HTTP_SILENT,
    ISWI_HTTP_ANSWERS, /* all of it is there */
    ISWI_HTTP_STREAMS
} iswi_http_going;

/* What its one timer is for. */
typedef enum iswi_http_phase {
    ISWI_HTTP_FREE,     /* nothing: it is somebody else's turn */
    ISWI_HTTP_DUE_HEAD, /* closed then, with 408 if something of a request has come */
    ISWI_HTTP_DUE_BODY, /* the same */
    ISWI_HTTP_IDLE,     /* closed then */
    ISWI_HTTP_STALLED,  /* the client takes nothing of its answer; likewise */
    ISWI_HTTP_ENDING,   /* it lingers; likewise */
    ISWI_HTTP_LEAVING,  /* the client sends no more: whoever answers is told then */
    ISWI_HTTP_TENDED,   /* HTTP/2 has times of its own */
    ISWI_HTTP_RETRYING, /* a piece of its body was not taken */
    ISWI_HTTP_ASKING    /* the client is to send the body that it holds back */
} iswi_http_phase;

enum { ISWI_HTTP_BYTES_AT_ONCE = 256 * 1024 }; /* each way, before others have their turn */

/* What is to be written. */
typedef struct iswi_http_out {
    struct iovec parts[5];
    unsigned first, count;
    unsigned passing; /* bits of those that are there only while they are handed over */
    iswi_http_block *kept; /* what became of them */
    void (*release)(void *release_user);
    void *release_user;
    iswi_http_waiting waiting; /* its client takes none of it now */
    size_t piece_size; /* of these bytes, those that are in the stream's ring */
    char line[20];      /* of a chunk */
} iswi_http_out;

struct iswi_http_connection {
    iswi_watch watch;
    iswi_timer timer;
    iswi_task task;
    bool queued; /* the task */
    iswi_http *http;
    iswi_http_loop *loop;
    iswi_http_connection *next, **link; /* of its loop */
    iswi_tls_session *tls;              /* NULL: it is plain */

    iswi_http_coming coming;
    iswi_http_going going;
    iswi_http_phase phase;
    bool readable;    /* perhaps */
    bool half_closed; /* the client sends no more */
    bool ended;       /* all that it sent was read */
    bool turning;     /* somewhere up the stack */
    bool again;       /* it is to be turned once more */
    bool paused;      /* it has more to write, and lets others have their turn */
    bool closed;
    bool refused;     /* there are too many */
    bool secure;      /* it comes over TLS */
    bool kept;        /* another host had it before */
    bool closes;  /* once the answer is written */
    bool chunked;    /* the answer */
    bool last_piece; /* of the stream is under way */
    int64_t due;     /* bytes of the stream that were announced and not sent; or NO_LENGTH */
    bool told_left;
    bool guessed; /* it is no HTTP/2 */
    unsigned tries; /* of a piece of its body */
    uint64_t dropped; /* bytes, while it lingers */

    iswi_http_block *input; /* NULL: nothing was read that is not used */
    size_t from, to;        /* of its bytes, those that are not used */
    iswi_http1_head head;
    iswi_http1_body body;
    bool body_ended;  /* its last piece is under way */
    isw_bytes piece;  /* of it, that was not handed on */
    iswi_http_request *request; /* NULL between two of them */
    iswi_http_out out;
    struct iswi_h2 *h2; /* NULL: it speaks HTTP/1 */

    struct sockaddr_storage address;
    iswi_http_peer peer;
    uint64_t read, written; /* bytes in all */
    uint64_t begun_at; /* how many were used before this request */
    uint64_t sent;     /* bytes of this answer, and how many its head has */
    size_t head_size;
};

extern const iswi_http_carrier iswi_http_connection_carrier; /* answer.c */

/* ---- connection.c ---- */

/* End it now: the request is abandoned, and memory is given back soon. */
void iswi_http_connection_close(iswi_http_connection *connection);

/* Have what is to be done, done: now if it is being looked at, else before the loop sleeps. */
void iswi_http_connection_wake(iswi_http_connection *connection);

/* The same, once others had their turn. */
void iswi_http_connection_later(iswi_http_connection *connection);

/* The same, once those had theirs whose sockets are ready. */
void iswi_http_connection_yield(iswi_http_connection *connection);

void iswi_http_connection_set_phase(iswi_http_connection *connection, iswi_http_phase phase,
                                    int64_t after_ns);

/* ---- transport.c: all that reads and writes ---- */

/* As read(2) and writev(2): -1 with errno, EAGAIN where nothing goes now. */
ssize_t iswi_http_transport_read(iswi_http_connection *connection, void *bytes, size_t size);
ssize_t iswi_http_transport_write(iswi_http_connection *connection, const struct iovec *parts,
                                  unsigned count);

/* What came on the socket itself, whatever goes over it, before anything else reads there; it stays
 * there if it is only to be looked at. As recv(2). */
ssize_t iswi_http_transport_take_raw(iswi_http_connection *connection, void *bytes, size_t size,
                                     bool only_look);

/* Say that nothing more will be written. */
void iswi_http_transport_end(iswi_http_connection *connection);
void iswi_http_transport_close(iswi_http_connection *connection);

/* ---- input.c ---- */

/* Read into `bytes`; how many came. 0: none now, or the end, in which case it is closed unless it
 * is being answered. */
size_t iswi_http_fill(iswi_http_connection *connection, char *bytes, size_t size);

/* Room behind what was read; false: no memory. */
bool iswi_http_make_room(iswi_http_connection *connection);

/* Nothing more is there: between two requests the connection holds no memory. */
void iswi_http_rest(iswi_http_connection *connection);

/* What comes from now on is read into memory of its own: the head stays where it is. False: no
 * memory; the connection is closed. */
bool iswi_http_part_from_head(iswi_http_connection *connection);

/* ---- announced.c ---- */

/* What a connection begins with, TLS or a head; and what comes before that: a step. */
void iswi_http_begin_to_speak(iswi_http_connection *connection);
bool iswi_http_read_announced(iswi_http_connection *connection);

/* ---- figures.c ---- */

/* How many bytes were read and used. */
uint64_t iswi_http_used(const iswi_http_connection *connection);

/* Write the request's line of the access log; `cut`: its answer is not whole. */
void iswi_http_connection_record(const iswi_http_connection *connection, bool cut);

/* ---- read.c: heads. What is called read_ here and in the next ones is a step, which says whether
 * another one may follow at once. ---- */

bool iswi_http_read_head(iswi_http_connection *connection);

/* The request waits for its function, or does so no more. */
bool iswi_http_read_route(iswi_http_connection *connection);

/* ---- body.c ---- */

/* The head is there, and the request has its target. */
void iswi_http_begin_body(iswi_http_connection *connection);
bool iswi_http_read_body(iswi_http_connection *connection);

/* ---- pieces.c ---- */

void iswi_http_begin_upload(iswi_http_connection *connection);
bool iswi_http_read_upload(iswi_http_connection *connection);

/* ---- linger.c ---- */

/* An answer comes before the body is whole, which nobody wants any more: it is dropped from now on,
 * and the connection closes behind the answer unless little is left. */
void iswi_http_drop_rest(iswi_http_connection *connection);

/* The answer is written, and the connection ends. */
void iswi_http_linger(iswi_http_connection *connection);

bool iswi_http_read_rest(iswi_http_connection *connection); /* of either */

/* ---- answer.c ---- */

/* Write what there is of the answer. */
void iswi_http_pump(iswi_http_connection *connection);

/* The request has its reply and was not handed over: answer it. */
void iswi_http_answer_here(iswi_http_connection *connection);

/* The request is refused, and with it all that follows. */
void iswi_http_refuse(iswi_http_connection *connection, int status, const char *detail);

/* There are too many connections. */
void iswi_http_refuse_connection(iswi_http_connection *connection);

/* ---- write.c ---- */

typedef enum iswi_http_flushed {
    ISWI_HTTP_FLUSHED,
    ISWI_HTTP_BLOCKED,
    ISWI_HTTP_PAUSED, /* no more is to be written in this turn */
    ISWI_HTTP_BROKEN
} iswi_http_flushed;

/* Until connection->written is `most`. */
iswi_http_flushed iswi_http_flush(iswi_http_connection *connection, uint64_t most);

/* Have the client send the body that it holds back. */
void iswi_http_ask_for_body(iswi_http_connection *connection);

/* ---- out.c ---- */

void iswi_http_out_add(iswi_http_out *out, const void *bytes, size_t size, bool passing);
bool iswi_http_out_keep(iswi_http_connection *connection); /* copy what passes; false: no memory */
void iswi_http_out_advance(iswi_http_out *out, size_t size); /* so much of it was written */
void iswi_http_out_drop(iswi_http_connection *connection);

/* ---- turn.c ---- */

/* A new one for `loop`, where it begins; owns `fd`. On any loop. */
void iswi_http_connection_create(iswi_http_loop *loop, int fd, const struct sockaddr_storage *from,
                                 iswi_http_manner manner);

/* ---- shake.c: as those of read.c ---- */

bool iswi_http_shake(iswi_http_connection *connection);

#endif
