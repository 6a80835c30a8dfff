/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message lane, the end that dials: an nng stream that speaks nng's pair protocol, one
 * preallocated aio each way. The end that listens is the socket lane's.
 *
 * It stands on nng's streams and not on its sockets: in nng 1.5 a socket whose peer dies while a
 * message is half read can lose its receive aio for ever (a resubmission meets an aio that was just
 * closed), and with it the one thread that buries pipes, so that no further death is noticed. With
 * the stream in our own hands nothing is resubmitted after a close, one read takes in many
 * messages, and a batch is sent from where it lies.
 *
 * Invariant: until the lane is over, the inbound aio is under way or its callback runs, and only
 * that callback raises events, so that they come one at a time and on_closed comes last. The
 * outbound aio is under way only while somebody sends, who has the lock, or the lane is stuck.
 */
#include "base/alloc.h"
#include "base/thread.h"
#include "link/far.h"
#include "link/socket_end.h"

#include <nng/transport/ipc/ipc.h>
#include <unistd.h>

enum { DIAL_TIMEOUT_MS = 10000 };

typedef struct message_lane {
    iswi_socket_end end;
    iswi_nng_calls nng;
    nng_stream *stream;
    nng_aio *inbound;
    nng_aio *outbound;
    pthread_mutex_t reading; /* apart from the end's lock, so that nobody who sends waits for it */
    bool ended;              /* with it: nothing more is read */

    /* With the end's lock: */
    pthread_cond_t is_over;
    pthread_cond_t is_stuck;
    pthread_t waiter;
    bool waits;  /* there is a waiter, from the first time on that a socket had no room */
    bool stuck;  /* the outbound aio is under way, which it waits for */
    bool leaves; /* it is to end */
    bool over;  /* on_closed was raised, or the lane never opened */
} message_lane;

/* -- Sending; with the lock -------------------------------------------------------------------- */

/* What became of the outbound aio, which is done. False: nothing more can be sent. */
static bool take_result(message_lane *lane)
{
    /* A failure ends only this direction: what the other side sent before is still to be read. */
    if (lane->nng.aio_result(lane->outbound) != 0)
        lane->end.mute = true;
    else
        iswi_socket_end_advance(&lane->end, lane->nng.aio_count(lane->outbound));
    return !lane->end.mute;
}

static void transmit(iswi_socket_end *end);

/* Waits where a socket had no room. */
static void *wait_for_room(void *user)
{
    message_lane *lane = user;

    iswi_thread_name("isw:room");
    pthread_mutex_lock(&lane->end.lock);
    while (!lane->leaves) {
        if (!lane->stuck) {
            pthread_cond_wait(&lane->is_stuck, &lane->end.lock);
            continue;
        }
        pthread_mutex_unlock(&lane->end.lock);
        lane->nng.aio_wait(lane->outbound);
        pthread_mutex_lock(&lane->end.lock);
        lane->stuck = false;
        take_result(lane);
        transmit(&lane->end);
    }
    pthread_mutex_unlock(&lane->end.lock);
    return NULL;
}

/* False: there is no thread that could wait. */
static bool leave_to_waiter(message_lane *lane)
{
    if (!lane->waits && pthread_create(&lane->waiter, NULL, wait_for_room, lane) != 0)
        return false;
    lane->waits = lane->stuck = true;
    pthread_cond_signal(&lane->is_stuck);
    return true;
}

/* nng writes at once what there is room for, and an aio without a callback is done then: one with
 * a callback would wake a thread of nng's for each message. False: nothing more can be sent now. */
static bool send_some(message_lane *lane)
{
    nng_iov left[ISWI_SOCKET_PARTS];
    unsigned count = 0;

    for (unsigned i = 0; i < ISWI_SOCKET_PARTS; i++)
        if (lane->end.parts[i].iov_len)
            left[count++] = (nng_iov){ lane->end.parts[i].iov_base, lane->end.parts[i].iov_len };
    lane->nng.aio_set_iov(lane->outbound, count, left);
    lane->nng.stream_send(lane->stream, lane->outbound);
    if (lane->nng.aio_count(lane->outbound) == 0 && lane->nng.aio_result(lane->outbound) == 0 &&
        leave_to_waiter(lane))
        return false;
    lane->nng.aio_wait(lane->outbound); /* for what is left of its end */
    return take_result(lane);
}

static void transmit(iswi_socket_end *end)
{
    message_lane *lane = (message_lane *)end;

    while (!lane->stuck && iswi_socket_end_begin(end) && send_some(lane))
        continue;
}

/* -- Receiving --------------------------------------------------------------------------------- */

/* Post the inbound aio again, where `more` is to come. Under the lock of reading, so that a close
 * finds it posted or prevents it. False when there is nothing more to wait for. */
static bool receive_next(message_lane *lane, bool more)
{
    nng_iov space;

    pthread_mutex_lock(&lane->reading);
    more = more && !lane->ended && iswi_sp_reader_space(&lane->end.reader, &space.iov_buf,
                                                        &space.iov_len) == ISW_OK;
    more = more && lane->nng.aio_set_iov(lane->inbound, 1, &space) == 0;
    if (more)
        lane->nng.stream_recv(lane->stream, lane->inbound);
    lane->ended = lane->ended || !more;
    pthread_mutex_unlock(&lane->reading);
    return more;
}

static void on_inbound(void *user)
{
    message_lane *lane = user;
    bool more = lane->nng.aio_result(lane->inbound) == 0;

    if (more)
        more = iswi_socket_end_deliver(&lane->end, lane->nng.aio_count(lane->inbound));
    if (receive_next(lane, more))
        return;
    pthread_mutex_lock(&lane->end.lock);
    lane->end.mute = true;
    pthread_mutex_unlock(&lane->end.lock);
    lane->end.link.events.on_closed(lane->end.link.events.user);
    pthread_mutex_lock(&lane->end.lock);
    lane->over = true;
    pthread_cond_broadcast(&lane->is_over);
    pthread_mutex_unlock(&lane->end.lock);
}

/* -- The end ----------------------------------------------------------------------------------- */

static void lane_close(iswi_link *link)
{
    message_lane *lane = (message_lane *)link;

    pthread_mutex_lock(&lane->end.lock);
    lane->end.mute = true;
    pthread_mutex_unlock(&lane->end.lock);
    pthread_mutex_lock(&lane->reading);
    lane->ended = true;
    if (lane->stream)
        lane->nng.stream_close(lane->stream);
    pthread_mutex_unlock(&lane->reading);
}

static void lane_destroy(iswi_link *link)
{
    message_lane *lane = (message_lane *)link;

    lane_close(link);
    pthread_mutex_lock(&lane->end.lock);
    while (!lane->over)
        pthread_cond_wait(&lane->is_over, &lane->end.lock);
    lane->leaves = true;
    pthread_cond_signal(&lane->is_stuck);
    pthread_mutex_unlock(&lane->end.lock);
    if (lane->waits)
        pthread_join(lane->waiter, NULL);
    if (lane->inbound)
        lane->nng.aio_stop(lane->inbound);
    if (lane->outbound)
        lane->nng.aio_stop(lane->outbound);
    lane->nng.stream_free(lane->stream);
    lane->nng.aio_free(lane->inbound);
    lane->nng.aio_free(lane->outbound);
    pthread_cond_destroy(&lane->is_over);
    pthread_cond_destroy(&lane->is_stuck);
    pthread_mutex_destroy(&lane->reading);
    iswi_socket_end_fini(&lane->end);
    iswi_free(lane);
}

static const iswi_link_ops ops = {
    .name = "message",
    .send = iswi_socket_end_send,
    .backlog = iswi_socket_end_backlog,
    .peer = iswi_socket_end_peer,
    .close = lane_close,
    .gather = iswi_socket_end_gather,
    .destroy = lane_destroy,
};

/* -- Opening ----------------------------------------------------------------------------------- */

/* Take the connection if it leads to our own user. */
static int take_stream(message_lane *lane, nng_stream *stream)
{
    uint64_t uid = 0;
    uint64_t pid = 0;
    bool known = lane->nng.stream_get_uint64(stream, NNG_OPT_IPC_PEER_UID, &uid) == 0;

    lane->nng.stream_get_uint64(stream, NNG_OPT_IPC_PEER_PID, &pid);
    if (known && uid != (uint64_t)geteuid()) {
        lane->nng.stream_free(stream);
        return NNG_EPERM;
    }
    lane->stream = stream;
    lane->end.peer = (iswi_peer){ (uid_t)uid, (pid_t)pid };
    return 0;
}

/* *error is set where there is more to say than what nng's number means. */
static int dial_to(message_lane *lane, const char *url, const iswi_link_far *far,
                   isw_error *error)
{
    nng_stream_dialer *dialer = NULL;
    nng_aio *aio = NULL;
    int failed = lane->nng.stream_dialer_alloc(&dialer, url);

    if (!failed && far && iswi_far_is(url) &&
        iswi_far_secure(&lane->nng, dialer, url, far, error) != ISW_OK)
        failed = NNG_EINVAL;
    if (!failed)
        failed = lane->nng.aio_alloc(&aio, NULL, NULL);
    if (!failed) {
        lane->nng.aio_set_timeout(aio, DIAL_TIMEOUT_MS);
        lane->nng.stream_dialer_dial(dialer, aio);
        lane->nng.aio_wait(aio);
        failed = lane->nng.aio_result(aio);
    }
    if (!failed)
        failed = take_stream(lane, lane->nng.aio_get_output(aio, 0));
    lane->nng.aio_free(aio);
    lane->nng.stream_dialer_free(dialer);
    return failed;
}

/* One stream needs no more than these; by itself nng starts some for each core. It takes such wishes
 * from 1.10 on, and before its first use in the process. */
static void ask_for_few_threads(const iswi_nng_calls *nng)
{
#if NNG_MAJOR_VERSION > 1 || NNG_MINOR_VERSION >= 10
    nng->init_set_parameter(NNG_INIT_NUM_TASK_THREADS, 2);
    nng->init_set_parameter(NNG_INIT_NUM_EXPIRE_THREADS, 1);
    nng->init_set_parameter(NNG_INIT_NUM_POLLER_THREADS, 1);
    nng->init_set_parameter(NNG_INIT_NUM_RESOLVER_THREADS, 1);
#else
    (void)nng;
#endif
}

/* Greet, and read from now on. False when memory is out. */
static bool begin(message_lane *lane)
{
    bool reads;

    pthread_mutex_lock(&lane->end.lock);
    reads = receive_next(lane, true);
    lane->over = !reads;
    transmit(&lane->end);
    pthread_mutex_unlock(&lane->end.lock);
    return reads;
}

isw_status iswi_message_lane_dial(const char *url, const iswi_link_events *events,
                                  iswi_link **out, isw_error *error)
{
    return iswi_message_lane_dial_far(url, NULL, events, out, error);
}

isw_status iswi_message_lane_dial_far(const char *url, const iswi_link_far *far,
                                      const iswi_link_events *events, iswi_link **out,
                                      isw_error *error)
{
    message_lane *lane;
    iswi_nng_calls nng;
    isw_error own = { ISW_OK, "" };
    int failed;

    if (iswi_nng_load(ISWI_NNG_LIBRARY, &nng, error) != ISW_OK)
        return error->status;
    lane = iswi_calloc(1, sizeof *lane);
    if (!lane)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a link");
    lane->nng = nng;
    ask_for_few_threads(&nng);
    iswi_socket_end_init(&lane->end, &ops, events, transmit);
    pthread_cond_init(&lane->is_over, NULL);
    pthread_cond_init(&lane->is_stuck, NULL);
    pthread_mutex_init(&lane->reading, NULL);
    failed = lane->nng.aio_alloc(&lane->inbound, on_inbound, lane);
    if (!failed)
        failed = lane->nng.aio_alloc(&lane->outbound, NULL, NULL);
    if (!failed)
        failed = dial_to(lane, url, far, &own);
    if (!failed) {
        *out = &lane->end.link; /* set before the first event */
        if (begin(lane))
            return ISW_OK;
        *out = NULL;
    }
    lane->over = true;
    lane_destroy(&lane->end.link);
    if (own.status != ISW_OK)
        return isw_error_set(error, own.status, "%s", own.message);
    if (failed && failed != NNG_ENOMEM)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "%s: %s", url, nng.strerror(failed));
    return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a link");
}
