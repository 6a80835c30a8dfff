/* SPDX-License-Identifier: Apache-2.0 */
/* A call of gRPC over a socket: by hand, then on a reactor. Invariant: one thread at a time turns
 * it; what others send is in the list of those that go. */
#include "host/azure/grpc_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/system/address.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    CONNECT_MS = 10000,
    LINGER_MS = 500, /* for a server that does not end the call */
    TURN_MS = 20,
    READ_BYTES = 64 * 1024,
    OUT_BYTES = 64 * 1024,
    READS_MAX = 16
};

/* -- Its end ----------------------------------------------------------------------------------- */

/* Outside of nghttp2, which may have found it. */
static void tell_end(iswi_grpc *grpc)
{
    if (!grpc->ended || grpc->told)
        return;
    grpc->told = true;
    if (grpc->reactor)
        iswi_watch_end(grpc->reactor, &grpc->watch);
    grpc->options.events->ended(grpc->options.user, &grpc->why);
}

/* -- Bytes ------------------------------------------------------------------------------------- */

static void want_room(iswi_grpc *grpc, bool on)
{
    if (grpc->writes == on)
        return;
    grpc->writes = on;
    if (grpc->reactor)
        iswi_watch_change(grpc->reactor, &grpc->watch, EPOLLIN | (on ? EPOLLOUT : 0));
}

/* What nghttp2 has to send, as much as is good for one call. */
static void gather(iswi_grpc *grpc)
{
    const uint8_t *bytes;
    ssize_t size = 0;

    iswi_buffer_reset(&grpc->out);
    grpc->out_at = 0;
    while (grpc->out.size < OUT_BYTES &&
           (size = nghttp2_session_mem_send(grpc->session, &bytes)) > 0)
        iswi_buffer_append(&grpc->out, bytes, (size_t)size);
    if (size < 0 || grpc->out.failed)
        iswi_grpc_end(grpc, ISW_E_NO_MEMORY, "no memory for what is to be sent");
}

static void flush(iswi_grpc *grpc)
{
    ssize_t size;

    nghttp2_session_resume_data(grpc->session, grpc->stream);
    while (!grpc->ended) {
        if (grpc->out_at == grpc->out.size)
            gather(grpc);
        if (grpc->ended || !grpc->out.size)
            break;
        size = send(grpc->fd, grpc->out.data + grpc->out_at, grpc->out.size - grpc->out_at,
                    MSG_NOSIGNAL);
        if (size < 0 && errno == EAGAIN) {
            want_room(grpc, true);
            return;
        }
        if (size < 0 && errno != EINTR)
            iswi_grpc_end(grpc, ISW_E_UNAVAILABLE, "%s", strerror(errno));
        grpc->out_at += size > 0 ? (size_t)size : 0;
    }
    want_room(grpc, false);
}

static void fill(iswi_grpc *grpc)
{
    uint8_t bytes[READ_BYTES];

    for (int i = 0; i < READS_MAX && !grpc->ended; i++) {
        ssize_t size = recv(grpc->fd, bytes, sizeof bytes, 0);
        ssize_t taken = 0;

        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (size < 0)
            iswi_grpc_end(grpc, ISW_E_UNAVAILABLE, "%s", strerror(errno));
        else if (size == 0)
            iswi_grpc_end(grpc, ISW_E_UNAVAILABLE, "it has closed the connection");
        else
            taken = nghttp2_session_mem_recv(grpc->session, bytes, (size_t)size);
        if (taken < 0)
            iswi_grpc_end(grpc, ISW_E_PROTOCOL, "it does not speak HTTP/2: %s",
                          nghttp2_strerror((int)taken));
        if (size < (ssize_t)sizeof bytes)
            return;
    }
}

bool iswi_grpc_turn(iswi_grpc *grpc, int timeout_ms)
{
    struct pollfd one = { .fd = grpc->fd, .events = POLLIN };

    flush(grpc);
    if (grpc->writes)
        one.events |= POLLOUT;
    if (!grpc->ended && poll(&one, 1, timeout_ms) > 0 && (one.revents & ~POLLOUT))
        fill(grpc);
    flush(grpc);
    tell_end(grpc);
    return !grpc->ended;
}

/* -- On a reactor ------------------------------------------------------------------------------ */

static void on_ready(iswi_watch *watch, uint32_t events)
{
    iswi_grpc *grpc = (iswi_grpc *)((char *)watch - offsetof(iswi_grpc, watch));

    if (events & ~(uint32_t)EPOLLOUT)
        fill(grpc);
    flush(grpc);
    tell_end(grpc);
}

static void on_task(iswi_task *task)
{
    iswi_grpc *grpc = (iswi_grpc *)((char *)task - offsetof(iswi_grpc, task));

    pthread_mutex_lock(&grpc->lock);
    grpc->posted = false;
    pthread_mutex_unlock(&grpc->lock);
    if (grpc->ended)
        return;
    flush(grpc);
    tell_end(grpc);
}

typedef struct moving {
    iswi_grpc *grpc;
    iswi_reactor *reactor;
    int error;
} moving;

static void move(void *user)
{
    moving *with = user;
    iswi_grpc *grpc = with->grpc;

    grpc->watch = (iswi_watch){ .fd = grpc->fd, .ready = on_ready };
    if (!grpc->ended && !iswi_watch_begin(with->reactor, &grpc->watch,
                                          EPOLLIN | (grpc->writes ? EPOLLOUT : 0))) {
        with->error = errno;
        return;
    }
    pthread_mutex_lock(&grpc->lock);
    grpc->reactor = with->reactor;
    pthread_mutex_unlock(&grpc->lock);
    flush(grpc);
    tell_end(grpc);
}

bool iswi_grpc_live_on(iswi_grpc *grpc, iswi_reactor *reactor)
{
    moving with = { grpc, reactor, 0 };

    iswi_reactor_call(reactor, move, &with);
    errno = with.error;
    return !with.error;
}

/* -- Begin and end ----------------------------------------------------------------------------- */

/* The address without what makes it a URL. */
static void trim(const char *server, char out[64])
{
    size_t size;

    if (strncmp(server, "http://", 7) == 0)
        server += 7;
    size = strcspn(server, "/");
    snprintf(out, 64, "%.*s", (int)(size < 64 ? size : 63), server);
}

static isw_status connect_to(iswi_grpc *grpc, const iswi_address *address, isw_error *error)
{
    const socklen_t size = address->ip.any.sa_family == AF_INET ? sizeof address->ip.v4
                                                                : sizeof address->ip.v6;
    struct pollfd one = { .events = POLLOUT };
    int failure = 0;

    grpc->fd = socket(address->ip.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    one.fd = grpc->fd;
    if (grpc->fd < 0 || (connect(grpc->fd, &address->ip.any, size) != 0 && errno != EINPROGRESS))
        failure = errno;
    else if (poll(&one, 1, CONNECT_MS) <= 0)
        failure = ETIMEDOUT;
    else
        getsockopt(grpc->fd, SOL_SOCKET, SO_ERROR, &failure, &(socklen_t){ sizeof failure });
    if (failure)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "%s does not answer: %s", grpc->authority,
                             strerror(failure));
    setsockopt(grpc->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    return ISW_OK;
}

static isw_status find(iswi_grpc *grpc, iswi_address *out, isw_error *error)
{
    const char *setting = grpc->options.setting;

    if (strncmp(grpc->options.server, "https://", 8) == 0)
        return isw_error_set(error, ISW_E_CONFIG, "%s: %s is over TLS, for which no Azure "
                             "Functions host asks", setting, grpc->options.server);
    trim(grpc->options.server, grpc->authority);
    if (iswi_address_read(grpc->authority, setting, out, error) != ISW_OK)
        return error->status;
    if (out->kind == ISWI_ADDRESS_IP && iswi_address_port(out))
        return ISW_OK;
    return isw_error_set(error, ISW_E_CONFIG, "%s: \"%s\" is no address and port", setting,
                         grpc->options.server);
}

static void destroy(iswi_grpc *grpc)
{
    iswi_grpc_drop_all(grpc);
    nghttp2_session_del(grpc->session);
    if (grpc->fd >= 0)
        close(grpc->fd);
    iswi_buffer_fini(&grpc->coming.body);
    iswi_buffer_fini(&grpc->out);
    pthread_mutex_destroy(&grpc->lock);
    iswi_free(grpc);
}

isw_status iswi_grpc_open(const iswi_grpc_options *options, iswi_grpc **out, isw_error *error)
{
    iswi_grpc *grpc = iswi_calloc(1, sizeof *grpc);
    iswi_address address;
    isw_status status;

    if (!grpc)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a connection");
    grpc->options = *options;
    grpc->fd = grpc->status = -1;
    grpc->end = &grpc->first;
    grpc->task.run = on_task;
    pthread_mutex_init(&grpc->lock, NULL);
    status = find(grpc, &address, error);
    if (status == ISW_OK)
        status = connect_to(grpc, &address, error);
    if (status == ISW_OK && !(grpc->session = iswi_grpc_session(grpc)))
        status = isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a connection");
    if (status == ISW_OK)
        *out = grpc;
    else
        destroy(grpc);
    return status;
}

/* Back to its maker's hands. */
static void leave_reactor(void *user)
{
    iswi_grpc *grpc = user;

    if (!grpc->told)
        iswi_watch_end(grpc->reactor, &grpc->watch);
    pthread_mutex_lock(&grpc->lock);
    grpc->reactor = NULL;
    pthread_mutex_unlock(&grpc->lock);
}

static void run_tasks(void *user)
{
    (void)user; /* what was posted before has run */
}

static bool is_posted(iswi_grpc *grpc)
{
    bool posted;

    pthread_mutex_lock(&grpc->lock);
    posted = grpc->posted;
    pthread_mutex_unlock(&grpc->lock);
    return posted;
}

void iswi_grpc_leave(iswi_grpc *grpc, int patience_ms)
{
    const int64_t until_ns = iswi_now_ns() + patience_ms * INT64_C(1000000);
    const int64_t calm_ns = iswi_now_ns() + LINGER_MS * INT64_C(1000000);
    iswi_reactor *reactor = grpc->reactor;

    if (reactor) {
        iswi_reactor_call(reactor, leave_reactor, grpc);
        while (is_posted(grpc))
            iswi_reactor_call(reactor, run_tasks, NULL);
    }
    grpc->told = true; /* nobody is to hear of it any more */
    pthread_mutex_lock(&grpc->lock);
    grpc->closing = true;
    pthread_mutex_unlock(&grpc->lock);
    /* The server ends the call once it has read all of it; what is closed before may be lost. */
    while (iswi_grpc_turn(grpc, TURN_MS) && iswi_now_ns() < until_ns)
        if (!grpc->writes && iswi_now_ns() >= calm_ns)
            break;
}

void iswi_grpc_close(iswi_grpc *grpc)
{
    if (grpc)
        destroy(grpc);
}
