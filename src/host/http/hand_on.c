/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that are idle, from one host to the next: whatever their clients send, and whenever, is
 * read by one of the two. Only what the next host cannot know keeps a connection where it is: its
 * keys, its streams, and whom a proxy has announced.
 */
#include "host/http/connection.h"

#include <string.h>

/* -- The one that goes ------------------------------------------------------------------------- */

/* Nothing of a request has come, and all answers are written. */
static bool is_at_rest(const iswi_http_connection *connection)
{
    return connection->coming == ISWI_HTTP_AT_HEAD && connection->phase == ISWI_HTTP_IDLE &&
           !connection->request && connection->from == connection->to && !connection->queued &&
           !connection->turning && !connection->half_closed && !connection->closes;
}

static bool can_be_handed_on(const iswi_http_connection *connection)
{
    const bool announced =
        connection->peer.trusted && connection->http->terms->trust->proxy_protocol;

    return !connection->secure && !connection->h2 && !announced && is_at_rest(connection);
}

typedef struct handing {
    iswi_http_loop *loop;
    iswi_legacy *legacy;
} handing;

/* Our own descriptor is closed, the connection lives on by its duplicate. */
static void hand_on(void *user)
{
    const handing *of = user;
    const char *setting = of->loop->http->listener.setting;
    iswi_http_connection *next;

    for (iswi_http_connection *at = of->loop->connections; at; at = next) {
        next = at->next;
        if (can_be_handed_on(at) && iswi_legacy_add(of->legacy, ISWI_LEGACY_CONNECTION, setting,
                                                    NULL, at->watch.fd, -1))
            iswi_http_connection_close(at);
    }
}

void iswi_http_hand_on(iswi_http *http, iswi_legacy *legacy)
{
    iswi_http_leave(http); /* first, so that no other one comes to rest behind us */
    for (unsigned i = 0; i < http->loop_count; i++)
        iswi_reactor_call(http->loops[i].reactor, hand_on,
                          &(handing){ &http->loops[i], legacy });
}

/* -- The one that comes ------------------------------------------------------------------------ */

static void adopt_one(iswi_http *http, int fd)
{
    struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
    socklen_t size = sizeof from;

    if (getpeername(fd, (struct sockaddr *)&from, &size) != 0 || from.ss_family == AF_UNIX)
        from = (struct sockaddr_storage){ .ss_family = AF_UNSPEC };
    iswi_http_listener_take(http, fd, &from, (iswi_http_manner){ .kept = true });
}

typedef struct adopting {
    iswi_http *http;
    iswi_legacy *legacy;
} adopting;

static void adopt(void *user)
{
    const adopting *of = user;

    for (size_t i = 0; i < of->legacy->count; i++) {
        iswi_legacy_item *item = &of->legacy->items[i];

        if (item->kind == ISWI_LEGACY_CONNECTION && item->fd >= 0 &&
            strcmp(item->whose, of->http->listener.setting) == 0)
            adopt_one(of->http, iswi_legacy_take(item, NULL));
    }
}

void iswi_http_adopt(iswi_http *http, iswi_legacy *legacy)
{
    iswi_reactor_call(http->loops[0].reactor, adopt, &(adopting){ http, legacy });
}
