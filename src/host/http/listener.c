/* SPDX-License-Identifier: Apache-2.0 */
/* Accepting. Invariant: what listens is watched while connections may be taken, so that a client
 * waits in the kernel's queue while descriptors are out. */
#include "host/http/connection.h"

#include "base/alloc.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    ACCEPTS_AT_ONCE = 64, /* so that connections are served during a rush */
    SPARE_CONNECTIONS = 64, /* beyond the limit, that hear why they are refused */
    EXHAUSTED_PAUSE_NS = 100000000 /* when descriptors are out, until the next try */
};

static bool watch(iswi_http *http, bool on)
{
    iswi_http_listener *listener = &http->listener;
    const iswi_http_doors *doors = listener->doors;
    iswi_reactor *reactor = http->loops[0].reactor;
    bool fine = true;

    if (listener->watched == on || !doors)
        return true;
    listener->watched = on;
    for (size_t i = 0; i < doors->sockets.count; i++)
        if (on)
            fine = iswi_watch_begin(reactor, &doors->items[i].watch, EPOLLIN) && fine;
        else
            iswi_watch_end(reactor, &doors->items[i].watch);
    return fine;
}

void iswi_http_listener_take(iswi_http *http, int fd, const struct sockaddr_storage *from,
                             iswi_http_manner manner)
{
    iswi_http_listener *listener = &http->listener;
    const size_t count = listener->count;
    const size_t most = http->terms->connections;

    if (count >= most + SPARE_CONNECTIONS ||
        !iswi_http_peers_add(&listener->peers, (const struct sockaddr *)from)) {
        close(fd);
        return;
    }
    manner.refused = count >= most;
    iswi_http_connection_create(&http->loops[listener->next], fd, from, manner);
    listener->next = (listener->next + 1) % http->loop_count;
}

static void on_pause_over(iswi_timer *timer)
{
    iswi_http_listener *listener =
        (iswi_http_listener *)((char *)timer - offsetof(iswi_http_listener, pause));

    watch((iswi_http *)((char *)listener - offsetof(iswi_http, listener)), true);
}

/* Those who come meanwhile wait in the kernel's queue. Said once, not with each try. */
static void wait_for_descriptors(iswi_http *http, int cause)
{
    iswi_http_listener *listener = &http->listener;
    iswi_reactor *reactor = http->loops[0].reactor;
    char text[200];

    snprintf(text, sizeof text, "HTTP: no connection can be taken with %zu open, and clients wait: "
             "%s. The limit of descriptors (ulimit -n, LimitNOFILE=) may be too low",
             (size_t)listener->count, strerror(cause));
    if (!listener->exhausted && http->events.say)
        http->events.say(http->user, ISW_LOG_WARNING, text);
    listener->exhausted = true;
    watch(http, false);
    iswi_reactor_set_timer(reactor, &listener->pause,
                           iswi_reactor_now_ns(reactor) + EXHAUSTED_PAUSE_NS);
}

static void on_ready(iswi_watch *one, uint32_t events)
{
    iswi_http_door *door = (iswi_http_door *)one;
    iswi_http *http = door->http;

    (void)events;
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
        socklen_t size = sizeof from;
        int fd = accept4(one->fd, door->local ? NULL : (struct sockaddr *)&from,
                         door->local ? NULL : &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            iswi_http_listener_take(http, fd, &from, (iswi_http_manner){ .secure = door->secure });
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            wait_for_descriptors(http, errno);
            return;
        }
    }
}

/* -- Begin and end ----------------------------------------------------------------------------- */

static void set_doors(iswi_http_listener *listener, iswi_http_doors *doors)
{
    for (size_t i = 0; i < doors->sockets.count; i++)
        doors->items[i].watch.ready = on_ready;
    doors->before = listener->doors;
    atomic_store(&listener->doors, doors);
}

typedef struct beginning {
    iswi_http *http;
    int failure;
} beginning;

static void begin(void *user)
{
    beginning *of = user;

    of->failure = watch(of->http, true) ? 0 : errno;
}

isw_status iswi_http_listener_begin(iswi_http *http, iswi_http_doors *doors, isw_error *error)
{
    iswi_http_listener *listener = &http->listener;
    beginning of = { .http = http };

    set_doors(listener, doors);
    listener->pause.due = on_pause_over;
    if (!http->events.shut)
        iswi_reactor_call(http->loops[0].reactor, begin, &of);
    if (!of.failure)
        return ISW_OK;
    return isw_error_set(error, ISW_E_IO, "cannot start the HTTP server: %s", strerror(of.failure));
}

/* -- Others ------------------------------------------------------------------------------------ */

/* Who waits at one that ends is let in before. */
static void end_doors(iswi_http_doors *doors, const bool *stays, bool accepts)
{
    for (size_t i = 0; i < doors->sockets.count; i++) {
        iswi_listener *socket = &doors->sockets.items[i];
        bool leave;

        if (socket->fd < 0)
            continue;
        leave = *stays++;
        if (accepts && !leave)
            on_ready(&doors->items[i].watch, EPOLLIN);
        iswi_listen_end(socket, leave);
    }
}

typedef struct moving {
    iswi_http *http;
    iswi_http_doors *doors;
} moving;

static void move(void *user)
{
    const moving *of = user;
    iswi_http_listener *listener = &of->http->listener;
    iswi_http_doors *before = listener->doors;
    bool watched = listener->watched;

    watch(of->http, false);
    iswi_listen_own(&of->doors->sockets);
    set_doors(listener, of->doors);
    if (watched)
        watch(of->http, true);
    end_doors(before, of->doors->stays, watched);
}

void iswi_http_listener_move(iswi_http *http, iswi_http_doors *doors)
{
    iswi_reactor_call(http->loops[0].reactor, move, &(moving){ http, doors });
}

/* -- The host's place -------------------------------------------------------------------------- */

static void open_doors(void *user)
{
    iswi_http *http = user;

    iswi_listen_own(&http->listener.doors->sockets);
    watch(http, true);
}

void iswi_http_listener_open(iswi_http *http)
{
    iswi_reactor_call(http->loops[0].reactor, open_doors, http);
}

typedef struct giving {
    iswi_http *http;
    iswi_legacy *legacy;
    bool fine;
} giving;

static void give(void *user)
{
    giving *of = user;

    of->fine = iswi_listen_give(&of->http->listener.doors->sockets, of->http->listener.setting,
                                of->legacy);
}

bool iswi_http_listener_give(iswi_http *http, iswi_legacy *legacy)
{
    giving of = { http, legacy, false };

    iswi_reactor_call(http->loops[0].reactor, give, &of);
    return of.fine;
}

static void leave(void *user)
{
    iswi_http *http = user;

    watch(http, false);
    iswi_reactor_cancel_timer(http->loops[0].reactor, &http->listener.pause);
    iswi_listen_leave(&http->listener.doors->sockets);
}

void iswi_http_listener_leave(iswi_http *http)
{
    iswi_reactor_call(http->loops[0].reactor, leave, http);
}

static void end(void *user)
{
    iswi_http *http = user;

    watch(http, false);
    iswi_reactor_cancel_timer(http->loops[0].reactor, &http->listener.pause);
    if (http->listener.doors)
        iswi_listen_close(&http->listener.doors->sockets);
}

void iswi_http_listener_end(iswi_http *http)
{
    iswi_reactor_call(http->loops[0].reactor, end, http);
}

void iswi_http_listener_fini(iswi_http *http)
{
    iswi_http_doors *doors = http->listener.doors;

    while (doors) {
        iswi_http_doors *before = doors->before;

        iswi_http_doors_free(doors);
        doors = before;
    }
    iswi_http_peers_fini(&http->listener.peers);
}
