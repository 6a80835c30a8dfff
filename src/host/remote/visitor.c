/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to a gate: a handshake, then bytes both ways between it and the socket at which a
 * process is waited for. Invariant: each turn goes on until both sides want a socket to be ready or
 * have no room, so that edges of readiness are enough to go on later.
 */
#include "host/remote/gate.h"

#include "base/alloc.h"
#include "host/engine/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    FLOW_BYTES = 64 * 1024,
    ROUNDS = 16,         /* in one turn, that others have theirs */
    HANDSHAKE_MS = 10000
};

#define MS INT64_C(1000000)

/* Bytes on their way in one direction. */
typedef struct flow {
    size_t begin, end;
    bool over; /* no more come */
    unsigned char bytes[FLOW_BYTES];
} flow;

struct iswi_visitor {
    iswi_gate *gate;
    iswi_visitor *next, **link;
    char who[ISWI_ADDRESS_BYTES];
    iswi_tls_session *tls; /* NULL: plain */
    iswi_watch far, near;  /* its socket, and that of the process; near.fd -1: not yet */
    iswi_timer late;
    iswi_task again;
    bool goes_on; /* `again` is on its way */
    bool ended;   /* it is freed when that has run */
    bool broken;
    flow *in, *out; /* from far to near, and back; once it has a place */
};

/* -- The end ----------------------------------------------------------------------------------- */

static void release(iswi_visitor *visitor)
{
    iswi_free(visitor->in);
    iswi_free(visitor->out);
    iswi_free(visitor);
}

void iswi_visitor_end(iswi_visitor *visitor)
{
    iswi_gate *gate = visitor->gate;

    *visitor->link = visitor->next;
    if (visitor->next)
        visitor->next->link = visitor->link;
    atomic_fetch_sub(&gate->count, 1);
    gate->strangers -= visitor->near.fd < 0;
    iswi_reactor_cancel_timer(gate->reactor, &visitor->late);
    iswi_watch_end(gate->reactor, &visitor->far);
    if (visitor->near.fd >= 0) {
        iswi_watch_end(gate->reactor, &visitor->near);
        close(visitor->near.fd);
    }
    if (visitor->tls)
        iswi_tls_finish(visitor->tls);
    iswi_tls_session_end(visitor->tls);
    close(visitor->far.fd);
    visitor->ended = true;
    if (!visitor->goes_on)
        release(visitor);
}

static void refuse(iswi_visitor *visitor, const char *why)
{
    iswi_gate_refuse(visitor->gate, visitor->who, why);
    iswi_visitor_end(visitor);
}

/* -- Bytes ------------------------------------------------------------------------------------- */

static ssize_t read_from(iswi_visitor *visitor, bool far, void *to, size_t size)
{
    if (far && visitor->tls)
        return iswi_tls_read(visitor->tls, to, size);
    return recv(far ? visitor->far.fd : visitor->near.fd, to, size, MSG_DONTWAIT);
}

static ssize_t write_to(iswi_visitor *visitor, bool far, const void *from, size_t size)
{
    const struct iovec piece = { (void *)from, size };

    if (far && visitor->tls)
        return iswi_tls_write(visitor->tls, &piece, 1);
    return send(far ? visitor->far.fd : visitor->near.fd, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool has_to_wait(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* Both: true when something was moved. */
static bool fill(iswi_visitor *visitor, bool far, flow *to)
{
    ssize_t got;

    if (to->begin == to->end)
        to->begin = to->end = 0;
    if (to->over || to->end == FLOW_BYTES)
        return false;
    got = read_from(visitor, far, to->bytes + to->end, FLOW_BYTES - to->end);
    if (got > 0)
        to->end += (size_t)got;
    else
        to->over = got == 0 || !has_to_wait();
    return got > 0;
}

static bool drain(iswi_visitor *visitor, bool far, flow *from)
{
    ssize_t put = 0;

    if (from->begin < from->end)
        put = write_to(visitor, far, from->bytes + from->begin, from->end - from->begin);
    if (put > 0)
        from->begin += (size_t)put;
    else if (put < 0 && !has_to_wait())
        visitor->broken = true;
    return put > 0;
}

static bool round_of(iswi_visitor *visitor)
{
    bool some = fill(visitor, true, visitor->in);

    some = drain(visitor, false, visitor->in) || some;
    some = fill(visitor, false, visitor->out) || some;
    return drain(visitor, true, visitor->out) || some;
}

static bool is_over(const flow *one)
{
    return one->over && one->begin == one->end;
}

static void move_on(iswi_visitor *visitor)
{
    int rounds = 0;

    while (rounds < ROUNDS && round_of(visitor))
        rounds++;
    if (visitor->broken || is_over(visitor->in) || is_over(visitor->out)) {
        iswi_visitor_end(visitor);
    } else if (rounds == ROUNDS && !visitor->goes_on) {
        visitor->goes_on = true;
        iswi_reactor_defer(visitor->gate->reactor, &visitor->again);
    }
}

static void run_again(iswi_task *task)
{
    iswi_visitor *visitor = (iswi_visitor *)((char *)task - offsetof(iswi_visitor, again));

    visitor->goes_on = false;
    if (visitor->ended)
        release(visitor);
    else
        move_on(visitor);
}

/* -- Coming in --------------------------------------------------------------------------------- */

static void on_near(iswi_watch *watch, uint32_t events)
{
    (void)events;
    move_on((iswi_visitor *)((char *)watch - offsetof(iswi_visitor, near)));
}

/* It has proved who it is. */
static void take_in(iswi_visitor *visitor)
{
    iswi_gate *gate = visitor->gate;
    const iswi_tls_peer *peer = visitor->tls ? iswi_tls_peer_of(visitor->tls) : NULL;
    int fd = iswi_gate_find_place(gate);

    if (fd < 0) {
        refuse(visitor, "as many processes as host.yaml says are there already, or the host stops");
        return;
    }
    visitor->in = iswi_calloc(1, sizeof *visitor->in);
    visitor->out = iswi_calloc(1, sizeof *visitor->out);
    visitor->near = (iswi_watch){ fd, on_near };
    gate->strangers--;
    iswi_reactor_cancel_timer(gate->reactor, &visitor->late);
    iswi_say(gate->host, ISW_LOG_INFO, "worker %s: a process at %s has come%s%.*s", gate->worker,
             visitor->who, peer ? ", of " : "", peer ? (int)peer->subject.size : 0,
             peer ? peer->subject.data : "");
    if (visitor->in && visitor->out &&
        iswi_watch_begin(gate->reactor, &visitor->near, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET))
        move_on(visitor);
    else
        iswi_visitor_end(visitor);
}

static void shake_hands(iswi_visitor *visitor)
{
    char why[ISW_ERROR_MESSAGE_BYTES];

    switch (visitor->tls ? iswi_tls_handshake(visitor->tls) : ISWI_TLS_DONE) {
    case ISWI_TLS_DONE:
        take_in(visitor);
        return;
    case ISWI_TLS_WANTS_INPUT:
    case ISWI_TLS_WANTS_OUTPUT:
        return;
    case ISWI_TLS_PLAIN:
        refuse(visitor, "it does not speak TLS");
        return;
    case ISWI_TLS_LEFT:
        iswi_visitor_end(visitor); /* it only looked */
        return;
    case ISWI_TLS_FAILED:
        break;
    }
    snprintf(why, sizeof why, "%s", iswi_tls_session_fault(visitor->tls));
    refuse(visitor, why);
}

static void on_far(iswi_watch *watch, uint32_t events)
{
    iswi_visitor *visitor = (iswi_visitor *)((char *)watch - offsetof(iswi_visitor, far));

    (void)events;
    if (visitor->near.fd >= 0)
        move_on(visitor);
    else
        shake_hands(visitor);
}

static void on_late(iswi_timer *timer)
{
    refuse((iswi_visitor *)((char *)timer - offsetof(iswi_visitor, late)),
           "it has not proved in time who it is");
}

void iswi_visitor_come(iswi_gate *gate, int fd, const char *who)
{
    const int on = 1;
    iswi_visitor *visitor = iswi_calloc(1, sizeof *visitor);
    iswi_tls_session *tls = gate->tls && visitor ? iswi_tls_session_begin(gate->tls, fd) : NULL;

    if (!visitor || (gate->tls && !tls)) {
        iswi_free(visitor);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *visitor = (iswi_visitor){ .gate = gate, .tls = tls, .far = { fd, on_far },
                               .near = { -1, on_near }, .late.due = on_late,
                               .again.run = run_again, .next = gate->visitors,
                               .link = &gate->visitors };
    snprintf(visitor->who, sizeof visitor->who, "%s", who);
    if (gate->visitors)
        gate->visitors->link = &visitor->next;
    gate->visitors = visitor;
    atomic_fetch_add(&gate->count, 1);
    gate->strangers++;
    iswi_reactor_set_timer(gate->reactor, &visitor->late,
                           iswi_reactor_now_ns(gate->reactor) + HANDSHAKE_MS * MS);
    if (!iswi_watch_begin(gate->reactor, &visitor->far, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET))
        iswi_visitor_end(visitor);
    else if (!tls)
        take_in(visitor);
}
