/* SPDX-License-Identifier: Apache-2.0 */
/* isw_worker_run: where the host is and how to prove ourselves, then a session. */
#include "worker/program/crash.h"
#include "worker/program/debugged.h"
#include "worker/session/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int take_token_fd(isw_worker *worker)
{
    const char *text = getenv("ISOWORKER_TOKEN_FD");
    int given = iswi_worker_take_token_fd(worker);
    char *end;
    long number;

    if (given >= 0)
        return given;
    if (!text || !*text)
        return -1;
    number = strtol(text, &end, 10);
    return *end == '\0' && number >= 0 && number < 65536 ? (int)number : -1;
}

/* Read the whole token and close its descriptor, so that nothing else in the process can. */
static isw_status read_token(isw_worker *worker, unsigned char *token, isw_error *error)
{
    int fd = take_token_fd(worker);
    size_t have = 0;

    if (fd < 0)
        return isw_error_set(error, ISW_E_UNAVAILABLE,
                             "ISOWORKER_TOKEN_FD is not set: this program is started by a host, "
                             "for instance by `isoworker run`");
    while (have < 2 * ISWI_TOKEN_BYTES) {
        ssize_t got = read(fd, token + have, 2 * ISWI_TOKEN_BYTES - have);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    close(fd);
    unsetenv("ISOWORKER_TOKEN_FD");
    if (have != 2 * ISWI_TOKEN_BYTES)
        return isw_error_set(error, ISW_E_UNAVAILABLE,
                             "the host's token could not be read from descriptor %d", fd);
    return ISW_OK;
}

static long number_in(const char *variable, long otherwise)
{
    const char *text = getenv(variable);
    char *end;
    long number = text && *text ? strtol(text, &end, 10) : otherwise;

    return text && *text && *end ? otherwise : number;
}

/* A descriptor that the host handed down, for us alone from here on; -1: it did not. */
static int take_fd(const char *variable)
{
    long fd = number_in(variable, -1);

    unsetenv(variable);
    if (fd < 0 || fd > 65535 || fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    return (int)fd;
}

/* The rings that the host handed down, if it did; without them the message lane does it all. */
static bool map_rings(iswi_ring_memory *memory)
{
    int fd = take_fd("ISOWORKER_RING_FD");
    bool mapped = fd >= 0 && iswi_ring_memory_map(memory, fd);

    if (fd >= 0)
        close(fd);
    return mapped;
}

/* Larger arenas beside them, which only make it faster. */
static void map_arenas(iswi_ring_memory *memory)
{
    int fd = take_fd("ISOWORKER_ARENA_FD");

    if (fd < 0)
        return;
    iswi_ring_memory_map_wide(memory, fd);
    close(fd);
}

/* With a bell the session begins on the ring; without one, a host that is older, or another's, is
 * asked on the socket whether it may go on there. */
static isw_status dial_ring(const char *url, const iswi_ring_options *options,
                            const iswi_link_events *events, iswi_link **out, isw_error *error)
{
    int bell = take_fd("ISOWORKER_BELL_FD");
    isw_status status;

    if (bell < 0)
        return iswi_ring_lane_dial(url, options, events, out, error);
    status = iswi_ring_lane_begin(bell, url, options, events, out, error);
    if (status != ISW_OK)
        close(bell);
    return status;
}

static isw_status dial(void *user, const iswi_link_events *events, iswi_link **out,
                       isw_error *error)
{
    iswi_ring_options options = { .spin_us = number_in("ISOWORKER_SPIN_US", -1) };
    isw_status status;

    if (map_rings(&options.memory)) {
        map_arenas(&options.memory);
        status = dial_ring(user, &options, events, out, error);
        if (status != ISW_OK)
            iswi_ring_memory_unmap(&options.memory);
        return status;
    }
    return iswi_message_lane_dial(user, events, out, error);
}

isw_status isw_worker_run(isw_worker *worker, isw_error *error)
{
    const char *url = worker->url ? worker->url : getenv("ISOWORKER_URL");
    unsigned char token[2 * ISWI_TOKEN_BYTES];
    isw_status status = isw_worker_configure(worker, error);

    if (status != ISW_OK)
        return status;
    if (!url || !*url)
        return isw_error_set(error, ISW_E_UNAVAILABLE,
                             "ISOWORKER_URL is not set: this program is a worker and is started "
                             "by a host, for instance by `isoworker run`");
    if (worker->settings.crash_report)
        iswi_crash_install();
    iswi_debugged_announce(worker);
    status = read_token(worker, token, error);
    if (status == ISW_OK)
        status = iswi_session_run(worker, token, dial, (void *)url, error);
    explicit_bzero(token, sizeof token);
    return status;
}
