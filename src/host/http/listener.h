/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_LISTENER_H
#define ISWI_HOST_HTTP_LISTENER_H

/*
 * Where connections come from. The first loop of a front accepts them all and hands them round:
 * with a socket for each loop the kernel would choose by a hash, which of a few connections gives
 * some loops many and others none; and sockets at paths, and those that systemd passes, there is
 * one of each. Inside the room.
 */
#include "host/http/front.h"
#include "host/http/peers.h"
#include "host/system/listen.h"
#include "reactor/reactor.h"

#include <stdatomic.h>

struct iswi_http;

typedef struct iswi_http_door {
    iswi_watch watch;
    struct iswi_http *http;
    bool local; /* its peers have no address */
    bool secure;
} iswi_http_door;

/* All of them; others may follow, and those of before stay, closed, until the front's end. */
struct iswi_http_doors {
    iswi_listeners sockets; /* the loop's alone once it accepts */
    iswi_http_door *items;  /* one for each */
    bool *stays; /* which of those before it go on here, in the order of those that were open */
    struct iswi_http_doors *before;
};

/* How a connection comes. */
typedef struct iswi_http_manner {
    bool secure;  /* over TLS */
    bool refused; /* it is one too many, and hears that */
    bool kept;    /* from another host, where it was idle */
} iswi_http_manner;

typedef struct iswi_http_listener {
    _Atomic(iswi_http_doors *) doors; /* NULL: it never began */
    bool watched;
    iswi_timer pause; /* until descriptors may be had again */
    bool exhausted;   /* they once were */
    unsigned next;    /* loop that gets a connection */
    const char *setting; /* that the sockets are of; static text */
    atomic_size_t count;
    iswi_http_peers peers;
} iswi_http_listener;

/* Begin to accept at these doors, which it owns, unless the front is shut. Not on the loop. Errors:
 * ISW_E_IO. */
isw_status iswi_http_listener_begin(struct iswi_http *http, iswi_http_doors *doors,
                                    isw_error *error);

/* doors.c: open sockets for the addresses of the options. `legacy` is what those that are open now
 * would leave to another host; NULL: there are none. Errors: as iswi_listen_open. */
isw_status iswi_http_doors_open(struct iswi_http *http, const iswi_http_options *options,
                                iswi_legacy *legacy, iswi_http_doors **out, isw_error *error);
/* Accept at these from now on. Any thread; it waits for the loop. */
void iswi_http_listener_move(struct iswi_http *http, iswi_http_doors *doors);

/* As iswi_http_open, iswi_http_give and iswi_http_leave; any thread, and they wait for the loop. */
void iswi_http_listener_open(struct iswi_http *http);
bool iswi_http_listener_give(struct iswi_http *http, iswi_legacy *legacy);
void iswi_http_listener_leave(struct iswi_http *http);

/* A connection has come, which it owns. On the loop. */
void iswi_http_listener_take(struct iswi_http *http, int fd, const struct sockaddr_storage *from,
                             iswi_http_manner manner);

/* Close them; once or more. Any thread; it waits for the loop. */
void iswi_http_listener_end(struct iswi_http *http);

void iswi_http_listener_fini(struct iswi_http *http); /* also where it never began */

#endif
