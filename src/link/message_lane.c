/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message lane: nng's pair protocol, version 0, one preallocated aio each way.
 *
 * Invariant: the receive aio is under way until the lane is over, and only its callback raises
 * events, so that they come one at a time and on_closed comes last. nng reports a lost pipe from
 * another thread; that only marks the lane and cancels the receive aio, whose callback then takes
 * in what had arrived before. Pipe events may come out of order in nng 1.5 (POST after REM), so a lane that saw
 * REM stays ended. Frames are appended to messages, never inserted: nng_msg_insert corrupts memory
 * in that release.
 */
#include "base/alloc.h"
#include "link/link.h"
#include "link/outbox.h"
#include "wire/limits.h"

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/transport/ipc/ipc.h>
#include <pthread.h>
#include <unistd.h>

typedef struct message_lane {
    iswi_link link;
    nng_socket socket;
    nng_aio *receive;
    nng_aio *transmit;
    pthread_mutex_t lock; /* guards what follows */
    iswi_outbox outbox;
    pthread_cond_t is_over;
    bool transmitting;
    bool ended;    /* nothing more is sent; the receive aio drains, then reports */
    bool draining; /* the receive aio was woken for that */
    bool over;     /* on_closed was raised, or the lane never opened */
    iswi_peer peer;
    nng_pipe pipe; /* id 0 before the other side connected */
} message_lane;

static void release_nng_message(void *owned)
{
    nng_msg_free(owned);
}

/* -- Sending ----------------------------------------------------------------------------------- */

/* Start the next message if none is under way. With the lock. */
static void transmit_next(message_lane *lane)
{
    iswi_outbox_batch *batch;
    nng_msg *message;

    if (lane->transmitting || lane->ended)
        return;
    batch = iswi_outbox_take(&lane->outbox);
    if (!batch)
        return;
    if (nng_msg_alloc(&message, batch->bytes.size) == 0) {
        memcpy(nng_msg_body(message), batch->bytes.data, batch->bytes.size);
        lane->transmitting = true;
        nng_aio_set_msg(lane->transmit, message);
        nng_send_aio(lane->socket, lane->transmit);
    } else {
        lane->ended = true; /* a frame that was accepted cannot be dropped in silence */
        nng_aio_cancel(lane->receive);
    }
    iswi_outbox_give_back(&lane->outbox, batch);
}

static void on_transmitted(void *user)
{
    message_lane *lane = user;
    int failed = nng_aio_result(lane->transmit);

    if (failed)
        nng_msg_free(nng_aio_get_msg(lane->transmit));
    pthread_mutex_lock(&lane->lock);
    lane->transmitting = false;
    if (!failed)
        transmit_next(lane);
    pthread_mutex_unlock(&lane->lock);
}

static isw_status lane_send(iswi_link *link, const void *frame, size_t size)
{
    message_lane *lane = (message_lane *)link;
    isw_status status;

    pthread_mutex_lock(&lane->lock);
    status = lane->ended ? ISW_E_CLOSED : iswi_outbox_add(&lane->outbox, frame, size);
    if (status == ISW_OK)
        transmit_next(lane);
    pthread_mutex_unlock(&lane->lock);
    return status;
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

/* -- Receiving and the end --------------------------------------------------------------------- */

static void end(message_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    if (!lane->ended && !lane->over)
        nng_aio_cancel(lane->receive);
    lane->ended = true;
    pthread_mutex_unlock(&lane->lock);
}

static void deliver(message_lane *lane, nng_msg *received)
{
    iswi_message *message = iswi_message_create(nng_msg_body(received), nng_msg_len(received),
                                                received, release_nng_message);

    if (!message) {
        nng_msg_free(received);
        end(lane);
        return;
    }
    lane->link.events.on_message(lane->link.events.user, message);
    iswi_message_release(message);
}

/* Wait for the next message; once ended, only for what has arrived already. With the lock, so that
 * `end` finds the aio either not yet posted or cancellable. */
static void receive_next(message_lane *lane)
{
    nng_aio_set_timeout(lane->receive, lane->ended ? NNG_DURATION_ZERO : NNG_DURATION_INFINITE);
    nng_recv_aio(lane->socket, lane->receive);
}

static void on_received(void *user)
{
    message_lane *lane = user;
    int failed = nng_aio_result(lane->receive);
    bool more = !failed;

    if (!failed)
        deliver(lane, nng_aio_get_msg(lane->receive));
    pthread_mutex_lock(&lane->lock);
    if (failed == NNG_ECANCELED && !lane->draining)
        more = lane->draining = true;
    lane->ended = lane->ended || !more;
    if (more)
        receive_next(lane);
    pthread_mutex_unlock(&lane->lock);
    if (more)
        return;
    lane->link.events.on_closed(lane->link.events.user);
    pthread_mutex_lock(&lane->lock);
    lane->over = true;
    pthread_cond_broadcast(&lane->is_over);
    pthread_mutex_unlock(&lane->lock);
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *user)
{
    message_lane *lane = user;
    uint64_t uid = 0;
    uint64_t pid = 0;
    bool known = nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &uid) == 0;

    if (event == NNG_PIPE_EV_REM_POST) {
        end(lane);
        return;
    }
    nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_PID, &pid);
    if (known && uid != (uint64_t)geteuid()) {
        nng_pipe_close(pipe);
        return;
    }
    pthread_mutex_lock(&lane->lock);
    lane->peer = (iswi_peer){ (uid_t)uid, (pid_t)pid };
    lane->pipe = pipe;
    pthread_mutex_unlock(&lane->lock);
}

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
    nng_pipe pipe;

    end(lane);
    pthread_mutex_lock(&lane->lock);
    pipe = lane->pipe;
    pthread_mutex_unlock(&lane->lock);
    nng_pipe_close(pipe); /* so that the other side sees the end now, not when we are destroyed */
}

static void lane_destroy(iswi_link *link)
{
    message_lane *lane = (message_lane *)link;

    end(lane);
    pthread_mutex_lock(&lane->lock);
    while (!lane->over)
        pthread_cond_wait(&lane->is_over, &lane->lock);
    pthread_mutex_unlock(&lane->lock);
    if (lane->receive)
        nng_aio_stop(lane->receive);
    if (lane->transmit)
        nng_aio_stop(lane->transmit);
    nng_close(lane->socket);
    nng_aio_free(lane->receive);
    nng_aio_free(lane->transmit);
    iswi_outbox_fini(&lane->outbox);
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
    .destroy = lane_destroy,
};

/* -- Opening ----------------------------------------------------------------------------------- */

static int open_socket(message_lane *lane)
{
    int failed = nng_pair0_open(&lane->socket);

    if (failed)
        return failed;
    failed = nng_socket_set_size(lane->socket, NNG_OPT_RECVMAXSZ, ISWI_MESSAGE_MAX_BYTES);
    if (!failed)
        failed = nng_pipe_notify(lane->socket, NNG_PIPE_EV_ADD_PRE, on_pipe, lane);
    if (!failed)
        failed = nng_pipe_notify(lane->socket, NNG_PIPE_EV_REM_POST, on_pipe, lane);
    if (!failed)
        failed = nng_aio_alloc(&lane->receive, on_received, lane);
    if (!failed)
        failed = nng_aio_alloc(&lane->transmit, on_transmitted, lane);
    return failed;
}

static int listen_at(message_lane *lane, const char *url)
{
    nng_listener listener;
    int failed = nng_listener_create(&listener, lane->socket, url);

    if (!failed && strncmp(url, "ipc:", 4) == 0)
        failed = nng_listener_set_int(listener, NNG_OPT_IPC_PERMISSIONS, 0600);
    return failed ? failed : nng_listener_start(listener, 0);
}

static int dial_to(message_lane *lane, const char *url)
{
    return nng_dial(lane->socket, url, NULL, 0);
}

static isw_status open_lane(const char *url, int (*start)(message_lane *, const char *),
                            isw_status failure, const iswi_link_events *events, iswi_link **out,
                            isw_error *error)
{
    message_lane *lane = iswi_calloc(1, sizeof *lane);
    int failed;

    if (!lane)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a link");
    lane->link = (iswi_link){ &ops, *events };
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->is_over, NULL);
    failed = open_socket(lane);
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
    receive_next(lane);
    pthread_mutex_unlock(&lane->lock);
    return ISW_OK;
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
