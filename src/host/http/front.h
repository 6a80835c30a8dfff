/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_FRONT_H
#define ISWI_HOST_HTTP_FRONT_H

/*
 * The HTTP/1.1 front of the host. A request is read whole, or its head if its function streams,
 * routed and handed over; it then rests, which costs no thread, until somebody answers it, at once
 * or piece by piece. What cannot be handed over (no route, a malformed head, a body over the limit)
 * is answered here, as problem details (RFC 9457). Beside the routes there are GET / and
 * GET /healthz, for people and for probes.
 *
 * Connections live on reactors, each on one. Whoever answers on the request's own reactor writes to
 * the socket there and then; from other threads the answer is handed to it.
 */
#include "host/system/address.h"
#include "host/system/legacy.h"
#include "reactor/reactor.h"
#include "host/tls/session.h"
#include "url/routes.h"

#include <isoworker/log.h>
#include <isoworker/status.h>
#include <isoworker/sys/facts.h>
#include <isoworker/value.h>

typedef struct iswi_http iswi_http;
typedef struct iswi_http_request iswi_http_request;
typedef struct iswi_http_terms iswi_http_terms;
typedef struct iswi_http_doors iswi_http_doors;
typedef struct iswi_http_trust iswi_http_trust; /* caller.h */
typedef struct iswi_access_log iswi_access_log; /* access_log.h */

/* Called on a thread of the front once a request is in, with the `target` of its route. Must not
 * block. Leads to exactly one iswi_http_answer or iswi_http_answer_problem, from any thread, also
 * from within. */
typedef void (*iswi_http_handler_fn)(void *user, void *target, iswi_http_request *request);

/* A second way in, at the same addresses, for what is found by no route: calls of another host,
 * which speak of functions by a contract of their own. Their bodies come whole. */
typedef struct iswi_http_side {
    /* What a request is for: a target for `handle`; NULL: nothing that is known. On a loop; must
     * not block. NULL: there is nothing. */
    void *(*find)(void *user, const isw_http *request, isw_str path);
    iswi_http_handler_fn handle;
    void *user;
    bool first; /* it is asked before the routes are; else about paths outside of the prefix alone,
                   where no client of a function comes by */
    /* A request that was handed to nobody, or whose answer is no call's (iswi_http_call of dialect.h),
     * is over, and was answered so; 0: it was not. On a loop. NULL: nobody asks. */
    void (*unheard)(void *user, const isw_http *request, unsigned status);
} iswi_http_side;

/* Zero or NULL stands for the default in brackets. */
typedef struct iswi_http_options {
    const iswi_address *listen; /* where [127.0.0.1:7071] */
    size_t listen_count;
    unsigned socket_mode;       /* permissions of sockets at paths [0660] */
    const char *folder;         /* of relative paths of those [the current one] */
    const char *prefix;         /* path before every route; "" for none ["api"] */
    int64_t body_limit_bytes;   /* of a request's body [100 MiB] */
    int64_t body_memory_bytes;  /* of bodies of all requests together; further ones get 503
                                   [256 MiB] */
    int64_t answer_memory_bytes; /* of answers that their clients do not take, together; the oldest
                                    is cut off [256 MiB] */
    int64_t header_timeout_ms;  /* from accept to the end of the head, wall clock [10 s] */
    int64_t body_timeout_ms;    /* from there to the end of the body, wall clock; of one that
                                   streams, and of an answer, between two pieces [60 s] */
    int64_t idle_timeout_ms;    /* from one response to the next request's begin [75 s] */
    int64_t connections;        /* at most; further ones get 503 [10,000] */
    int64_t connections_per_ip; /* at most; further ones are closed [no limit] */
    unsigned threads;           /* that serve connections [1] */
    iswi_reactor *const *reactors; /* these threads; they outlive the front [its own] */
    iswi_tls *tls;              /* for addresses over it, of which there are none without it; it
                                   outlives the front */
    bool indoors;               /* it listens nowhere: all requests are guests (guest.h) */
    const char *setting;        /* what `listen` is called in messages ["http.listen"] */
    iswi_legacy *legacy;        /* of the host before, whose sockets are taken [there was none] */
    bool shut;                  /* no connection is taken before iswi_http_open */
    size_t early_limit;         /* requests at most that wait for functions that are not known yet,
                                   and how long; others get 503 [none] */
    int64_t early_wait_ms;
    bool http1_only;            /* no HTTP/2 to clients that begin with it */
    bool probes;                /* the bridge: there are those below */
    bool bare;                  /* only routes: no GET / and GET /healthz, no X-Request-Id */
    const iswi_http_trust *trust; /* whose word on callers counts; outlives the front [nobody's] */
    iswi_access_log *access_log;  /* gets a line for each request; outlives the front [none] */

    /* What the front asks and tells, with the handler's `user`. NULL: no, nobody, nothing. They do
     * not block. */
    const iswi_http_side *side; /* outlives the front [there is none] */
    /* Whether a request for `target` is handed over with its head alone. */
    bool (*streams)(void *user, void *target);
    /* Whether it answers the preflights of browsers itself (src/url/preflight.h). */
    bool (*preflights)(void *user, void *target);
    /* Whether it answers those itself who ask if they may send events to it (OPTIONS with
     * WebHook-Request-Origin). */
    bool (*consents)(void *user, void *target);
    /* What scripts of other sites may do with it; without a target, with anything, if the origin
     * may at all. NULL: nothing is known. For the answers that the front makes itself, and for
     * problems. It lives as long as the front. */
    const isw_cors *(*policy)(void *user, const void *target, const char *origin);
    /* A piece of such a body, on the thread that handed it over; the last one has no bytes and
     * `end`, or `broken`, when the client did not send it whole. ISW_E_BUSY: try again later. */
    isw_status (*upload)(void *user, iswi_http_request *request, isw_bytes bytes, bool end,
                         bool broken);
    /* The client has taken so much of a streamed answer. */
    void (*taken)(void *user, iswi_http_request *request, size_t bytes);
    /* A client could not agree with us on TLS. */
    void (*unshaken)(void *user, const char *client, const char *why);
    /* Whether it is well ("health"), ready, or started: GET /health, /ready and /startup. NULL: these
     * are not there. */
    bool (*probe)(void *user, const char *what);
    /* A line for the host's log. */
    void (*say)(void *user, isw_log_level level, const char *text);
    /* The client of a request that was handed over is gone; an answer is due all the same. */
    void (*left)(void *user, iswi_http_request *request);
} iswi_http_options;

/* ISW_E_CONFIG for a prefix that is no path. */
isw_status iswi_http_prefix_check(const char *prefix, isw_error *error);

/* Listen and serve. While `routes` is NULL requests wait, or are answered with 503. `routes` and `user`
 * outlive the front; `options` need not. ISW_E_CONFIG for a
 * bad address or prefix, ISW_E_CONFLICT if an address is taken, ISW_E_NO_MEMORY, ISW_E_IO. */
isw_status iswi_http_start(const iswi_http_options *options, const iswi_routes *routes,
                           iswi_http_handler_fn handler, void *user, iswi_http **out,
                           isw_error *error);

/* Make other terms of a front: of `options` all that is no address, no thread and no event. They
 * are for iswi_http_take_terms, or iswi_http_terms_free. Errors: ISW_E_CONFIG for a bad prefix,
 * ISW_E_NO_MEMORY. */
isw_status iswi_http_terms_make(const iswi_http_options *options, iswi_http_terms **out,
                                isw_error *error);
void iswi_http_terms_free(iswi_http_terms *terms); /* may be NULL */

/* Serve by these from now on; connections and requests that began before keep what they began with,
 * or take them over. The front owns them. One thread at a time. */
void iswi_http_take_terms(iswi_http *http, iswi_http_terms *terms);

/* Open what there is to listen at by `listen`, `socket_mode` and `folder` of the options; sockets
 * that are open at one of these addresses go on. They are for iswi_http_take_doors, or
 * iswi_http_doors_free. Errors: as iswi_http_start, for an address. Not on a loop. */
isw_status iswi_http_doors_make(iswi_http *http, const iswi_http_options *options,
                                iswi_http_doors **out, isw_error *error);
void iswi_http_doors_free(iswi_http_doors *doors); /* may be NULL */

/* Listen there from now on, and nowhere else; connections that came by another address go on. The
 * front owns them. Not on a loop. */
void iswi_http_take_doors(iswi_http *http, iswi_http_doors *doors);

/* Serve by these routes from now on. All that were ever given outlive the front. Any thread. */
void iswi_http_set_routes(iswi_http *http, const iswi_routes *routes);

/* Whether there are functions that the routes do not have yet: what matches none is then answered
 * with 503 instead of 404 or 405, since one of them may be at that path; `soon`: after it has waited
 * for them. False at first; true until there are routes at all. Any thread. */
void iswi_http_expect_more(iswi_http *http, bool more, bool soon);

/* Why those that it expects will not be there soon, as a sentence that outlives the front; NULL:
 * they may. Any thread. */
void iswi_http_say_lost(iswi_http *http, const char *why);

/* Where it listens: "http://127.0.0.1:7071", with the port in use, and for an any-address
 * (0.0.0.0, [::]) the loopback address; "unix:/run/app.sock". NULL behind the last one. Borrowed
 * until the stop. Any thread. */
const char *iswi_http_url(const iswi_http *http, size_t index);

/* It was started shut: take connections from now on; sockets that were lent are ours. Any thread but
 * its loops'. */
void iswi_http_open(iswi_http *http);

/* Add what it listens with. False: no memory. Any thread but its loops'. */
bool iswi_http_give(iswi_http *http, iswi_legacy *legacy);

/* Another host listens with the same sockets and takes new connections from now on. Those that are
 * open are served on, and end with their next answer: by "Connection: close", and with HTTP/2 by a
 * GOAWAY that no request can cross. Any thread but its loops'; once or more. */
void iswi_http_leave(iswi_http *http);

/* Leave, and add the connections on which nothing is under way, those in plain HTTP/1: they are the
 * other host's, which adopts them. Any thread but its loops'; the second once it is open. */
void iswi_http_hand_on(iswi_http *http, iswi_legacy *legacy);
void iswi_http_adopt(iswi_http *http, iswi_legacy *legacy);

/* Connections that are open. Any thread. */
size_t iswi_http_connections(const iswi_http *http);

/* Refuse new connections from now on, and answer new requests on open ones with 503 and
 * "Connection: close". Requests that were handed over are not touched. Any thread; once or more. */
void iswi_http_quiesce(iswi_http *http);

/* Answer requests for routes with 503 and "Connection: close" from now on, or no more. Those that
 * came before are not touched. Any thread. */
void iswi_http_hold(iswi_http *http, bool on);

/* Requests for routes that were not held, from their head until their answer is written. Once it is
 * held and this is 0, none is on its way. Any thread. */
size_t iswi_http_admitted(const iswi_http *http);

/* How often a request was answered with `code`, 100 to 599. Any thread. */
uint64_t iswi_http_answers(const iswi_http *http, int code);

/* Requests that wait for their function to be known. Any thread. */
size_t iswi_http_early(const iswi_http *http);

/* How many connections came to no TLS. Any thread. */
uint64_t iswi_http_unshaken(const iswi_http *http);

/* How often what a trusted proxy said of whom it serves was not believed. Any thread. */
uint64_t iswi_http_unsure(const iswi_http *http);

/* Bodies that were refused since those of all requests took their memory, and answers that were cut
 * off since too many waited for their clients. Any thread. */
uint64_t iswi_http_bodies_refused(const iswi_http *http);
uint64_t iswi_http_answers_cut(const iswi_http *http);

/* Requests that were handed over and are unanswered, or whose answer is still being written. Any
 * thread. */
size_t iswi_http_in_flight(iswi_http *http);

/* Quiesce, wait until every request that was handed over is answered (the caller sees to that),
 * give the answers two seconds to be written, and free. Not from the handler. */
void iswi_http_stop(iswi_http *http);

/* The request: method, url, headers, query, params, body, client. Text is valid UTF-8. Valid until
 * the answer is called; the answer itself may point into it only if it is copied, that is, if
 * `release` is NULL. */
const isw_http *iswi_http_request_data(const iswi_http_request *request);

/* What else is known of it: scheme, client_certificate (PROTOCOL.md, section 13, "Who calls").
 * Valid as long. */
isw_map iswi_http_request_metadata(const iswi_http_request *request);

/* The certificate by which its client proved who it is; NULL: it showed none. Valid as long. */
const iswi_tls_peer *iswi_http_request_certificate(const iswi_http_request *request);

/* When its caller needs the answer no more, of the clock of iswi_now_ns, as one that is trusted with
 * it said; 0: it did not. */
int64_t iswi_http_request_deadline(const iswi_http_request *request);

/* Its X-Request-Id, which is also among its headers; empty: it has none. */
isw_str iswi_http_request_id(const iswi_http_request *request);

/* The id that its call is to have (iswi_call_name); NULL: any. */
const char *iswi_http_request_invocation(const iswi_http_request *request);

/* Its answer is no success. Before the answer. */
void iswi_http_note_failed(iswi_http_request *request);

/* For the access log: a worker has it from now on, and: that was answered, by an invocation (its id
 * may be "") and for a principal. Before the answer, on any thread. */
void iswi_http_note_placed(iswi_http_request *request);
void iswi_http_note_answered(iswi_http_request *request, const char *invocation_id,
                             isw_str principal);

/* The same: why it was not served; NULL changes nothing. What a problem of the host's own says is
 * noted by itself. */
void iswi_http_note_reason(iswi_http_request *request, const char *reason);

/* What its route leads to. */
void *iswi_http_request_target(const iswi_http_request *request);

/* Memory that lives as long. On the handler's thread, before it returns. */
iswi_arena *iswi_http_request_arena(iswi_http_request *request);

/*
 * Answer with status, headers and body of `response`; any thread, once. Headers are copied before
 * this returns. The body is written from where it is: it stays valid until `release` is called
 * with `release_user`, on any thread, perhaps before this returns. With a NULL `release` the body
 * is copied before this returns. The request must not be touched afterwards.
 *
 * A status of 0 means 200; one outside 200 to 599 is answered with a 502 problem. Dropped are
 * header fields that belong to the connection (Connection, Keep-Alive, Proxy-Connection, TE,
 * Trailer, Transfer-Encoding, Upgrade) or that the front computes (Content-Length), those whose
 * name is not a token, and those whose value holds a control character. An empty value is sent.
 */
void iswi_http_answer(iswi_http_request *request, const isw_http *response,
                      void (*release)(void *release_user), void *release_user);

/* The bytes of the answer's head, if they are more than there is room for (*room), else 0: such an
 * answer cannot be given. Before the answer. */
size_t iswi_http_head_excess(const iswi_http_request *request, const isw_pairs *headers,
                             size_t *room);

/* What failed, for a problem: members "error", the status's name, and "retriable". Before the
 * answer. */
void iswi_http_problem_is(iswi_http_request *request, isw_status error, bool retriable);

/* What the function gave its answer beside a body: headers for a problem, but for those that speak
 * of a body or of what it stands for. Before the answer; what they point to lives until then. */
void iswi_http_problem_has(iswi_http_request *request, const isw_pairs *headers);

/* When to come back, for a problem with 429 or 503; rounded up to seconds. Before the answer. */
void iswi_http_retry_after(iswi_http_request *request, uint64_t ms);

/* Instead of an answer, on any thread: what it was handed over for is not there any more, and
 * nobody has begun it. It is led to what is at its path now and handed over once more, or
 * answered. The request must not be touched afterwards. */
void iswi_http_again(iswi_http_request *request);

/* -- Streams ----------------------------------------------------------------------------------- */

/* The body of a streaming request may go on for so many bytes more. None of it comes before this,
 * but its end if it is empty. Any thread, before the answer. */
void iswi_http_widen(iswi_http_request *request, uint64_t bytes);

/* A function has begun to read the body of a streaming request: a client that holds it back until
 * it hears "100 Continue" hears that now, and otherwise after a second. So a chain may refuse a
 * request before its body is sent. Any thread, before the answer. */
void iswi_http_want_body(iswi_http_request *request);

/* Begin the answer; its body follows. Headers are copied. ISW_E_CONFLICT if it has begun, ISW_E_*
 * as for an answer that cannot be given. Any thread. */
isw_status iswi_http_begin(iswi_http_request *request, const isw_http *head);

/* More of the body, which is copied. ISW_E_TOO_LARGE for more than ISWI_WINDOW_BYTES that the
 * client has not taken, ISW_E_CONFLICT before the begin. Any thread. */
isw_status iswi_http_continue(iswi_http_request *request, isw_bytes bytes);

/* Whether its body follows, as the function asked. */
bool iswi_http_is_uploading(const iswi_http_request *request);

/* Whether it has begun; if so, iswi_http_end is its answer. */
bool iswi_http_has_begun(const iswi_http_request *request);

/* The body is complete, or cut off, which the client will see. The request must not be touched
 * afterwards. Any thread, once. */
void iswi_http_end(iswi_http_request *request, bool complete);

/* Two words of the handler's own, for what finds the request's other side; both zero at first. */
void iswi_http_set_tag(iswi_http_request *request, void *pointer, uint64_t number);

/* Whether its answer is no call's (`unheard`); before that, on its loop. */
void iswi_http_set_apart(iswi_http_request *request, bool on);
void iswi_http_tag(const iswi_http_request *request, void **pointer, uint64_t *number);

/* Answer with application/problem+json. A NULL `title` stands for the status's standard phrase;
 * `detail` and `invocation_id` may be NULL. 401 comes with "WWW-Authenticate: Bearer", 429 and 503
 * with "Retry-After", of one second unless iswi_http_retry_after said another time. Any thread,
 * once. */
void iswi_http_answer_problem(iswi_http_request *request, int status, const char *title,
                              const char *detail, const char *invocation_id);

#endif
