/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_GUEST_H
#define ISWI_HOST_HTTP_GUEST_H

/*
 * Requests that come by no socket: a host of somebody else's has taken them, and tells of each as an
 * event of its own. Given to a front they are guests there, for which all holds that does for those
 * of clients: routes, preflights and policies, problems, X-Request-Id, the access log.
 *
 * All of it on the thread of the front's first loop, which is also where the guest hears of its
 * answer. Nothing here blocks.
 */
#include "host/engine/trigger.h"
#include "host/http/front.h"

typedef struct iswi_http_guest iswi_http_guest;

/* What came. All of it stays until the answer is over. */
typedef struct iswi_http_guest_request {
    isw_http data;       /* method, url, headers with small names, and the body, which is whole; the
                            rest is the front's to fill */
    isw_str client;      /* who sent it, as an address; empty: nobody knows */
    bool tls;            /* by https */
    int64_t deadline_ns; /* when its answer is of no use any more (iswi_now_ns); 0: it always is */
    isw_map metadata;    /* what else the function is told of it */
    const char *invocation_id; /* of its call, by iswi_call_name; NULL: it is given one */
} iswi_http_guest_request;

typedef struct iswi_http_guest_reply {
    unsigned status;   /* 200 to 599; 0: there was no memory for one */
    isw_pairs headers; /* without those that speak of a connection or of a length */
    isw_bytes body;    /* whole, unless it streams */
    bool streams;      /* its body follows */
    int64_t length;    /* that the function has told of such a body; -1: it has not */
    bool failed;       /* it is no success, so far: its function's failure, or a problem of ours */
} iswi_http_guest_reply;

/* Exactly one `answer` comes for each guest, perhaps from within iswi_http_guest_begin, and then,
 * if it streams, one `end`; then it is gone. */
typedef struct iswi_http_guest_events {
    /* What it points to is there for the time of the call. */
    void (*answer)(void *user, const iswi_http_guest_reply *reply);
    /* More of the body; how much of it was taken. The rest comes again after
     * iswi_http_guest_go_on. */
    size_t (*piece)(void *user, isw_bytes piece);
    /* It is over; or cut off. */
    void (*end)(void *user, bool complete);
} iswi_http_guest_events;

/* Have it led to its function. NULL: it was answered already, and is gone. `events` live as long as
 * the guest. */
iswi_http_guest *iswi_http_guest_begin(iswi_http *http, const iswi_http_guest_request *request,
                                       const iswi_http_guest_events *events, void *user);

/* More of the answer can be taken; the rest of it may come, and its end, from within. */
void iswi_http_guest_go_on(iswi_http_guest *guest);

/* Nobody waits for its answer any more; its function need not go on. Nothing comes after this. */
void iswi_http_guest_leave(iswi_http_guest *guest);

/* "http", for hosts whose requests are all guests: functions, routes and `http` of host.yaml are as
 * those of the HTTP trigger, and nothing listens. */
extern const iswi_trigger iswi_http_guests_trigger;

/* The front of an instance of it, or of the HTTP trigger; NULL: `http` of host.yaml switches it off. Lives as long as the
 * instance. */
iswi_http *iswi_http_guests_front(void *self);

#endif
