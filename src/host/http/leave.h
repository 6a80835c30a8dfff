/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_LEAVE_H
#define ISWI_HOST_HTTP_LEAVE_H

/*
 * Clients that leave while their connection is suspended: libmicrohttpd does not look at it then.
 * A client that closes its half only counts as gone, as with other servers. Any thread, unless it
 * says otherwise.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct iswi_http_request;

typedef struct iswi_http_leave {
    int epoll;
    pthread_mutex_t lock;
    struct iswi_http_request **resting; /* by descriptor */
    size_t count;
    void (*left)(void *user, struct iswi_http_request *request);
    void *user;
} iswi_http_leave;

/* `left` is called under the lock, on the thread that calls iswi_http_leave_look. NULL: nobody
 * wants to know. False when the system gives no epoll. */
bool iswi_http_leave_init(iswi_http_leave *leave,
                          void (*left)(void *user, struct iswi_http_request *request), void *user);
void iswi_http_leave_fini(iswi_http_leave *leave);

/* From now on `left` is called for the request once its client is gone; until the stop, after which
 * it is not and will not be called. Best effort: without memory it never is. */
void iswi_http_leave_watch(iswi_http_leave *leave, int fd, struct iswi_http_request *request);
void iswi_http_leave_stop(iswi_http_leave *leave, int fd);

/* When leave->epoll is readable. One thread. */
void iswi_http_leave_look(iswi_http_leave *leave);

#endif
