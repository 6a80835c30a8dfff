/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_LINK_SOCKET_END_H
#define ISWI_LINK_SOCKET_END_H

/*
 * One end of a socket: what is to be written, what was read, and who is at the other end. How bytes
 * go through the socket is not known here: by nng (message_lane.c) or by a reactor (socket_lane.c),
 * whose structs begin with this one. Inside these lanes.
 */
#include "link/link.h"
#include "link/outbox.h"
#include "link/sp.h"

#include <pthread.h>
#include <sys/uio.h>

enum { ISWI_SOCKET_PARTS = 2 }; /* of a message under way: what goes before it, and its bytes */

typedef struct iswi_socket_end {
    iswi_link link;
    iswi_sp_reader reader; /* of the thread that raises events */
    /* The lane's: on with what is under way and what waits, as far as that goes. With the lock. */
    void (*transmit)(struct iswi_socket_end *end);

    pthread_mutex_t lock; /* guards what follows */
    iswi_peer peer;       /* all zero before it connected */
    iswi_outbox outbox;
    iswi_outbox_batch *sending;
    unsigned char head[ISWI_SP_GREETING_BYTES + ISWI_SP_HEAD_BYTES];
    struct iovec parts[ISWI_SOCKET_PARTS]; /* what is left of the message under way */
    unsigned gatherers; /* while there are any, frames wait for them */
    bool greeted;
    bool mute; /* nothing more can be sent */
} iswi_socket_end;

void iswi_socket_end_init(iswi_socket_end *end, const iswi_link_ops *ops,
                          const iswi_link_events *events,
                          void (*transmit)(iswi_socket_end *end));
void iswi_socket_end_fini(iswi_socket_end *end);

/* Operations of a lane. */
isw_status iswi_socket_end_send(iswi_link *link, const isw_bytes *pieces, unsigned count);
void iswi_socket_end_gather(iswi_link *link, bool on);
size_t iswi_socket_end_backlog(iswi_link *link);
iswi_peer iswi_socket_end_peer(iswi_link *link);

/* Have a message under way: the one that is, or the next that waits; the first brings the greeting.
 * False: there is nothing to send. With the lock, once it is connected. */
bool iswi_socket_end_begin(iswi_socket_end *end);

/* So many bytes of it were sent. With the lock. */
void iswi_socket_end_advance(iswi_socket_end *end, size_t sent);

/* `size` bytes were read: hand their messages up. What the events send waits for the last of them:
 * they are quick. False: the other side does not keep to the protocol, or memory is out. */
bool iswi_socket_end_deliver(iswi_socket_end *end, size_t size);

#endif
