/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_INTERNAL_H
#define ISWI_HOST_HTTP_INTERNAL_H

/*
 * What the files of this room share: the front, its requests, and how a request goes through it.
 *
 *   target known -> HEAD -> BODY -> WAITING -> ANSWERED -> completed (freed)
 *                     |       |      |   |      |
 *                     |       |      |   +-> RESTING: suspended; the answer resumes it
 *                     |       |      +-> ABANDONED: the client is gone; freed by its answer
 *                     |       +-> REFUSED: 413 was written past libmicrohttpd; the rest is dropped
 *                     +---------> ANSWERED: answered here
 *
 * A function that streams gets its request at the head: HEAD -> UPLOADING -> WAITING. An answer
 * that streams goes through STREAMING, from when it has begun until it is whole: WAITING ->
 * STREAMING -> ANSWERED, likewise from RESTING and UPLOADING.
 *
 * All steps happen on the libmicrohttpd thread of the connection, but those to STREAMING and
 * ANSWERED from the others, which whoever answers takes. From UPLOADING and WAITING on to ANSWERED
 * the request belongs to the handler; wait.c has who may free it.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "host/http/leave.h"
#include "host/system/listen.h"
#include "host/http/strict.h"
#include "host/http/front.h"
#include "host/http/watch.h"
#include "wire/limits.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdatomic.h>

typedef struct iswi_http_stream iswi_http_stream; /* stream.c */
enum {
    ISWI_HTTP_CODES = 500,
    ISWI_HTTP_HEAD_BYTES = 16 * 1024, /* 431 beyond */
    ISWI_HTTP_FIELD_BYTES = 56, /* what libmicrohttpd takes for each field and each cookie */
    /* A head of that size, what libmicrohttpd copies of it, which is the field Cookie, and two
     * hundred fields and cookies, of which browsers keep 180 for a site; the head of the answer has
     * what is left. It clears all of it for each request, which takes 0.3 us. */
    ISWI_HTTP_CONNECTION_BYTES = 2 * ISWI_HTTP_HEAD_BYTES + 16 * 1024
};

typedef struct iswi_http_loop iswi_http_loop; /* what we know of one thread of libmicrohttpd */

struct iswi_http {
    struct MHD_Daemon *daemon;
    _Atomic(const iswi_routes *) routes; /* NULL: 503 */
    atomic_bool expects_more; /* routes */
    iswi_http_handler_fn handler;
    void *user;
    iswi_http_options events; /* of it only what the front asks and tells */
    char *prefix; /* "/api" or "" */
    int64_t body_limit_bytes;
    size_t connections;
    bool layout_known; /* this libmicrohttpd lays heads out as strict.c expects */

    iswi_http_watch watch;
    iswi_http_leave leave;
    pthread_t acceptor;
    iswi_listeners listeners; /* closed by the acceptor alone */
    struct pollfd *polled;    /* the acceptor's */
    atomic_bool quiescing;
    atomic_bool stopping;
    atomic_bool held;
    atomic_size_t admitted;
    atomic_ullong answers[ISWI_HTTP_CODES]; /* by code, from 100 */

    iswi_http_loop *loops;
    unsigned loop_count;
    atomic_uint loops_taken;

    atomic_size_t unanswered; /* handed over; the call that answers has not returned */
    atomic_size_t open;       /* handed over; libmicrohttpd has not completed it */
    pthread_mutex_t lock;     /* held when unanswered falls, and to wait for either to do so */
    pthread_cond_t changed;
};

typedef enum iswi_http_state {
    ISWI_HTTP_AT_HEAD,
    ISWI_HTTP_AT_BODY,
    ISWI_HTTP_UPLOADING,
    ISWI_HTTP_WAITING,
    ISWI_HTTP_RESTING,
    ISWI_HTTP_ABANDONED,
    ISWI_HTTP_STREAMING,
    ISWI_HTTP_ANSWERED,
    ISWI_HTTP_REFUSED
} iswi_http_state;

struct iswi_http_request {
    iswi_http *http;
    struct MHD_Connection *connection;
    iswi_http_peer *peer;
    _Atomic(iswi_http_state) state; /* hands the response over, too */
    iswi_arena arena;
    iswi_buffer body;
    isw_http data;
    void *target;
    size_t head_bytes;
    bool has_body;
    bool handed_over;
    bool admitted;
    int64_t handed_over_ns;
    /* loops.c: */
    iswi_http_loop *loop;
    bool busy;
    bool rested;  /* it was suspended */
    bool counted; /* its answer was, among those that the loop has taken */
    struct MHD_Response *response; /* ANSWERED, until it is queued; NULL if memory was out */
    unsigned status;
    uint64_t retry_after_ms; /* 0: not said */
    isw_status error;        /* of a problem; ISW_OK: not said */
    bool retriable;
    const isw_pairs *told; /* headers of a problem, from the function; NULL: it is our own */
    iswi_http_stream *stream; /* made when the first of its two directions begins to stream */
    _Atomic(void *) tag_pointer;
    atomic_ullong tag_number;
};

/* ---- request.c: from libmicrohttpd to isw_http ---- */

/* Made when the request line is in: `target` is its path and query, still undecoded. NULL when
 * memory is out. */
iswi_http_request *iswi_http_request_create(iswi_http *http, struct MHD_Connection *connection,
                                            const char *target);
void iswi_http_request_destroy(iswi_http_request *request);

/* Check the head and fill request->data but for params and body. The three texts are those that
 * libmicrohttpd gives its handler. NULL, or a sentence for the client: iswi_http_no_memory (503),
 * iswi_http_head_too_large (431), or what is wrong with the head (400). */
extern const char iswi_http_no_memory[];
extern const char iswi_http_head_too_large[];
const char *iswi_http_request_read_head(iswi_http_request *request, const char *method,
                                        const char *url, const char *version,
                                        iswi_http_framing *framing);

/* ---- head.c: what libmicrohttpd is given to answer with ---- */

/* Add `headers` to the response, but for those that are not a function's to set. */
void iswi_http_add_headers(iswi_http_request *request, const isw_pairs *headers);

/* The length of a body that is to come: what Content-Length says, else MHD_SIZE_UNKNOWN. */
uint64_t iswi_http_length_of(const isw_http *head);

/* Whether only the head of the answer is asked for. */
bool iswi_http_wants_head(const iswi_http_request *request);

/* A response that holds `body` and sees to its release; without one it is copied. One without a
 * body. And one that speaks of a body of `length`, or of one of unknown length, and sends none: to
 * HEAD, and of 304. NULL: no memory; released it is in any case. */
struct MHD_Response *iswi_http_whole(isw_bytes body, void (*release)(void *), void *user);
struct MHD_Response *iswi_http_empty(void);
struct MHD_Response *iswi_http_head_alone(uint64_t length);

/* Hand the response to libmicrohttpd, on its thread. */
enum MHD_Result iswi_http_queue(iswi_http_request *request);

/* One more answer of that code. */
void iswi_http_count_answer(iswi_http *http, unsigned code);

/* The connection closes once the response is written. */
void iswi_http_close_after(iswi_http_request *request);

/* ---- policy.c: other sites ---- */

/* Have a problem that is the front's own keep to the policy for other sites, or make it the answer
 * to a preflight. After its response was made. */
void iswi_http_keep_policy(iswi_http_request *request);

/* The same as lines of a head. */
void iswi_http_write_policy(iswi_http_request *request, iswi_buffer *out);

/* ---- problem.c: answers of the host's own ---- */

/* Make a problem, or a line of text, the request's response. */
void iswi_http_set_problem(iswi_http_request *request, int status, const char *title,
                           const char *detail, const char *invocation_id);
void iswi_http_set_text(iswi_http_request *request, int status, const char *text);

/* What a path takes, for OPTIONS where no function answers that: 204 with Allow. */
void iswi_http_set_options(iswi_http_request *request, const char *allow);

/* ---- loops.c: back to libmicrohttpd's threads ---- */

bool iswi_http_loops_init(iswi_http *http, unsigned count);
void iswi_http_loops_fini(iswi_http *http); /* also after init said false */

/* The answer has begun, with a response; what was the state? ABANDONED: it is not taken. Any
 * thread. */
iswi_http_state iswi_http_begin_streaming(iswi_http_request *request);

/* The request has its response, and nobody waits for more of its body: back to libmicrohttpd with
 * it. Any thread. */
void iswi_http_hand_back(iswi_http_request *request);

/* ---- wait.c: between the handler's call and the answer, on libmicrohttpd's thread ---- */

/* The request was made, on the thread that will serve it. */
void iswi_http_comes_in(iswi_http_request *request);

/* The request is in, or its head if its body is to stream: give it to the handler. */
enum MHD_Result iswi_http_hand_over(iswi_http_request *request, iswi_http_state state);

/* The body that streamed is whole. */
enum MHD_Result iswi_http_upload_is_whole(iswi_http_request *request);

/* libmicrohttpd asks again for the response of a request that was handed over. */
enum MHD_Result iswi_http_look_again(iswi_http_request *request);

/* libmicrohttpd is done with the request: free it, now or with its answer. */
void iswi_http_let_go(iswi_http_request *request);

/* ---- stream.c, upload.c: bodies piece by piece (download.c has what front.h says) ---- */

/* Before the request is handed over with its head alone; `length` of its body, 0 if it does not
 * say. False: no memory. */
bool iswi_http_stream_upload(iswi_http_request *request, int64_t length);

/* A piece of the body came; what is not taken stays. */
enum MHD_Result iswi_http_stream_more(iswi_http_request *request, const char *bytes, size_t *size);

/* The body is whole: now, or already (no body that streams is). On libmicrohttpd's thread. */
void iswi_http_stream_whole(iswi_http_request *request);
bool iswi_http_stream_is_whole(const iswi_http_request *request);

/* libmicrohttpd is done with a request whose upload was not; tell. */
void iswi_http_stream_broken(iswi_http_request *request);

/* The answer came before the body was whole: nothing waits for a window any more. Before
 * iswi_http_hand_back. */
void iswi_http_stream_hurry(iswi_http_request *request);

void iswi_http_stream_release(iswi_http_stream *stream); /* may be NULL */

/* ---- exchange.c: what libmicrohttpd calls, with the front as `user` ---- */

void *iswi_http_on_request_line(void *user, const char *target, struct MHD_Connection *connection);

/* Called first at the head, then for each piece of body, then at the end of the request, and
 * again after a resume. */
enum MHD_Result iswi_http_on_request(void *user, struct MHD_Connection *connection, const char *url,
                                     const char *method, const char *version, const char *upload,
                                     size_t *upload_size, void **context);

void iswi_http_on_completed(void *user, struct MHD_Connection *connection, void **context,
                            enum MHD_RequestTerminationCode code);

/* ---- acceptor.c: the one thread of our own ---- */

/* Accepts connections from http->listeners, and shuts down those whose deadline passed. */
isw_status iswi_http_acceptor_start(iswi_http *http, isw_error *error);
void iswi_http_acceptor_join(iswi_http *http); /* after http->stopping was set */

#endif
