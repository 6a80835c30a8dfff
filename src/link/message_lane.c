/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message lane: an nng stream that speaks nng's pair protocol, one preallocated aio each way.
 *
 * It stands on nng's streams and not on its sockets: in nng 1.5 a socket whose peer dies while a
 * message is half read can lose its receive aio for ever (a resubmission meets an aio that was just
 * closed), and with it the one thread that buries pipes, so that no further death is noticed. With
 * the stream in our own hands nothing is resubmitted after a close, one read takes in many
 * messages, and a batch is sent from where it lies.
 *
 * Invariant: until the lane is over, the inbound aio is under way or its callback runs, and only
 * that callback raises events, so that they come one at a time and on_closed comes last.
 */
#include "base/alloc.h"
#include "link/link.h"
#include "link/outbox.h"
#include "link/sp.h"

#include <errno.h>
#include <nng/nng.h>
#include <nng/transport/ipc/ipc.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTS = 3, DIAL_TIMEOUT_MS = 10000 };

typedef struct message_lane {
    iswi_link link;
    nng_stream_listener *listener; /* NULL on the side that dials */
    nng_aio *inbound;              /* accepts, then reads */
    nng_aio *outbound;
    iswi_sp_reader reader; /* of the inbound callback alone */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t is_over;
    nng_stream *stream; /* NULL before the other side connected */
    iswi_peer peer;
    iswi_outbox outbox;
    iswi_outbox_batch *sending;
    unsigned char head[ISWI_SP_HEAD_BYTES];
    nng_iov parts[PARTS]; /* what is left of the message under way */
    bool greeted, transmitting;
    unsigned gatherers; /* while there are any, frames wait for them */
    bool mute;  /* nothing more can be sent */
    bool ended; /* nothing more is read */
    bool over;  /* on_closed was raised, or the lane never opened */
} message_lane;

/* -- Sending; with the lock -------------------------------------------------------------------- */

static void send_parts(message_lane *lane)
{
    nng_iov left[PARTS];
    unsigned count = 0;

    for (unsigned i = 0; i < PARTS; i++)
        if (lane->parts[i].iov_len)
            left[count++] = lane->parts[i];
    lane->transmitting = true;
    nng_aio_set_iov(lane->outbound, count, left);
    nng_stream_send(lane->stream, lane->outbound);
}

/* Begin the next message if none is under way; the first one brings the greeting. */
static void transmit_next(message_lane *lane)
{
    if (lane->transmitting || lane->gatherers || lane->mute || !lane->stream)
        return;
    lane->sending = iswi_outbox_take(&lane->outbox);
    if (!lane->sending && lane->greeted)
        return;
    memset(lane->parts, 0, sizeof lane->parts);
    if (!lane->greeted)
        lane->parts[0] = (nng_iov){ (void *)iswi_sp_greeting, ISWI_SP_GREETING_BYTES };
    if (lane->sending) {
        iswi_sp_head(lane->sending->bytes.size, lane->head);
        lane->parts[1] = (nng_iov){ lane->head, ISWI_SP_HEAD_BYTES };
        lane->parts[2] = (nng_iov){ lane->sending->bytes.data, lane->sending->bytes.size };
    }
    lane->greeted = true;
    send_parts(lane);
}

/* Go past what was sent; true when nothing is left of the message. */
static bool advance(message_lane *lane, size_t sent)
{
    bool done = true;

    for (unsigned i = 0; i < PARTS; i++) {
        size_t step = sent < lane->parts[i].iov_len ? sent : lane->parts[i].iov_len;

        lane->parts[i].iov_buf = (char *)lane->parts[i].iov_buf + step;
        lane->parts[i].iov_len -= step;
        sent -= step;
        done = done && lane->parts[i].iov_len == 0;
    }
    return done;
}

static void on_transmitted(void *user)
{
    message_lane *lane = user;

    pthread_mutex_lock(&lane->lock);
    lane->transmitting = false;
    /* A failure ends only this direction: what the other side sent before is still to be read. */
    lane->mute = lane->mute || nng_aio_result(lane->outbound) != 0;
    if (!lane->mute && !advance(lane, nng_aio_count(lane->outbound))) {
        send_parts(lane);
    } else {
        if (lane->sending)
            iswi_outbox_give_back(&lane->outbox, lane->sending);
        lane->sending = NULL;
        transmit_next(lane);
    }
    pthread_mutex_unlock(&lane->lock);
}

static isw_status lane_send(iswi_link *link, const isw_bytes *pieces, unsigned count)
{
    message_lane *lane = (message_lane *)link;
    isw_status status;

    pthread_mutex_lock(&lane->lock);
    status = lane->mute ? ISW_E_CLOSED : iswi_outbox_add(&lane->outbox, pieces, count);
    if (status == ISW_OK)
        transmit_next(lane);
    pthread_mutex_unlock(&lane->lock);
    return status;
}

static void lane_gather(iswi_link *link, bool on)
{
    message_lane *lane = (message_lane *)link;

    pthread_mutex_lock(&lane->lock);
    lane->gatherers += on ? 1 : -1;
    transmit_next(lane);
    pthread_mutex_unlock(&lane->lock);
}

static size_t lane_backlog(iswi_link *link)
{
    message_lane *lane = (message_lane *)link;
    size_t bytes;

    pthread_mutex_lock(&lane->lock);
    bytes = lane->outbox.bytes;
    pthread_mutex_unlock(&lane->lock);
    return bytes;
}

/* -- Receiving --------------------------------------------------------------------------------- */

/* Post the inbound aio again: for the connection, then for bytes. Under the lock, so that a close
 * finds it posted or prevents it. False when there is nothing more to wait for. */
static bool receive_next(message_lane *lane)
{
    nng_iov space;
    bool more = !lane->ended;

    if (more && lane->stream) {
        more = iswi_sp_reader_space(&lane->reader, &space.iov_buf, &space.iov_len) == ISW_OK &&
               nng_aio_set_iov(lane->inbound, 1, &space) == 0;
        if (more)
            nng_stream_recv(lane->stream, lane->inbound);
    } else if (more) {
        nng_stream_listener_accept(lane->listener, lane->inbound);
    }
    lane->ended = lane->ended || !more;
    lane->mute = lane->mute || !more;
    return more;
}

/* What the events send waits for the last of them: they are quick. */
static bool deliver(message_lane *lane, size_t size)
{
    const iswi_link_events *events = &lane->link.events;
    isw_status status;

    lane_gather(&lane->link, true);
    status = iswi_sp_reader_deliver(&lane->reader, size, events->on_message, events->user);
    lane_gather(&lane->link, false);
    return status == ISW_OK;
}

/* Take the connection if it comes from our own user; then nobody else is let in. */
static void take_stream(message_lane *lane, nng_stream *stream)
{
    uint64_t uid = 0;
    uint64_t pid = 0;
    bool known = nng_stream_get_uint64(stream, NNG_OPT_IPC_PEER_UID, &uid) == 0;

    nng_stream_get_uint64(stream, NNG_OPT_IPC_PEER_PID, &pid);
    if (known && uid != (uint64_t)geteuid()) {
        nng_stream_free(stream);
        return;
    }
    pthread_mutex_lock(&lane->lock);
    lane->stream = stream;
    if (lane->ended) /* meanwhile */
        nng_stream_close(stream);
    lane->peer = (iswi_peer){ (uid_t)uid, (pid_t)pid };
    transmit_next(lane);
    pthread_mutex_unlock(&lane->lock);
    if (lane->listener)
        nng_stream_listener_close(lane->listener);
}

static void on_inbound(void *user)
{
    message_lane *lane = user;
    bool more = nng_aio_result(lane->inbound) == 0;

    if (more && !lane->stream)
        take_stream(lane, nng_aio_get_output(lane->inbound, 0));
    else if (more)
        more = deliver(lane, nng_aio_count(lane->inbound));
    pthread_mutex_lock(&lane->lock);
    lane->ended = lane->ended || !more;
    more = receive_next(lane);
    pthread_mutex_unlock(&lane->lock);
    if (more)
        return;
    lane->link.events.on_closed(lane->link.events.user);
    pthread_mutex_lock(&lane->lock);
    lane->over = true;
    pthread_cond_broadcast(&lane->is_over);
    pthread_mutex_unlock(&lane->lock);
}

/* -- The end ----------------------------------------------------------------------------------- */

static iswi_peer lane_peer(iswi_link *link)
{
    message_lane *lane = (message_lane *)link;
    iswi_peer peer;

    pthread_mutex_lock(&lane->lock);
    peer = lane->peer;
    pthread_mutex_unlock(&lane->lock);
    return peer;
}

static void lane_close(iswi_link *link)
{
    message_lane *lane = (message_lane *)link;

    pthread_mutex_lock(&lane->lock);
    lane->ended = lane->mute = true;
    if (lane->stream)
        nng_stream_close(lane->stream);
    else if (lane->listener)
        nng_stream_listener_close(lane->listener);
    pthread_mutex_unlock(&lane->lock);
}

static void lane_destroy(iswi_link *link)
{
    message_lane *lane = (message_lane *)link;

    lane_close(link);
    pthread_mutex_lock(&lane->lock);
    while (!lane->over)
        pthread_cond_wait(&lane->is_over, &lane->lock);
    pthread_mutex_unlock(&lane->lock);
    if (lane->inbound)
        nng_aio_stop(lane->inbound);
    if (lane->outbound)
        nng_aio_stop(lane->outbound);
    nng_stream_free(lane->stream);
    nng_stream_listener_free(lane->listener);
    nng_aio_free(lane->inbound);
    nng_aio_free(lane->outbound);
    if (lane->sending)
        iswi_outbox_give_back(&lane->outbox, lane->sending);
    iswi_outbox_fini(&lane->outbox);
    iswi_sp_reader_fini(&lane->reader);
    pthread_cond_destroy(&lane->is_over);
    pthread_mutex_destroy(&lane->lock);
    iswi_free(lane);
}

static const iswi_link_ops ops = {
    .name = "message",
    .send = lane_send,
    .backlog = lane_backlog,
    .peer = lane_peer,
    .close = lane_close,
    .gather = lane_gather,
    .destroy = lane_destroy,
};

/* -- Opening ----------------------------------------------------------------------------------- */

static int listen_at(message_lane *lane, const char *url)
{
    struct stat info;
    int failed;

    /* nng takes the place of whatever is there, also of a file that is no socket. */
    if (strncmp(url, "ipc://", 6) == 0 && lstat(url + 6, &info) == 0)
        return NNG_EADDRINUSE;
    failed = nng_stream_listener_alloc(&lane->listener, url);
    if (!failed && strncmp(url, "ipc:", 4) == 0)
        failed = nng_stream_listener_set_int(lane->listener, NNG_OPT_IPC_PERMISSIONS, 0600);
    return failed ? failed : nng_stream_listener_listen(lane->listener);
}

static int dial_to(message_lane *lane, const char *url)
{
    nng_stream_dialer *dialer = NULL;
    nng_aio *aio = NULL;
    int failed = nng_stream_dialer_alloc(&dialer, url);

    if (!failed)
        failed = nng_aio_alloc(&aio, NULL, NULL);
    if (!failed) {
        nng_aio_set_timeout(aio, DIAL_TIMEOUT_MS);
        nng_stream_dialer_dial(dialer, aio);
        nng_aio_wait(aio);
        failed = nng_aio_result(aio);
    }
    if (!failed)
        take_stream(lane, nng_aio_get_output(aio, 0));
    nng_aio_free(aio);
    nng_stream_dialer_free(dialer);
    return failed ? failed : lane->stream ? 0 : NNG_EPERM;
}

/* One stream needs no more than these; by itself nng starts some for each core. It takes such wishes
 * from 1.10 on, and before its first use in the process. */
static void ask_for_few_threads(void)
{
#if NNG_MAJOR_VERSION > 1 || NNG_MINOR_VERSION >= 10
    nng_init_set_parameter(NNG_INIT_NUM_TASK_THREADS, 2);
    nng_init_set_parameter(NNG_INIT_NUM_EXPIRE_THREADS, 1);
    nng_init_set_parameter(NNG_INIT_NUM_POLLER_THREADS, 1);
    nng_init_set_parameter(NNG_INIT_NUM_RESOLVER_THREADS, 1);
#endif
}

static isw_status open_lane(const char *url, int (*start)(message_lane *, const char *),
                            isw_status failure, const iswi_link_events *events, iswi_link **out,
                            isw_error *error)
{
    message_lane *lane = iswi_calloc(1, sizeof *lane);
    int failed;

    if (!lane)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a link");
    ask_for_few_threads();
    lane->link = (iswi_link){ &ops, *events };
    lane->reader.chunk_bytes = ISWI_SP_SOCKET_CHUNK_BYTES;
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->is_over, NULL);
    failed = nng_aio_alloc(&lane->inbound, on_inbound, lane);
    if (!failed)
        failed = nng_aio_alloc(&lane->outbound, on_transmitted, lane);
    if (!failed)
        failed = start(lane, url);
    if (failed) {
        lane->over = true;
        lane_destroy(&lane->link);
        return isw_error_set(error, failed == NNG_ENOMEM ? ISW_E_NO_MEMORY : failure, "%s: %s", url,
                             nng_strerror(failed));
    }
    *out = &lane->link; /* set before the first event */
    pthread_mutex_lock(&lane->lock);
    lane->over = !receive_next(lane);
    pthread_mutex_unlock(&lane->lock);
    if (!lane->over)
        return ISW_OK;
    *out = NULL;
    lane_destroy(&lane->link);
    return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a link");
}

isw_status iswi_message_lane_listen(const char *url, const iswi_link_events *events,
                                    iswi_link **out, isw_error *error)
{
    return open_lane(url, listen_at, ISW_E_IO, events, out, error);
}

isw_status iswi_message_lane_dial(const char *url, const iswi_link_events *events,
                                  iswi_link **out, isw_error *error)
{
    return open_lane(url, dial_to, ISW_E_UNAVAILABLE, events, out, error);
}
