/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to the host on which nothing is said: that it is there is all. It is what lies below
 * a ring on which the session begins. It has no thread: whoever waits anyway for something waits for
 * its descriptor, too, and says so when the other side is gone (lost).
 */
#include "base/alloc.h"
#include "link/address.h"
#include "link/link.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct lifeline {
    iswi_link link;
    int fd;
    atomic_bool over; /* on_closed was raised */
} lifeline;

static isw_status lane_send(iswi_link *link, const isw_bytes *pieces, unsigned count)
{
    (void)link;
    (void)pieces;
    (void)count;
    return ISW_E_CLOSED;
}

static size_t lane_backlog(iswi_link *link)
{
    (void)link;
    return 0;
}

static iswi_peer lane_peer(iswi_link *link)
{
    struct ucred peer = { .pid = 0 };
    socklen_t size = sizeof peer;

    if (getsockopt(((lifeline *)link)->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return (iswi_peer){ .pid = 0 };
    return (iswi_peer){ peer.uid, peer.pid };
}

/* Both sides see it on their descriptors. */
static void lane_close(iswi_link *link)
{
    shutdown(((lifeline *)link)->fd, SHUT_RDWR);
}

static int lane_lifeline(iswi_link *link)
{
    return ((lifeline *)link)->fd;
}

static void lane_lost(iswi_link *link)
{
    if (!atomic_exchange(&((lifeline *)link)->over, true))
        link->events.on_closed(link->events.user);
}

static void lane_destroy(iswi_link *link)
{
    lane_close(link);
    lane_lost(link);
    close(((lifeline *)link)->fd);
    iswi_free(link); /* the first member */
}

static const iswi_link_ops ops = {
    .name = "lifeline",
    .send = lane_send,
    .backlog = lane_backlog,
    .peer = lane_peer,
    .close = lane_close,
    .destroy = lane_destroy,
    .lifeline = lane_lifeline,
    .lost = lane_lost,
};

static int connect_to(const char *url, int *out)
{
    struct sockaddr_un address;
    int fd;

    if (!iswi_socket_address(url, &address))
        return errno;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        int failure = errno;

        close(fd);
        return failure;
    }
    *out = fd;
    return 0;
}

isw_status iswi_lifeline_dial(const char *url, const iswi_link_events *events, iswi_link **out,
                              isw_error *error)
{
    lifeline *line = iswi_calloc(1, sizeof *line);
    int failure;

    if (!line)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a link");
    line->link = (iswi_link){ &ops, *events };
    failure = connect_to(url, &line->fd);
    if (failure) {
        iswi_free(line);
        return isw_error_set(error, ISW_E_UNAVAILABLE, "%s: %s", url, strerror(failure));
    }
    *out = &line->link;
    return ISW_OK;
}
