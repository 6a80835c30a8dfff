/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_INTERNAL_H
#define ISWI_HOST_HTTP_INTERNAL_H

/*
 * What the files of this room share: the front, its loops, its requests and their replies. What
 * carries a request over a socket is in connection.h.
 *
 * A loop is what a front has on one reactor. All that happens to a request happens on its loop's
 * thread. Others may answer it: what they have to say is kept in the request, and its loop takes
 * it from there (news.c).
 *
 * A request that was handed over belongs to its carrier and to whoever answers; it is freed when
 * both are done with it. One that was not belongs to its carrier alone.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "host/http/access_line.h"
#include "host/http/bounds.h"
#include "host/http/caller.h"
#include "host/http/front.h"
#include "host/http/listener.h"
#include "host/http/pool.h"
#include "host/http/request_id.h"
#include "host/http/small.h"
#include "reactor/reactor.h"
#include "url/date.h"
#include "wire/limits.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    ISWI_HTTP_CODES = 500,
    ISWI_HTTP_UNSURE_MAX = 32, /* proxies of which a line is written */
    ISWI_HTTP_OWN_HEADERS = ISW_CORS_HEADERS_MAX + 5, /* of an answer, that are the host's */
    ISWI_HTTP_NO_LENGTH = -1
};

typedef struct iswi_http_connection iswi_http_connection; /* connection.h */
typedef struct iswi_http_stream iswi_http_stream;         /* stream.h */

/* ---- What there is of it ---- */

typedef struct iswi_http_loop {
    iswi_http *http;
    iswi_reactor *reactor;
    iswi_http_connection *connections; /* all that live here */
    iswi_http_pool pool;
    iswi_http_small small;
    iswi_http_waiters waiters; /* answers that wait for their clients */
    iswi_timer trim; /* of the pool and of small memory */
    iswi_task leaving; /* those that speak HTTP/2 tell their clients */
    atomic_bool leaves; /* that is due */
    iswi_http_request *early, *early_last; /* that wait for their functions to be known */
    iswi_timer early_due;
    iswi_task early_look;
    atomic_bool early_asked;
    iswi_buffer head; /* of the answer that is being written */
    iswi_http_request *spare;
    size_t spare_count;
    int64_t date_s; /* what `date` says, since 1970 */
    char date[ISWI_HTTP_DATE_BYTES];
} iswi_http_loop;

/* What a front serves by. Others may follow; all that it ever had stay until its end. */
struct iswi_http_terms {
    const iswi_http_terms *before;
    char *prefix; /* "/api" or "" */
    int64_t body_limit_bytes, body_memory_bytes, answer_memory_bytes;
    int64_t header_ns, body_ns, idle_ns;
    size_t connections, connections_per_ip; /* the second 0: any number */
    size_t early_limit;
    int64_t early_wait_ms;
    bool http1_only;
    const iswi_http_trust *trust;
    iswi_access_log *access_log; /* NULL: none */
    iswi_tls *tls;               /* NULL: none */
};

struct iswi_http {
    _Atomic(const iswi_routes *) routes; /* NULL: 503 */
    atomic_bool expects_more;            /* routes */
    atomic_bool expects_soon;            /* some that are worth to wait for */
    _Atomic(const char *) lost;          /* why no more will be there soon; NULL: they may */
    atomic_size_t early;                 /* requests that do */
    iswi_http_handler_fn handler;
    void *user;
    iswi_http_options events; /* of it only what the front asks and tells */
    /* Ways from one end of the room to another, which its files do not know each other by: */
    void (*tell)(iswi_http_request *request, unsigned news);  /* iswi_http_tell */
    void (*lead_again)(iswi_http_request *request);           /* iswi_http_lead_again */
    _Atomic(const iswi_http_terms *) terms; /* in force */
    iswi_http_bounds bounds;

    iswi_http_listener listener;
    atomic_bool quiescing;
    atomic_bool leaving; /* another host takes new connections */
    atomic_bool held;
    atomic_size_t admitted;
    atomic_ullong answers[ISWI_HTTP_CODES]; /* by code, from 100 */
    atomic_ullong unshaken;                 /* connections that came to no TLS */
    atomic_ullong unsure; /* requests of which a trusted proxy said what is not believed */
    char unsure_of[ISWI_HTTP_UNSURE_MAX][ISWI_CLIENT_BYTES]; /* these; with the lock */
    iswi_request_ids ids;

    iswi_http_loop *loops;
    unsigned loop_count;
    bool owns_reactors;

    atomic_size_t unanswered; /* handed over, and not answered */
    atomic_size_t open;       /* handed over, and not written to its end */
    atomic_size_t visitors;   /* threads that hand an answer to a loop right now */
    pthread_mutex_t lock;     /* to wait for one of the three to fall, and of what says so */
    pthread_cond_t changed;
};

/* ---- Replies ---- */

typedef struct iswi_http_reply {
    unsigned status;
    isw_pairs given; /* the function's: those that are not its to set are left out */
    isw_pair own[ISWI_HTTP_OWN_HEADERS];
    size_t own_count;
    isw_bytes body;
    void (*release)(void *release_user); /* of the body; NULL: it is there while the reply is handed
                                            over, and no longer */
    void *release_user;
    int64_t length; /* of the body that it speaks of; ISWI_HTTP_NO_LENGTH: it says none */
    bool is_problem; /* given headers that speak of a body are left out, too */
    bool streams;    /* its body follows */
} iswi_http_reply;

/* What carries a request: a connection. On the loop's thread. */
typedef struct iswi_http_carrier {
    void (*answer)(iswi_http_request *request); /* write request->reply; once */
    void (*go_on)(iswi_http_request *request);  /* the stream of its body has more, or ended */
    void (*widen)(iswi_http_request *request);  /* more of the request's body may be handed on, or it
                                                   is early no more */
    bool inside; /* it came by no socket: it is for a route */
} iswi_http_carrier;

/* ---- Requests ---- */

/* What is remembered of one for the access log, where there is one. */
typedef struct iswi_http_record {
    iswi_access_log *log;           /* that it is for */
    int64_t begun_us;               /* wall clock */
    int64_t begun_ns;
    int64_t placed_ns, answered_ns; /* 0: it was not */
    char invocation_id[40];
    char principal[ISWI_PRINCIPAL_MAX + 1];
    char reason[160];
} iswi_http_record;

/* What its carrier knows of it. */
typedef struct iswi_http_figures {
    isw_str client;        /* where the request does not say */
    isw_str protocol;      /* "HTTP/1.1"; empty: its head did not come whole */
    uint64_t received, sent, body_sent;
    bool answered; /* at least the head of an answer was under way */
    bool cut;      /* it did not come to its end */
} iswi_http_figures;

/* What is to be told to its loop. */
enum {
    ISWI_HTTP_NEWS_REPLY = 1,
    ISWI_HTTP_NEWS_STREAM = 2,
    ISWI_HTTP_NEWS_WIDE = 4,
    ISWI_HTTP_NEWS_LAST = 8, /* whoever answers is done with it */
    ISWI_HTTP_NEWS_AGAIN = 16 /* it is to be led once more */
};

struct iswi_http_request {
    iswi_http *http;
    iswi_http_loop *loop;
    const iswi_http_carrier *carrier;
    void *carried_by;        /* NULL: nobody takes an answer any more */
    iswi_http_request *next; /* spare one */
    iswi_http_request *early_before, *early_next;
    int64_t early_until_ns; /* 0: it did not have to wait for its function */
    bool is_early;          /* it does */
    iswi_arena arena;
    isw_http data;
    isw_map metadata; /* what else is told of it */
    int64_t deadline_ns; /* that its caller has said; 0: none */
    const iswi_tls_peer *certificate; /* of its client; NULL: none is known */
    isw_str id;               /* X-Request-Id; in the arena, or with its headers */
    iswi_http_record *record; /* in the arena; NULL: nobody asks */
    void *target;
    bool is_beside; /* it is the side's */
    bool is_apart;  /* its answer is no call's */
    bool failed;    /* its function has, or did not begin */
    const char *invocation_id; /* that its call is to have; NULL: any */
    iswi_http_block *blocks[2]; /* that `data` points into, besides the arena */
    bool handed_over, admitted;
    unsigned led_again; /* so often, since what it was for was there no more */
    bool rested;        /* before the next time */
    bool last;     /* of its connection */
    bool answered; /* nobody will any more */
    bool dead;        /* free it once nobody looks at it any more */
    unsigned lookers; /* up the stack */
    iswi_http_reply reply;
    uint64_t retry_after_ms; /* 0: not said */
    isw_status error;        /* of a problem; ISW_OK: not said */
    bool retriable;
    const isw_pairs *told; /* headers of a problem, from the function; NULL: it is our own */
    _Atomic(iswi_http_stream *) stream; /* made when the first of its directions begins to stream */
    iswi_task task;                     /* there are news */
    atomic_uint news;
    _Atomic(void *) tag_pointer;
    atomic_ullong tag_number;
};

extern const char iswi_http_no_memory[];

/* ---- request.c ---- */

/* NULL when memory is out. */
iswi_http_request *iswi_http_request_create(iswi_http_loop *loop, const iswi_http_carrier *carrier,
                                            void *carried_by);

/* It is done with; freed once nobody looks at it any more. */
void iswi_http_request_free(iswi_http_request *request);

/* What is called in between may answer it: it is there until the end. */
void iswi_http_request_look(iswi_http_request *request);
void iswi_http_request_unlook(iswi_http_request *request);

/* Give it to the handler; the second does no more than that. */
void iswi_http_hand_over(iswi_http_request *request);
void iswi_http_handle(iswi_http_request *request);

/* Whether it is to be given with its head alone. */
bool iswi_http_comes_in_pieces(const iswi_http_request *request);

/* Its carrier is done with it: it was answered, or its client is gone, which is told then. */
void iswi_http_request_done(iswi_http_request *request);
void iswi_http_request_abandon(iswi_http_request *request);

/* ---- metadata.c ---- */

/* Its caller came by that scheme, which lives for ever, and its connection over TLS or in plain
 * (NULL). False: no memory. */
bool iswi_http_know_scheme(iswi_http_request *request, const char *scheme,
                           const iswi_tls_session *session);

/* Its method, url and headers are there: what follows from them and from whom it came, over `tls`
 * or in plain (NULL), which is its query, who calls, and its name. 0, or the status to refuse it
 * with and a sentence in *why. */
int iswi_http_request_arrived(iswi_http_request *request, const iswi_http_peer *peer,
                              const iswi_tls_session *tls, const char **why);

/* Its reply bears its name, unless the function has its own to say. */
void iswi_http_request_name_reply(iswi_http_request *request);

/* ---- access.c ---- */

/* Begin to remember, and write its line: its carrier is done with it. */
void iswi_http_record_begin(iswi_http_request *request);
void iswi_http_record_end(const iswi_http_request *request, const iswi_http_figures *figures);

/* ---- route.c ---- */

typedef enum iswi_http_routed {
    ISWI_HTTP_ROUTED,
    ISWI_HTTP_ANSWERED, /* it has its reply */
    ISWI_HTTP_EARLY     /* nobody knows yet: to be routed again once it is early no more */
} iswi_http_routed;

/* Find what the request is for, and whether it is let in. */
iswi_http_routed iswi_http_route(iswi_http_request *request);

/* The same once more, of one that was let in. */
iswi_http_routed iswi_http_route_again(iswi_http_request *request);

/* ---- terms.c ---- */

/* Free all that the front ever had. */
void iswi_http_terms_end(iswi_http *http);

/* ---- again.c ---- */

/* On the loop: lead one that was handed over. */
void iswi_http_lead_again(iswi_http_request *request);

/* ---- early.c: on the loop, but for the last one ---- */

/* Have it wait for routes. False: it may not, or has waited long enough. */
bool iswi_http_early_wait(iswi_http_request *request);

/* Have one that was handed over wait until routes are others, or so long; then it is led again. */
void iswi_http_early_rest(iswi_http_request *request, int64_t until_ns);

/* It did, and waits no more. */
void iswi_http_early_leave(iswi_http_request *request);

void iswi_http_early_begin(iswi_http_loop *loop);
void iswi_http_early_end(iswi_http_loop *loop);

/* What decides whether requests wait is another now. Any thread. */
void iswi_http_early_changed(iswi_http *http);

/* ---- news.c: from any thread to the request's loop ---- */

/* The loop hears of it soon: also on its own thread not from within, where whoever tells may hold
 * what the front's events need. */
void iswi_http_tell(iswi_http_request *request, unsigned news);

/* Hand the reply over: the whole one at once where this is the loop's own thread; else, and one
 * that only begins, with a copy of what it points to. */
void iswi_http_reply_whole(iswi_http_request *request);
void iswi_http_reply_head(iswi_http_request *request);

/* ---- loop.c ---- */

bool iswi_http_loop_init(iswi_http_loop *loop, iswi_http *http, iswi_reactor *reactor);
void iswi_http_loop_fini(iswi_http_loop *loop); /* with no connection left */

iswi_http_block *iswi_http_loop_take(iswi_http_loop *loop, size_t size);
void iswi_http_loop_give(iswi_http_loop *loop, iswi_http_block *block); /* may be NULL */

/* So much else was freed: after a rush the system has it back. */
void iswi_http_loop_freed(iswi_http_loop *loop, size_t size);

const char *iswi_http_loop_date(iswi_http_loop *loop);

/* What iswi_http_stop may wait for has changed. On a loop. */
void iswi_http_note_change(iswi_http *http);

/* ---- head.c: the head of an answer, as HTTP/1.1 ---- */

enum { ISWI_HTTP_NUMBER_BYTES = 20 }; /* at most, of digits */

/* Append it; false: no memory. `connection` is what that field says, NULL for nothing. */
bool iswi_http_head_write(iswi_buffer *out, const iswi_http_reply *reply, const char *date,
                          bool chunked, const char *connection);

/* Write a number's digits; returns their end. */
char *iswi_http_put_number(char *at, uint64_t number);

/* Whether a header of the reply is to be sent. */
bool iswi_http_head_takes(const iswi_http_reply *reply, const isw_pair *header);

/* ---- reply.c ---- */

/* Whether only the head of the answer is asked for. */
bool iswi_http_wants_head(const iswi_http_request *request);

/* What Content-Length says; ISWI_HTTP_NO_LENGTH: nothing. */
int64_t iswi_http_length_of(const isw_http *head);

/* The body is not needed any more. */
void iswi_http_reply_release(iswi_http_reply *reply);

/* The text lives as long as the request, or for ever. */
void iswi_http_reply_add(iswi_http_reply *reply, const char *name, const char *value);

/* One more answer of that code. */
void iswi_http_count_answer(iswi_http *http, unsigned code);

/* ---- policy.c: other sites ---- */

/* Have a problem that is the front's own keep to the policy for other sites, or make it the answer
 * to a preflight. After its reply was made. */
void iswi_http_keep_policy(iswi_http_request *request);

/* ---- problem.c: answers of the host's own ---- */

/* Make a problem, or a line of text, the request's reply. */
void iswi_http_set_problem(iswi_http_request *request, int status, const char *title,
                           const char *detail, const char *invocation_id);
void iswi_http_set_text(iswi_http_request *request, int status, const char *text);

/* What a path takes, for OPTIONS where no function answers that: 204 with Allow; NULL: what is not
 * of one path. */
void iswi_http_set_options(iswi_http_request *request, const char *allow);

#endif
