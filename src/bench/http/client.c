/* SPDX-License-Identifier: Apache-2.0 */
/* The load. Invariant: a request that was sent is answered, refused or lost, and counted as one of
 * them, before a run ends. */
#include "bench/http/client.h"

#include "bench/clock.h"
#include "bench/http/answer.h"
#include "bench/http/socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMEOUT_MS = 5000, READY_MOST = 256, HEAD_BYTES = 256, SECOND_NS = 1000000000 };

typedef struct connection {
    int fd;
    bool busy;  /* a request is sent, or a part of it, and not answered */
    bool waits; /* for room to send */
    int64_t started_ns;
    size_t sent, have; /* of the request, of the answer */
    iswi_bench_answer answer;
    char *in;
} connection;

struct iswi_bench_client {
    iswi_bench_load load;
    int epoll;
    int flags; /* of send and recv: one connection blocks, as that takes fewer system calls */
    connection *connections;
    char *request;
    size_t request_size;
    size_t room; /* in each `in` */
    /* Of a run: */
    iswi_bench_samples *samples;
    iswi_bench_tally *tally;
    int64_t until_ns, next_second_ns;
    uint64_t in_flight;
};

/* -- Connections ------------------------------------------------------------------------------- */

static bool connect_one(iswi_bench_client *c, connection *at)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = at };

    at->busy = at->waits = false;
    at->fd = iswi_bench_connect(c->load.port, TIMEOUT_MS);
    return at->fd >= 0 && epoll_ctl(c->epoll, EPOLL_CTL_ADD, at->fd, &event) == 0;
}

static bool connect_again(iswi_bench_client *c, connection *at)
{
    close(at->fd);
    return connect_one(c, at);
}

static bool make_request(iswi_bench_client *c)
{
    uint32_t payload = c->load.payload;
    int head;

    if (c->load.request) {
        c->request = strdup(c->load.request);
        c->request_size = strlen(c->load.request);
        return c->request != NULL;
    }
    c->request = calloc(1, HEAD_BYTES + (size_t)payload);
    if (!c->request)
        return false;
    if (payload)
        head = snprintf(c->request, HEAD_BYTES,
                        "POST /api/http HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                        "Content-Length: %u\r\n\r\n", c->load.port, payload);
    else
        head = snprintf(c->request, HEAD_BYTES,
                        "GET /api/http HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", c->load.port);
    c->request[head] = '\0';
    c->request_size = (size_t)head + payload;
    return true;
}

iswi_bench_client *iswi_bench_client_open(const iswi_bench_load *load)
{
    iswi_bench_client *c = calloc(1, sizeof *c);
    bool ok;

    if (!c)
        return NULL;
    c->load = *load;
    c->flags = load->connections > 1 ? MSG_DONTWAIT : 0;
    c->room = ISWI_BENCH_ANSWER_BYTES + load->payload;
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    c->connections = calloc(load->connections, sizeof *c->connections);
    ok = c->epoll >= 0 && c->connections && make_request(c);
    for (unsigned i = 0; c->connections && i < load->connections; i++)
        c->connections[i].fd = -1;
    for (unsigned i = 0; ok && i < load->connections; i++) {
        c->connections[i].in = malloc(c->room + 1);
        ok = c->connections[i].in && connect_one(c, &c->connections[i]);
    }
    if (ok)
        return c;
    iswi_bench_client_close(c);
    return NULL;
}

void iswi_bench_client_close(iswi_bench_client *c)
{
    if (!c)
        return;
    for (unsigned i = 0; c->connections && i < c->load.connections; i++) {
        if (c->connections[i].fd >= 0)
            close(c->connections[i].fd);
        free(c->connections[i].in);
    }
    if (c->epoll >= 0)
        close(c->epoll);
    free(c->connections);
    free(c->request);
    free(c);
}

/* -- One request ------------------------------------------------------------------------------- */

typedef enum progress { GOES_ON, HAS_ENDED, IS_LOST, IS_WRONG } progress;

/* Send what the socket takes, and have epoll say when it takes more. */
static progress give_out(const iswi_bench_client *c, connection *at)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = at };
    bool waits;

    while (at->sent < c->request_size) {
        ssize_t put = send(at->fd, c->request + at->sent, c->request_size - at->sent,
                           c->flags | MSG_NOSIGNAL);

        if (put < 0 && errno == EAGAIN && c->flags)
            break;
        if (put <= 0)
            return IS_LOST;
        at->sent += (size_t)put;
    }
    waits = at->sent < c->request_size;
    if (waits == at->waits)
        return GOES_ON;
    at->waits = waits;
    event.events |= waits ? EPOLLOUT : 0;
    return epoll_ctl(c->epoll, EPOLL_CTL_MOD, at->fd, &event) == 0 ? GOES_ON : IS_LOST;
}

/* Read what is there. */
static progress take_in(const iswi_bench_client *c, connection *at)
{
    ssize_t got = recv(at->fd, at->in + at->have, c->room - at->have, c->flags);
    size_t whole;

    if (got < 0 && errno == EAGAIN && c->flags)
        return GOES_ON;
    if (got <= 0)
        return IS_LOST;
    if (!at->busy)
        return IS_WRONG; /* an answer to nothing */
    at->have += (size_t)got;
    at->in[at->have] = '\0';
    if (!at->answer.head && !iswi_bench_answer_read(&at->answer, at->in, at->have))
        return IS_WRONG;
    if (!at->answer.head)
        return GOES_ON;
    whole = at->answer.head + at->answer.body;
    if (at->have > whole || whole > c->room)
        return IS_WRONG;
    if (at->have < whole)
        return GOES_ON;
    if (c->load.payload && at->answer.status / 100 == 2 && at->answer.body != c->load.payload)
        return IS_WRONG;
    return HAS_ENDED;
}

static progress start(iswi_bench_client *c, connection *at)
{
    at->sent = at->have = 0;
    at->answer = (iswi_bench_answer){ 0 };
    at->busy = true;
    c->tally->sent++;
    c->in_flight++;
    at->started_ns = iswi_bench_now_ns();
    return give_out(c, at);
}

/* Count how a request ended. */
static void settle(iswi_bench_client *c, connection *at, progress how)
{
    if (!at->busy)
        return;
    at->busy = false;
    c->in_flight--;
    if (how != HAS_ENDED) {
        c->tally->lost++;
    } else if (at->answer.status / 100 != 2) {
        c->tally->refused++;
    } else {
        c->tally->answered++;
        iswi_bench_note(c->samples, iswi_bench_now_ns() - at->started_ns);
    }
}

static bool is_over(const iswi_bench_client *c)
{
    return c->tally->sent >= c->samples->most || iswi_bench_is_over(c->until_ns);
}

/* What comes after `how`: the same connection again, or a new one, unless the run is over. False
 * when it can go on no more. */
static bool go_on(iswi_bench_client *c, connection *at, progress how)
{
    while (how != GOES_ON) {
        bool ends = how == IS_LOST || at->answer.closes;

        settle(c, at, how);
        if (how == IS_WRONG || (ends && !connect_again(c, at)))
            return false;
        if (is_over(c))
            return true;
        if (c->load.gap_ns)
            iswi_bench_sleep_ns(c->load.gap_ns);
        how = start(c, at);
    }
    return true;
}

/* -- A run ------------------------------------------------------------------------------------- */

/* Call whoever wants to be each second. Returns milliseconds until the next time, or TIMEOUT_MS. */
static int mind_second(iswi_bench_client *c)
{
    int64_t left_ns;

    if (!c->load.each_second)
        return TIMEOUT_MS;
    left_ns = c->next_second_ns - iswi_bench_now_ns();
    if (left_ns <= 0) {
        c->next_second_ns += SECOND_NS;
        left_ns += SECOND_NS;
        if (!iswi_bench_is_over(c->until_ns))
            c->load.each_second(c->load.user);
    }
    return (int)(left_ns / 1000000) + 1;
}

/* Nothing has come for long: what is in flight is lost. */
static bool give_up(iswi_bench_client *c)
{
    bool ok = true;

    for (unsigned i = 0; i < c->load.connections; i++)
        if (c->connections[i].busy) {
            settle(c, &c->connections[i], IS_LOST);
            ok = connect_again(c, &c->connections[i]) && ok;
        }
    return ok;
}

static bool run_many(iswi_bench_client *c)
{
    struct epoll_event ready[READY_MOST];
    int64_t heard_ns = iswi_bench_now_ns();

    while (c->in_flight) {
        int count = epoll_wait(c->epoll, ready, READY_MOST, mind_second(c));

        if (count < 0 && errno != EINTR)
            return false;
        if (count > 0)
            heard_ns = iswi_bench_now_ns();
        else if (iswi_bench_is_over(heard_ns + TIMEOUT_MS * 1000000LL))
            return give_up(c);
        for (int i = 0; i < count; i++) {
            connection *at = ready[i].data.ptr;
            progress how = at->waits ? give_out(c, at) : GOES_ON;

            if (how == GOES_ON && ready[i].events & ~(uint32_t)EPOLLOUT)
                how = take_in(c, at);
            if (!go_on(c, at, how))
                return false;
        }
    }
    return true;
}

static bool run_one(iswi_bench_client *c)
{
    while (c->in_flight) {
        if (!go_on(c, &c->connections[0], take_in(c, &c->connections[0])))
            return false;
        mind_second(c);
    }
    return true;
}

bool iswi_bench_client_run(iswi_bench_client *c, iswi_bench_samples *samples, int64_t ns,
                           iswi_bench_tally *tally)
{
    int64_t began_ns = iswi_bench_now_ns();
    bool ok = true;

    *tally = (iswi_bench_tally){ 0 };
    c->samples = samples;
    c->tally = tally;
    c->until_ns = began_ns + ns;
    c->next_second_ns = began_ns + SECOND_NS;
    c->in_flight = 0;
    for (unsigned i = 0; ok && i < c->load.connections && tally->sent < samples->most; i++)
        ok = go_on(c, &c->connections[i], start(c, &c->connections[i]));
    ok = ok && (c->load.connections > 1 ? run_many(c) : run_one(c));
    samples->elapsed_ns = iswi_bench_now_ns() - began_ns;
    return ok;
}
