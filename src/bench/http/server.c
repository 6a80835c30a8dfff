/* SPDX-License-Identifier: Apache-2.0 */
/* The bare server. Invariant: a connection reads no further request before its answer is on its
 * way, so that an answer may point into what came. */
#include "bench/http/server.h"

#include "bench/clock.h"
#include "bench/samples.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    READY_MOST = 256,
    LOOK_AGAIN_MS = 1000,
    ROOM_BYTES = 192 * 1024, /* of a request, at first: a usual one comes in one read */
    ROOM_MOST = 2 * ISWI_BENCH_PAYLOAD_MAX
};

const char iswi_bench_greeting[] = "Hello, World!\n";

typedef struct connection {
    int fd;
    bool waits; /* for room to send */
    char *in;
    size_t have, room;
    size_t taken; /* the request that is answered; 0: none is */
    size_t sent;  /* of the answer */
    iswi_bench_reply reply;
} connection;

char *iswi_bench_reply_room(iswi_bench_reply *reply, size_t more)
{
    size_t needed = reply->first_size + more;

    if (needed > reply->first_room) {
        char *larger = realloc(reply->first, 2 * needed);

        if (!larger)
            return NULL;
        reply->first = larger;
        reply->first_room = 2 * needed;
    }
    return reply->first + reply->first_size;
}

/* -- A connection ------------------------------------------------------------------------------ */

static void open_connection(int epoll, int fd)
{
    connection *c = calloc(1, sizeof *c);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* a Unix socket has none */
    if (c)
        *c = (connection){ .fd = fd, .in = malloc(ROOM_BYTES + 1), .room = ROOM_BYTES };
    if (c && c->in && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return;
    close(fd);
    free(c ? c->in : NULL);
    free(c);
}

static void close_connection(connection *c)
{
    close(c->fd);
    free(c->in);
    free(c->reply.first);
    free(c);
}

/* Send what the socket takes. False when the connection is lost. */
static bool give_out(int epoll, connection *c)
{
    const iswi_bench_reply *r = &c->reply;
    size_t whole = r->first_size + r->second_size;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    bool waits = false;

    while (c->sent < whole && !waits) {
        size_t first = c->sent < r->first_size ? r->first_size - c->sent : 0;
        size_t second = c->sent < r->first_size ? 0 : c->sent - r->first_size;
        struct iovec parts[] = {
            { first ? r->first + c->sent : NULL, first },
            { r->second ? (char *)r->second + second : NULL, r->second_size - second },
        };
        ssize_t put = writev(c->fd, parts, 2);

        waits = put < 0 && errno == EAGAIN;
        if (put <= 0 && !waits)
            return false;
        c->sent += waits ? 0 : (size_t)put;
    }
    if (waits != c->waits) {
        event.events = waits ? EPOLLOUT : EPOLLIN;
        c->waits = waits;
        return epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event) == 0;
    }
    return true;
}

/* Answer requests that are whole until one waits for room. */
static bool answer_all(int epoll, connection *c, iswi_bench_protocol protocol)
{
    while (!c->waits) {
        c->have -= c->taken;
        if (c->taken && c->have)
            memmove(c->in, c->in + c->taken, c->have);
        c->in[c->have] = '\0';
        c->sent = c->reply.first_size = c->reply.second_size = 0;
        c->taken = c->have ? protocol(c->in, c->have, &c->reply) : 0;
        if (!c->taken)
            return true;
        if (c->taken == ISWI_BENCH_WRONG || !give_out(epoll, c))
            return false;
    }
    return true;
}

static bool take_in(connection *c)
{
    ssize_t got;

    if (c->have == c->room) {
        char *larger = c->room < ROOM_MOST ? realloc(c->in, 2 * c->room + 1) : NULL;

        if (!larger)
            return false;
        c->in = larger;
        c->room *= 2;
    }
    got = recv(c->fd, c->in + c->have, c->room - c->have, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return true;
    c->have += got > 0 ? (size_t)got : 0;
    return got > 0;
}

static bool go_on(int epoll, connection *c, iswi_bench_protocol protocol)
{
    if (c->waits && !give_out(epoll, c))
        return false;
    if (!c->waits && !c->taken && !take_in(c))
        return false;
    return answer_all(epoll, c, protocol);
}

/* -- All of them ------------------------------------------------------------------------------- */

static void accept_all(int epoll, int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        open_connection(epoll, fd);
}

bool iswi_bench_serve(int listener, iswi_bench_protocol protocol)
{
    struct epoll_event ready[READY_MOST];
    struct epoll_event event = { .events = EPOLLIN };
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        return false;
    while (!iswi_bench_is_over(INT64_MAX)) {
        int count = epoll_wait(epoll, ready, READY_MOST, LOOK_AGAIN_MS);

        for (int i = 0; i < count; i++) {
            connection *c = ready[i].data.ptr;

            if (!c)
                accept_all(epoll, listener);
            else if (!go_on(epoll, c, protocol))
                close_connection(c);
        }
    }
    close(epoll); /* the connections end with the process */
    return true;
}
