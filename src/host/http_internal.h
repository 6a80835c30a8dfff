/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_INTERNAL_H
#define ISWI_HOST_HTTP_INTERNAL_H

/*
 * What the http_*.c files share: the front, its requests, and how a request goes through it.
 *
 *   target known -> HEAD -> BODY -> WAITING -> ANSWERED -> completed (freed)
 *                     |       |      |   |      |
 *                     |       |      |   +-> RESTING: suspended; the answer resumes it
 *                     |       |      +-> ABANDONED: the client is gone; freed by its answer
 *                     |       +-> REFUSED: 413 was written past libmicrohttpd; the rest is dropped
 *                     +---------> ANSWERED: answered here
 *
 * All steps happen on the libmicrohttpd thread of the connection, but those to ANSWERED from
 * WAITING, RESTING and ABANDONED, which whoever answers takes. In these three the request belongs
 * to the handler; http_wait.c has who may free it.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "host/http_listen.h"
#include "host/http_strict.h"
#include "host/http_trigger.h"
#include "host/http_watch.h"

#include <microhttpd.h>
#include <stdatomic.h>

typedef struct iswi_http_loop iswi_http_loop; /* what we know of one thread of libmicrohttpd */

struct iswi_http {
    struct MHD_Daemon *daemon;
    _Atomic(const iswi_routes *) routes; /* NULL: 503 */
    iswi_http_handler_fn handler;
    void *user;
    char *prefix; /* "/api" or "" */
    int64_t body_limit_bytes;
    size_t connections;
    bool layout_known; /* this libmicrohttpd lays heads out as http_strict.c expects */
    char url[ISWI_HTTP_URL_BYTES];

    iswi_http_watch watch;
    pthread_t acceptor;
    int listen_fd; /* closed by the acceptor alone */
    atomic_bool quiescing;
    atomic_bool stopping;

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
    ISWI_HTTP_WAITING,
    ISWI_HTTP_RESTING,
    ISWI_HTTP_ABANDONED,
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
    bool has_body;
    bool handed_over;
    int64_t handed_over_ns;
    /* http_wait.c: */
    iswi_http_loop *loop;
    bool busy;
    bool rested;  /* it was suspended */
    bool counted; /* its answer was, among those that the loop has taken */
    struct MHD_Response *response; /* ANSWERED, until it is queued; NULL if memory was out */
    unsigned status;
};

/* ---- http_request.c: from libmicrohttpd to isw_http ---- */

/* Made when the request line is in: `target` is its path and query, still undecoded. NULL when
 * memory is out. */
iswi_http_request *iswi_http_request_create(iswi_http *http, struct MHD_Connection *connection,
                                            const char *target);
void iswi_http_request_destroy(iswi_http_request *request);

/* Check the head and fill request->data but for params and body. The three texts are those that
 * libmicrohttpd gives its handler. NULL, or a sentence for the client: iswi_http_no_memory (503),
 * or what is wrong with the head (400). */
extern const char iswi_http_no_memory[];
const char *iswi_http_request_read_head(iswi_http_request *request, const char *method,
                                        const char *url, const char *version,
                                        iswi_http_framing *framing);

/* ---- http_response.c: from isw_http to libmicrohttpd ---- */

/* Make a problem, or a line of text, the request's response. */
void iswi_http_set_problem(iswi_http_request *request, int status, const char *title,
                           const char *detail, const char *invocation_id);
void iswi_http_set_text(iswi_http_request *request, int status, const char *text);

/* Hand the response to libmicrohttpd, on its thread. */
enum MHD_Result iswi_http_queue(iswi_http_request *request);

/* The connection closes once the response is written. */
void iswi_http_close_after(iswi_http_request *request);

/* ---- http_wait.c: between the handler's call and the answer ---- */

bool iswi_http_loops_init(iswi_http *http, unsigned count);
void iswi_http_loops_fini(iswi_http *http); /* also after init said false */

/* The request was made, on the thread that will serve it. */
void iswi_http_comes_in(iswi_http_request *request);

/* The request is in: give it to the handler. */
enum MHD_Result iswi_http_hand_over(iswi_http_request *request);

/* libmicrohttpd asks again for the response of a request that was handed over. */
enum MHD_Result iswi_http_look_again(iswi_http_request *request);

/* The request has its response: back to libmicrohttpd with it. Any thread. */
void iswi_http_hand_back(iswi_http_request *request);

/* libmicrohttpd is done with the request: free it, now or with its answer. */
void iswi_http_let_go(iswi_http_request *request);

/* ---- http_exchange.c: what libmicrohttpd calls, with the front as `user` ---- */

void *iswi_http_on_request_line(void *user, const char *target, struct MHD_Connection *connection);

/* Called first at the head, then for each piece of body, then at the end of the request, and
 * again after a resume. */
enum MHD_Result iswi_http_on_request(void *user, struct MHD_Connection *connection, const char *url,
                                     const char *method, const char *version, const char *upload,
                                     size_t *upload_size, void **context);

void iswi_http_on_completed(void *user, struct MHD_Connection *connection, void **context,
                            enum MHD_RequestTerminationCode code);

/* ---- http_acceptor.c: the one thread of our own ---- */

/* Accepts connections from http->listen_fd, and shuts down those whose deadline passed. */
isw_status iswi_http_acceptor_start(iswi_http *http, isw_error *error);
void iswi_http_acceptor_join(iswi_http *http); /* after http->stopping was set */

#endif
