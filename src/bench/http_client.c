/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client that measures the bare server: sockets and the least of HTTP that tells where an
 * answer ends. Invariant: a connection has one request at a time, so what is in flight is as many
 * connections.
 */
#include "bench/clock.h"
#include "bench/http.h"

#include "bench/plan.h"
#include "bench/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMEOUT_MS = 5000, HEAD_BYTES = 1024 };

typedef struct connection {
    int fd;
    int64_t started_ns;
    size_t sent, have; /* of the request, of the answer */
    size_t body_at;    /* in the answer; 0 while its head is not whole */
    bool waits;        /* for room to send */
    char *in;
} connection;

typedef struct client {
    struct sockaddr_in server;
    connection connections[ISWI_BENCH_WINDOW];
    unsigned open;
    uint32_t payload; /* that they are made for */
    int epoll;
    int flags; /* of send and recv */
    char *request;
    size_t request_size;
    size_t room; /* in each `in` */
} client;

/* -- One connection ---------------------------------------------------------------------------- */

/* Read what is there. False when the connection is lost, silent too long or the answer is wrong;
 * *whole when all of it has come. */
static bool take_in(client *c, connection *at, uint32_t payload, bool *whole)
{
    ssize_t got = recv(at->fd, at->in + at->have, c->room - at->have, c->flags);
    const char *length;
    char *end;

    *whole = false;
    if (got < 0 && errno == EAGAIN && c->flags)
        return true;
    if (got <= 0)
        return false;
    at->have += (size_t)got;
    at->in[at->have] = '\0';
    if (!at->body_at) {
        end = strstr(at->in, "\r\n\r\n");
        if (!end)
            return at->have < HEAD_BYTES;
        length = strstr(at->in, "Content-Length: ");
        if (strncmp(at->in, "HTTP/1.1 200", 12) != 0 || !length || length > end ||
            strtoul(length + 16, NULL, 10) != payload)
            return false;
        at->body_at = (size_t)(end + 4 - at->in);
    }
    *whole = at->have == at->body_at + payload;
    return at->have <= at->body_at + payload;
}

/* Send what the socket takes, and have epoll say when it takes more. */
static bool give_out(const client *c, connection *at)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = at };
    bool waits;

    while (at->sent < c->request_size) {
        ssize_t put = send(at->fd, c->request + at->sent, c->request_size - at->sent,
                           c->flags | MSG_NOSIGNAL);

        if (put < 0 && errno == EAGAIN && c->flags)
            break;
        if (put <= 0)
            return false;
        at->sent += (size_t)put;
    }
    waits = at->sent < c->request_size;
    if (waits == at->waits)
        return true;
    at->waits = waits;
    event.events |= waits ? EPOLLOUT : 0;
    return epoll_ctl(c->epoll, EPOLL_CTL_MOD, at->fd, &event) == 0;
}

static bool start(const client *c, connection *at)
{
    at->sent = at->have = at->body_at = 0;
    at->started_ns = iswi_bench_now_ns();
    return give_out(c, at);
}

/* -- One in flight ----------------------------------------------------------------------------- */

static bool run_one(client *c, iswi_bench_samples *samples, int64_t until_ns)
{
    connection *at = &c->connections[0];

    do {
        bool whole = false;

        if (!start(c, at))
            return false;
        while (!whole)
            if (!take_in(c, at, samples->payload, &whole))
                return false;
        iswi_bench_note(samples, iswi_bench_now_ns() - at->started_ns);
        if (samples->mode == ISWI_BENCH_SILENCE)
            iswi_bench_sleep_ns(ISWI_BENCH_SILENCE_NS);
    } while (samples->done < samples->most && !iswi_bench_is_over(until_ns));
    return true;
}

/* -- Many -------------------------------------------------------------------------------------- */

typedef struct batch {
    client *c;
    iswi_bench_samples *samples;
    int64_t until_ns;
    uint64_t started;
} batch;

/* Go on with one connection. False when it failed. */
static bool go_on(batch *b, connection *at, uint32_t events)
{
    bool whole = false;

    if (at->waits && !give_out(b->c, at))
        return false;
    if (!(events & ~(uint32_t)EPOLLOUT))
        return true;
    if (!take_in(b->c, at, b->samples->payload, &whole))
        return false;
    if (!whole)
        return true;
    iswi_bench_note(b->samples, iswi_bench_now_ns() - at->started_ns);
    if (b->started >= b->samples->most || iswi_bench_is_over(b->until_ns))
        return true;
    b->started++;
    return start(b->c, at);
}

static bool run_many(client *c, iswi_bench_samples *samples, int64_t until_ns)
{
    struct epoll_event ready[ISWI_BENCH_WINDOW];
    batch b = { c, samples, until_ns, 0 };

    for (; b.started < samples->in_flight && b.started < samples->most; b.started++)
        if (!start(c, &c->connections[b.started]))
            return false;
    while (samples->done < b.started) {
        int count = epoll_wait(c->epoll, ready, ISWI_BENCH_WINDOW, TIMEOUT_MS);

        if (count <= 0)
            return false;
        for (int i = 0; i < count; i++)
            if (!go_on(&b, ready[i].data.ptr, ready[i].events))
                return false;
    }
    return true;
}

/* -- Connections ------------------------------------------------------------------------------- */

static bool connect_one(client *c, connection *at)
{
    struct timeval timeout = { TIMEOUT_MS / 1000, 0 };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = at };
    int on = 1;

    at->waits = false;
    at->in = calloc(1, c->room + 1);
    at->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (at->fd < 0 || !at->in ||
        connect(at->fd, (struct sockaddr *)&c->server, sizeof c->server) != 0)
        return false;
    setsockopt(at->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(at->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(at->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    return epoll_ctl(c->epoll, EPOLL_CTL_ADD, at->fd, &event) == 0;
}

static void disconnect(client *c)
{
    for (; c->open; c->open--) {
        connection *at = &c->connections[c->open - 1];

        if (at->fd >= 0)
            close(at->fd);
        free(at->in);
    }
    free(c->request);
    c->request = NULL;
}

/* As many connections as are to be in flight, unless they are there. */
static bool prepare(client *c, const iswi_bench_samples *samples)
{
    int head;

    if (c->open == samples->in_flight && c->payload == samples->payload)
        return true;
    disconnect(c);
    c->payload = samples->payload;
    c->flags = samples->in_flight > 1 ? MSG_DONTWAIT : 0;
    c->room = HEAD_BYTES + samples->payload;
    c->request = calloc(1, c->room);
    if (!c->request)
        return false;
    head = snprintf(c->request, HEAD_BYTES,
                    "POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %u\r\n\r\n",
                    samples->payload);
    c->request[head] = '\0';
    c->request_size = (size_t)head + samples->payload;
    while (c->open < samples->in_flight)
        if (!connect_one(c, &c->connections[c->open++]))
            return false;
    return true;
}

/* -- The case ---------------------------------------------------------------------------------- */

static bool run(void *user, iswi_bench_samples *samples, int64_t ns)
{
    client *c = user;
    int64_t began;
    bool ok = prepare(c, samples);

    began = iswi_bench_now_ns();
    if (samples->in_flight == 1)
        ok = ok && run_one(c, samples, began + ns);
    else
        ok = ok && run_many(c, samples, began + ns);
    samples->elapsed_ns = iswi_bench_now_ns() - began;
    return ok;
}

static uint32_t window(void *user, uint32_t payload)
{
    (void)user;
    (void)payload;
    return ISWI_BENCH_WINDOW;
}

bool iswi_bench_measure_http(const iswi_bench_plan *plan)
{
    client c = { .server = { .sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
    iswi_bench_subject subject = { .run = run, .window = window, .user = &c };
    unsigned port = 0;
    int listener = iswi_bench_listen(&port);
    pid_t server;
    bool ok;

    subject.started_ns = iswi_bench_now_ns();
    server = listener >= 0 ? iswi_bench_spawn_peer("echo-http", "1", listener, -1) : 0;
    if (listener >= 0)
        close(listener);
    c.server.sin_port = htons((uint16_t)port);
    c.epoll = epoll_create1(EPOLL_CLOEXEC);
    subject.echo = server;
    ok = server && c.epoll >= 0 && iswi_bench_carry_out(plan, &subject);
    disconnect(&c);
    if (c.epoll >= 0)
        close(c.epoll);
    iswi_bench_end(server);
    return ok;
}
