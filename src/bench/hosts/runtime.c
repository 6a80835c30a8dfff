/* SPDX-License-Identifier: Apache-2.0 */
/* Lambda's Runtime API. Invariant: a connection that asks for an event gets one while a run goes on,
 * so that what is in flight is as many as there are connections. A call is over when the next event is
 * asked for. */
#include "bench/hosts/foreign.h"

#include "bench/clock.h"
#include "bench/http/answer.h"
#include "bench/http/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM_BYTES = 64 * 1024, PATIENCE_MS = 20000, DEADLINE_MS = 60000, READY_MOST = 64 };

static const char json_event[] = "{\"name\":\"Ada\",\"said\":\"" ISWI_BENCH_HELLO "\",\"times\":3}";

/* Of a function URL, version 2.0. */
static const char url_event[] =
    "{\"version\":\"2.0\",\"routeKey\":\"$default\",\"rawPath\":\"/api/http\",\"rawQueryString\":"
    "\"\",\"headers\":{\"accept\":\"*/*\",\"content-type\":\"text/plain\",\"host\":"
    "\"abc.lambda-url.eu-west-1.on.aws\",\"user-agent\":\"bench\",\"x-amzn-trace-id\":"
    "\"Root=1-5759e988-bd862e3fe1be46a994272793\",\"x-forwarded-for\":\"203.0.113.7\","
    "\"x-forwarded-port\":\"443\",\"x-forwarded-proto\":\"https\"},\"requestContext\":{\"accountId\":"
    "\"anonymous\",\"apiId\":\"abc\",\"domainName\":\"abc.lambda-url.eu-west-1.on.aws\","
    "\"domainPrefix\":\"abc\",\"http\":{\"method\":\"GET\",\"path\":\"/api/http\",\"protocol\":"
    "\"HTTP/1.1\",\"sourceIp\":\"203.0.113.7\",\"userAgent\":\"bench\"},\"requestId\":"
    "\"6b5a6f0e-6c5e-4f0e-9f53-0f1f0b3ad6c1\",\"routeKey\":\"$default\",\"stage\":\"$default\","
    "\"time\":\"01/Jan/2026:00:00:00 +0000\",\"timeEpoch\":1767225600000},\"isBase64Encoded\":false}";

static const char thanks[] = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n"
                             "Content-Length: 16\r\n\r\n{\"status\":\"OK\"}\n";

typedef struct connection {
    int fd;
    bool asks, busy; /* for an event; with one */
    int64_t started_ns;
    size_t have, going; /* bytes that came, and that are to be sent */
    char out[8192];
    char in[ROOM_BYTES + 1];
} connection;

typedef struct runtime {
    unsigned in_flight, count; /* connections that there are to be, and that there are */
    const char *event;
    int listener, epoll;
    connection *connections[ISWI_BENCH_FOREIGN_MOST];
    uint64_t events;
    unsigned asking, busy;
    /* Of a run: */
    iswi_bench_samples *samples, *answers; /* NULL: none is on */
    int64_t until_ns;
} runtime;

static bool open_runtime(const iswi_bench_foreign_options *options, void **self, unsigned *port)
{
    runtime *r = calloc(1, sizeof *r);
    struct epoll_event event = { .events = EPOLLIN };

    if (!r)
        return false;
    r->in_flight = options->in_flight;
    r->event = options->json ? json_event : url_event;
    r->listener = iswi_bench_listen(port);
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    *self = r;
    return r->listener >= 0 && r->epoll >= 0 &&
           epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->listener, &event) == 0;
}

static void close_runtime(void *self)
{
    runtime *r = self;

    for (unsigned i = 0; i < r->count; i++) {
        close(r->connections[i]->fd);
        free(r->connections[i]);
    }
    if (r->listener >= 0)
        close(r->listener);
    if (r->epoll >= 0)
        close(r->epoll);
    free(r);
}

/* -- Events ------------------------------------------------------------------------------------ */

/* What answers the requests that have come goes in one. */
static bool send_all(connection *c)
{
    const size_t size = c->going;

    c->going = 0;
    return !size || send(c->fd, c->out, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool wants_more(const runtime *r)
{
    return r->samples && !iswi_bench_is_over(r->until_ns);
}

/* The event that it has asked for. */
static bool give(runtime *r, connection *c)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    c->going += (size_t)snprintf(
        c->out + c->going, sizeof c->out - c->going,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        "Lambda-Runtime-Aws-Request-Id: 6b5a6f0e-6c5e-4f0e-9f53-%012llx\r\n"
        "Lambda-Runtime-Deadline-Ms: %lld\r\nLambda-Runtime-Invoked-Function-Arn: "
        "arn:aws:lambda:eu-west-1:123456789012:function:bench\r\n"
        "Lambda-Runtime-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;"
        "Parent=53995c3f42cd8ad8;Sampled=0\r\nContent-Length: %zu\r\n\r\n%s",
        (unsigned long long)r->events++ & 0xffffffffffff,
        (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000 + DEADLINE_MS, strlen(r->event),
        r->event);
    c->asks = false;
    c->busy = true;
    r->asking--;
    r->busy++;
    c->started_ns = iswi_bench_now_ns();
    return send_all(c);
}

/* What came of the event: it is noted when all of it is there. */
static bool hear(runtime *r, connection *c, const char *body, size_t size)
{
    const int64_t now_ns = iswi_bench_now_ns();

    if (!c->busy || !strstr(c->in, "/response HTTP/1.1\r\n") ||
        !memmem(body, size, ISWI_BENCH_HELLO, sizeof ISWI_BENCH_HELLO - 1))
        return false;
    c->busy = false;
    r->busy--;
    iswi_bench_note(r->answers, now_ns - c->started_ns);
    memcpy(c->out + c->going, thanks, sizeof thanks - 1);
    c->going += sizeof thanks - 1;
    return true;
}

/* It wants the next one, and is through with the one before. */
static void ask(runtime *r, connection *c)
{
    if (c->started_ns)
        iswi_bench_note(r->samples, iswi_bench_now_ns() - c->started_ns);
    c->started_ns = 0;
    c->asks = true;
    r->asking++;
}

/* All requests that are whole. */
static bool take_all(runtime *r, connection *c)
{
    const char *end;

    while ((end = strstr(c->in, "\r\n\r\n")) != NULL) {
        const size_t head = (size_t)(end + 4 - c->in);
        const size_t body = *c->in == 'P' ? iswi_bench_head_number(c->in, "content-length: ", 0) : 0;

        if (c->have - head < body)
            break;
        if (*c->in == 'P' && !hear(r, c, c->in + head, body))
            return false;
        if (*c->in == 'G')
            ask(r, c);
        c->have -= head + body;
        memmove(c->in, c->in + head + body, c->have + 1);
    }
    return c->asks && wants_more(r) ? give(r, c) : send_all(c);
}

static bool take_in(runtime *r, connection *c)
{
    const ssize_t got = recv(c->fd, c->in + c->have, ROOM_BYTES - c->have, MSG_DONTWAIT);

    if (got < 0 && errno == EAGAIN)
        return true;
    if (got <= 0)
        return false;
    c->have += (size_t)got;
    c->in[c->have] = '\0';
    return take_all(r, c);
}

/* -- Connections ------------------------------------------------------------------------------- */

static bool accept_one(runtime *r)
{
    connection *c = r->count < ISWI_BENCH_FOREIGN_MOST ? malloc(sizeof *c) : NULL;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
    const int on = 1;

    if (!c)
        return false;
    c->fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
    c->asks = c->busy = false;
    c->started_ns = 0;
    c->have = c->going = 0;
    r->connections[r->count++] = c;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return c->fd >= 0 && epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0;
}

/* What there is to do, once. False: something is wrong, or nothing comes. */
static bool turn(runtime *r)
{
    struct epoll_event ready[READY_MOST];
    const int count = epoll_wait(r->epoll, ready, READY_MOST, PATIENCE_MS);
    bool well = count > 0;

    for (int i = 0; well && i < count; i++)
        well = ready[i].data.ptr ? take_in(r, ready[i].data.ptr) : accept_one(r);
    return well;
}

static bool greet(void *self, unsigned port)
{
    runtime *r = self;

    (void)port;
    while (r->asking < r->in_flight)
        if (!turn(r))
            return false;
    return true;
}

static bool run(void *self, iswi_bench_samples *samples, iswi_bench_samples *answers, int64_t ns)
{
    runtime *r = self;
    const int64_t began_ns = iswi_bench_now_ns();
    bool well = true;

    r->samples = samples;
    r->answers = answers;
    r->until_ns = began_ns + ns;
    for (unsigned i = 0; well && i < r->count; i++)
        well = !r->connections[i]->asks || give(r, r->connections[i]);
    while (well && (r->busy || r->asking < r->in_flight))
        well = turn(r);
    samples->elapsed_ns = iswi_bench_now_ns() - began_ns;
    r->samples = NULL;
    return well;
}

const iswi_bench_foreign iswi_bench_foreign_runtime = { open_runtime, greet, run, close_runtime };
