/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's end of a Unix socket on a reactor: the same bytes as the message lane's, with no thread
 * of its own. A worker that speaks there may do so by nng, as our own does; one that begins on the
 * ring says nothing, and its connection only tells that it is there.
 *
 * Invariant: events and reads are the reactor's thread's alone; whoever sends writes what there is
 * room for, and the rest follows when the socket has room again. on_closed comes from `finish`.
 */
#include "base/alloc.h"
#include "link/address.h"
#include "link/socket_end.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READS = 16 }; /* in one turn, that others have theirs */
enum { HEARD = EPOLLIN | EPOLLRDHUP | EPOLLET };

typedef struct socket_lane {
    iswi_socket_end end;
    iswi_reactor *reactor;
    struct sockaddr_un address;
    iswi_task begin, again, closing;
    iswi_watch watch; /* of the listener, then of the connection */
    bool reads_on; /* `again` is on its way */
    bool hung_up;  /* the other side has ended, behind what is still to be read */
    bool over;     /* on_closed was raised */

    /* With the end's lock: */
    int listener, fd; /* -1: not, or no more */
    bool closed;      /* `closing` was posted */
    bool wants_room;  /* the watch is for that, too */
} socket_lane;

/* -- Sending; with the lock -------------------------------------------------------------------- */

/* Be told of room, or not: who always is, is woken by each message that the other side takes. A
 * socket that has room already tells so at once. */
static void want_room(socket_lane *lane, bool wants)
{
    if (iswi_watch_change(lane->reactor, &lane->watch, HEARD | (wants ? EPOLLOUT : 0u)))
        lane->wants_room = wants;
    else
        lane->end.mute = true;
}

/* What is under way, on with it. False: there is no room, or never will be. */
static bool send_some(socket_lane *lane)
{
    struct msghdr message = { .msg_iov = lane->end.parts, .msg_iovlen = ISWI_SOCKET_PARTS };
    ssize_t put = sendmsg(lane->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (put < 0) {
        /* A failure ends only this direction: what the other side sent before is still to be
         * read. */
        lane->end.mute = errno != EAGAIN && errno != EINTR;
        if (errno == EAGAIN && !lane->wants_room)
            want_room(lane, true);
        return errno == EINTR;
    }
    iswi_socket_end_advance(&lane->end, (size_t)put);
    return true;
}

static void transmit(iswi_socket_end *end)
{
    socket_lane *lane = (socket_lane *)end;

    while (lane->fd >= 0 && iswi_socket_end_begin(end) && send_some(lane))
        continue;
}

/* -- The end; on the reactor's thread ---------------------------------------------------------- */

static void close_fd(socket_lane *lane, int *fd)
{
    if (*fd >= 0) {
        iswi_watch_end(lane->reactor, &lane->watch);
        close(*fd);
    }
    *fd = -1;
}

static void close_listener(socket_lane *lane)
{
    if (lane->listener >= 0)
        unlink(lane->address.sun_path);
    close_fd(lane, &lane->listener);
}

static void finish(socket_lane *lane)
{
    if (lane->over)
        return;
    lane->over = true;
    pthread_mutex_lock(&lane->end.lock);
    lane->end.mute = true;
    close_listener(lane);
    close_fd(lane, &lane->fd);
    pthread_mutex_unlock(&lane->end.lock);
    lane->end.link.events.on_closed(lane->end.link.events.user);
}

static void finish_now(void *user)
{
    finish(user);
}

static void run_closing(iswi_task *task)
{
    finish((socket_lane *)((char *)task - offsetof(socket_lane, closing)));
}

/* -- Receiving; on the reactor's thread -------------------------------------------------------- */

/* Read once. False: there is nothing more, for now or, if *ended, for ever. What filled less than
 * there was room for was all: more raises an event, and so does the end, unless it was told of. */
static bool read_once(socket_lane *lane, bool *ended)
{
    void *at;
    size_t room;
    ssize_t got;

    *ended = iswi_sp_reader_space(&lane->end.reader, &at, &room) != ISW_OK;
    if (*ended)
        return false;
    got = recv(lane->fd, at, room, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return errno == EINTR;
    *ended = got <= 0 || !iswi_socket_end_deliver(&lane->end, (size_t)got);
    return !*ended && ((size_t)got == room || lane->hung_up);
}

static void read_some(socket_lane *lane)
{
    bool ended = false;
    int reads = 0;

    while (reads < READS && read_once(lane, &ended))
        reads++;
    if (ended)
        finish(lane);
    if (reads < READS || lane->reads_on || lane->over)
        return;
    lane->reads_on = true;
    iswi_reactor_defer(lane->reactor, &lane->again);
}

static void run_again(iswi_task *task)
{
    socket_lane *lane = (socket_lane *)((char *)task - offsetof(socket_lane, again));

    lane->reads_on = false;
    if (!lane->over)
        read_some(lane);
}

static void on_connection(iswi_watch *watch, uint32_t events)
{
    socket_lane *lane = (socket_lane *)((char *)watch - offsetof(socket_lane, watch));

    if (events & EPOLLOUT) {
        pthread_mutex_lock(&lane->end.lock);
        transmit(&lane->end);
        if (lane->fd >= 0 && !iswi_socket_end_begin(&lane->end))
            want_room(lane, false);
        pthread_mutex_unlock(&lane->end.lock);
    }
    lane->hung_up = lane->hung_up || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
    if (events & ~(uint32_t)EPOLLOUT)
        read_some(lane);
}

/* -- Connecting; on the reactor's thread ------------------------------------------------------- */

/* Take the connection; then nobody else is let in. False with errno. */
static bool take_connection(socket_lane *lane, int fd, const struct ucred *peer)
{
    bool watched;

    pthread_mutex_lock(&lane->end.lock);
    close_listener(lane);
    lane->watch = (iswi_watch){ fd, on_connection };
    lane->fd = fd;
    lane->end.peer = (iswi_peer){ peer->uid, peer->pid };
    watched = iswi_watch_begin(lane->reactor, &lane->watch, HEARD);
    transmit(&lane->end);
    pthread_mutex_unlock(&lane->end.lock);
    return watched;
}

static void on_listener(iswi_watch *watch, uint32_t events)
{
    socket_lane *lane = (socket_lane *)((char *)watch - offsetof(socket_lane, watch));
    const iswi_link_events *guests = &lane->end.link.events;
    int fd = accept4(lane->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct ucred peer;
    socklen_t size = sizeof peer;

    (void)events;
    if (fd < 0)
        return;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
        (peer.uid != geteuid() && !(guests->has_guest && peer.uid == guests->guest))) {
        close(fd);
        return;
    }
    if (!take_connection(lane, fd, &peer))
        finish(lane);
    else if (lane->end.link.events.on_connected)
        lane->end.link.events.on_connected(lane->end.link.events.user);
}

static void run_begin(iswi_task *task)
{
    socket_lane *lane = (socket_lane *)((char *)task - offsetof(socket_lane, begin));

    lane->watch = (iswi_watch){ lane->listener, on_listener };
    if (!iswi_watch_begin(lane->reactor, &lane->watch, EPOLLIN))
        finish(lane);
}

/* -- Operations -------------------------------------------------------------------------------- */

static void lane_close(iswi_link *link)
{
    socket_lane *lane = (socket_lane *)link;
    bool first;

    pthread_mutex_lock(&lane->end.lock);
    first = !lane->closed;
    lane->closed = lane->end.mute = true;
    if (lane->fd >= 0)
        shutdown(lane->fd, SHUT_RDWR);
    pthread_mutex_unlock(&lane->end.lock);
    if (first)
        iswi_reactor_post(lane->reactor, &lane->closing);
}

static void lane_free(socket_lane *lane)
{
    iswi_socket_end_fini(&lane->end);
    iswi_free(lane);
}

static void lane_destroy(iswi_link *link)
{
    socket_lane *lane = (socket_lane *)link;

    lane_close(link);
    do /* what was posted or deferred before has run then */
        iswi_reactor_call(lane->reactor, finish_now, lane);
    while (lane->reads_on);
    lane_free(lane);
}

static const iswi_link_ops ops = {
    .name = "socket",
    .send = iswi_socket_end_send,
    .backlog = iswi_socket_end_backlog,
    .peer = iswi_socket_end_peer,
    .close = lane_close,
    .gather = iswi_socket_end_gather,
    .destroy = lane_destroy,
};

/* Bind takes the place of nothing that is there. False with errno. */
static bool listen_at(socket_lane *lane)
{
    const struct sockaddr *address = (const struct sockaddr *)&lane->address;

    lane->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return lane->listener >= 0 && fchmod(lane->listener, 0600) == 0 &&
           bind(lane->listener, address, sizeof lane->address) == 0 &&
           listen(lane->listener, 8) == 0;
}

isw_status iswi_socket_lane_listen(iswi_reactor *reactor, const char *url,
                                   const iswi_link_events *events, iswi_link **out,
                                   isw_error *error)
{
    socket_lane *lane = iswi_calloc(1, sizeof *lane);

    if (!lane)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a link");
    iswi_socket_end_init(&lane->end, &ops, events, transmit);
    lane->reactor = reactor;
    lane->begin.run = run_begin;
    lane->again.run = run_again;
    lane->closing.run = run_closing;
    lane->listener = lane->fd = -1;
    if (!iswi_socket_address(url, &lane->address) || !listen_at(lane)) {
        isw_error_set(error, ISW_E_IO, "%s: %s", url, strerror(errno));
        if (lane->listener >= 0)
            close(lane->listener);
        lane_free(lane);
        return error->status;
    }
    *out = &lane->end.link; /* set before the first event */
    iswi_reactor_post(reactor, &lane->begin);
    return ISW_OK;
}
