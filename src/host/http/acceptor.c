/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread that accepts connections for libmicrohttpd, cuts those whose time is up, and sees
 * which clients leave. It sleeps until the nearest deadline, or for ever when there is none. We
 * accept ourselves because libmicrohttpd 0.9.75 cannot stop accepting safely while it runs:
 * MHD_quiesce_daemon and the polling thread may both take the listening socket out of the epoll
 * set, and the second aborts.
 * Invariant: only this thread closes the listening sockets.
 */
#include "host/http/internal.h"

#include "base/alloc.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPTS_AT_ONCE = 64,    /* so that deadlines are seen during a rush */
    EXHAUSTED_PAUSE_MS = 100 /* when descriptors are out, until the next try */
};

static void refuse(int fd)
{
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\n"
                                 "Connection: close\r\n"
                                 "Retry-After: 1\r\n"
                                 "Content-Length: 0\r\n"
                                 "\r\n";

    (void)!send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

/* False when the system cannot give another descriptor now. */
static bool accept_some(iswi_http *http, int listener)
{
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        int fd = accept4(listener, (struct sockaddr *)&address, &size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return errno == EAGAIN || http->quiescing;
        if (iswi_http_watch_count(&http->watch) >= http->connections)
            refuse(fd);
        else
            MHD_add_connection(http->daemon, fd, (struct sockaddr *)&address, size);
    }
    return true;
}

static bool accept_everywhere(iswi_http *http)
{
    bool possible = true;

    for (size_t i = 0; i < http->listeners.count; i++)
        if (http->listeners.items[i].fd >= 0)
            possible = accept_some(http, http->listeners.items[i].fd) && possible;
    return possible;
}

static void wait_for_any(iswi_http *http, bool exhausted, int timeout_ms)
{
    struct pollfd *fds = http->polled;
    size_t count = http->listeners.count;

    for (size_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){ .fd = exhausted ? -1 : http->listeners.items[i].fd,
                                  .events = POLLIN };
    fds[count] = (struct pollfd){ .fd = http->watch.wake_fd, .events = POLLIN };
    fds[count + 1] = (struct pollfd){ .fd = http->leave.epoll, .events = POLLIN };
    poll(fds, (nfds_t)count + 2, timeout_ms);
    if (fds[count + 1].revents)
        iswi_http_leave_look(&http->leave);
}

static void *run(void *user)
{
    iswi_http *http = user;
    bool exhausted = false;

    while (!http->stopping) {
        int timeout = iswi_http_watch_expire(&http->watch);
        uint64_t drained;

        if (exhausted && (timeout < 0 || timeout > EXHAUSTED_PAUSE_MS))
            timeout = EXHAUSTED_PAUSE_MS;
        wait_for_any(http, exhausted, timeout);
        (void)!read(http->watch.wake_fd, &drained, sizeof drained);
        if (http->quiescing)
            iswi_listen_close(&http->listeners);
        exhausted = !accept_everywhere(http);
    }
    return NULL;
}

isw_status iswi_http_acceptor_start(iswi_http *http, isw_error *error)
{
    int cause;

    http->polled = iswi_calloc(http->listeners.count + 2, sizeof *http->polled);
    if (!http->polled)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for the HTTP server");
    cause = pthread_create(&http->acceptor, NULL, run, http);

    if (cause)
        return isw_error_set(error, ISW_E_IO, "cannot start a thread for HTTP: %s",
                             strerror(cause));
    return ISW_OK;
}

void iswi_http_acceptor_join(iswi_http *http)
{
    iswi_http_watch_wake(&http->watch);
    pthread_join(http->acceptor, NULL);
}
