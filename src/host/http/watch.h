/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_WATCH_H
#define ISWI_HOST_HTTP_WATCH_H

/*
 * Wall-clock deadlines for connections: libmicrohttpd's own timeout counts from the last byte, so
 * that a client which drips bytes never meets it. A connection has at most one deadline, that of
 * the phase it is in. When it passes, the connection is shut down, and libmicrohttpd finds it
 * closed. Any thread may call any function.
 */
#include <isoworker/value.h>
#include <netinet/in.h>
#include <pthread.h>

typedef enum iswi_http_phase {
    ISWI_HTTP_HEAD,   /* accepted; the first request's head is due */
    ISWI_HTTP_BODY,   /* a body is due */
    ISWI_HTTP_NEXT,   /* answered; the next request's head is due, after some idling */
    ISWI_HTTP_LINGER, /* refused in the middle of a body; whatever comes is dropped */
    ISWI_HTTP_PHASES,
    ISWI_HTTP_FREE = ISWI_HTTP_PHASES /* no deadline: somebody else's turn */
} iswi_http_phase;

typedef struct iswi_http_peer {
    struct iswi_http_peer *older;
    struct iswi_http_peer *newer;
    iswi_http_phase phase;
    int fd;
    int64_t deadline_ns;
    char client[INET6_ADDRSTRLEN]; /* its address; the watch does not read it */
} iswi_http_peer;

typedef struct iswi_http_watch {
    pthread_mutex_t lock;
    /* All deadlines of a phase are equally far away, so that each list is sorted as it is. */
    struct {
        iswi_http_peer *oldest;
        iswi_http_peer *newest;
        int64_t timeout_ns;
    } phases[ISWI_HTTP_PHASES];
    size_t peers;
    int64_t waking_ns; /* when the thread that calls expire will do so again */
    int wake_fd;       /* eventfd that rouses it before */
} iswi_http_watch;

/* False when the system gives no eventfd. */
bool iswi_http_watch_init(iswi_http_watch *watch, const int64_t timeout_ms[ISWI_HTTP_PHASES]);
void iswi_http_watch_fini(iswi_http_watch *watch); /* with no peer left */

/* A new connection, in phase HEAD; NULL when memory is out. */
iswi_http_peer *iswi_http_watch_add(iswi_http_watch *watch, int fd);

/* The connection is about to be closed; afterwards its descriptor is not touched. */
void iswi_http_watch_remove(iswi_http_watch *watch, iswi_http_peer *peer);

void iswi_http_watch_set(iswi_http_watch *watch, iswi_http_peer *peer, iswi_http_phase phase);
size_t iswi_http_watch_count(iswi_http_watch *watch);

/* Shut down every connection whose deadline has passed, and say how long the caller may sleep:
 * milliseconds for poll(2), -1 for ever. */
int iswi_http_watch_expire(iswi_http_watch *watch);

/* End that sleep. */
void iswi_http_watch_wake(iswi_http_watch *watch);

#endif
