/* SPDX-License-Identifier: Apache-2.0 */
/* A session over what the host handed down. Invariant: each descriptor is closed once, or belongs
 * to the link. */
#include "worker/program/serve.h"

#include "worker/session/session.h"

#include <string.h>
#include <unistd.h>

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* The rings, if they were handed down; without them the message lane does it all. */
static bool map_rings(iswi_handed *handed, iswi_ring_memory *memory)
{
    bool mapped = handed->ring >= 0 && iswi_ring_memory_map(memory, handed->ring);

    if (mapped && handed->arena >= 0) /* which only makes it faster */
        iswi_ring_memory_map_wide(memory, handed->arena);
    close_one(&handed->ring);
    close_one(&handed->arena);
    return mapped;
}

/* With a bell the session begins on the ring; without one, a host that is older, or another's, is
 * asked on the socket whether it may go on there. */
static isw_status dial_ring(iswi_handed *handed, const iswi_ring_options *options,
                            const iswi_link_events *events, iswi_link **out, isw_error *error)
{
    isw_status status;

    if (handed->bell < 0)
        return iswi_ring_lane_dial(handed->url, options, events, out, error);
    status = iswi_ring_lane_begin(handed->bell, handed->url, options, events, out, error);
    if (status == ISW_OK)
        handed->bell = -1; /* it is the link's */
    return status;
}

static isw_status dial(void *user, const iswi_link_events *events, iswi_link **out,
                       isw_error *error)
{
    iswi_handed *handed = user;
    iswi_ring_options options = { .spin_us = handed->spin_us };
    isw_status status;

    if (!map_rings(handed, &options.memory))
        return iswi_message_lane_dial_far(handed->url, &handed->far, events, out, error);
    status = dial_ring(handed, &options, events, out, error);
    if (status != ISW_OK)
        iswi_ring_memory_unmap(&options.memory);
    return status;
}

isw_status iswi_worker_serve(isw_worker *worker, iswi_handed *handed, isw_error *error)
{
    isw_status status = iswi_session_run(worker, handed->token, dial, handed, error);

    close_one(&handed->ring);
    close_one(&handed->arena);
    close_one(&handed->bell);
    explicit_bzero(handed->token, sizeof handed->token);
    return status;
}
