/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for the answer. At first the connection is not suspended: libmicrohttpd then asks for the
 * response again on each turn of its loop. Once there is nothing else to do, its thread looks for
 * answers some microseconds longer, then sleeps here until one comes or something happens to a
 * connection; the first of a batch of answers wakes it for all. Whatever takes longer than AWAKE_NS
 * rests: its connection is suspended, and the answer resumes it. That costs two changes of the
 * epoll set, a write, and a read that finds nothing; most answers are not worth it.
 *
 * Invariant: of the answer and libmicrohttpd's last word, the later one frees the request; the end
 * of an answer that streams is its answer. A suspended connection gets no last word; one that is
 * not may, when its client is gone.
 */
#include "host/http/loops.h"

#include "base/clock.h"

#include <poll.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

enum {
    AWAKE_NS = 5000000,
    /* libmicrohttpd may ask for one connection twice on a turn, but not three times: when nothing
     * else happened in between, it has been through all that were ready. */
    LOOKS = 3,
    SPIN_LEAST_NS = 1000,
    SPIN_MOST_NS = 40000,
    SPIN_TRY_EVERY = 32
};

static enum MHD_Result rest(iswi_http_request *request)
{
    iswi_http_state waiting = ISWI_HTTP_WAITING;

    iswi_http_leave *leave = &request->http->leave;

    request->loop->looked_at = NULL;
    /* Suspended first, so that the answer never finds anything to resume that is not. */
    MHD_suspend_connection(request->connection);
    request->rested = true;
    iswi_http_leave_watch(leave, request->peer->fd, request);
    if (!atomic_compare_exchange_strong(&request->state, &waiting, ISWI_HTTP_RESTING)) {
        request->rested = false; /* it came meanwhile */
        iswi_http_leave_stop(leave, request->peer->fd);
        MHD_resume_connection(request->connection);
    }
    return MHD_YES;
}

/* Look for an answer before sleeping, for as long as that pays: twice as long after one came, half
 * as long after none did, and properly again now and then. */
static bool spin(iswi_http_loop *loop)
{
    bool tries = ++loop->spins % SPIN_TRY_EVERY == 0;
    int64_t until_ns = iswi_now_ns() + (tries ? SPIN_MOST_NS : loop->spin_ns);

    while (!iswi_http_loop_has_answers(loop)) {
        if (iswi_now_ns() >= until_ns) {
            loop->spin_ns /= 2;
            return false;
        }
        sched_yield(); /* to whoever is to answer, if he wants this core */
    }
    loop->spin_ns = loop->spin_ns * 2 + SPIN_LEAST_NS;
    if (loop->spin_ns > SPIN_MOST_NS)
        loop->spin_ns = SPIN_MOST_NS;
    return true;
}

/* False where libmicrohttpd does not tell what it sleeps on. */
static bool sleep_until_something_happens(iswi_http_request *request, int64_t most_ns)
{
    iswi_http_loop *loop = request->loop;
    const union MHD_ConnectionInfo *owner =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_DAEMON);
    const union MHD_DaemonInfo *info =
        owner ? MHD_get_daemon_info(owner->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    struct timespec timeout = { most_ns / 1000000000, most_ns % 1000000000 };
    struct pollfd fds[2] = { { .fd = loop->bell, .events = POLLIN }, { .events = POLLIN } };
    uint64_t drained;

    if (!info || info->epoll_fd < 0)
        return false;
    fds[1].fd = info->epoll_fd;
    loop->looked_at = NULL;
    if (spin(loop))
        return true;
    atomic_store(&loop->sleeps, true);
    if (!iswi_http_loop_has_answers(loop))
        ppoll(fds, 2, &timeout, NULL);
    atomic_store(&loop->sleeps, false);
    if (fds[0].revents)
        (void)!read(loop->bell, &drained, sizeof drained);
    return true;
}

/* Whether libmicrohttpd went through everything since and found nothing to do. */
static bool is_idle(iswi_http_request *request)
{
    iswi_http_loop *loop = request->loop;

    if (!loop->looked_at) {
        loop->looked_at = request;
        loop->looks = 0;
    }
    return loop->looked_at == request && ++loop->looks >= LOOKS;
}

void iswi_http_comes_in(iswi_http_request *request)
{
    request->loop = iswi_http_loop_own(request->http);
    iswi_http_loop_set_busy(request, true);
}

enum MHD_Result iswi_http_hand_over(iswi_http_request *request, iswi_http_state state)
{
    iswi_http *http = request->http;

    if (request->has_body && state == ISWI_HTTP_WAITING)
        iswi_http_watch_set(&http->watch, request->peer, ISWI_HTTP_FREE);
    request->data.body = (isw_bytes){ request->body.data, request->body.size };
    request->state = state;
    request->handed_over = true;
    request->handed_over_ns = iswi_now_ns();
    iswi_http_loop_set_busy(request, state != ISWI_HTTP_WAITING);
    atomic_fetch_add(&http->unanswered, 1);
    atomic_fetch_add(&http->open, 1);
    http->handler(http->user, request->target, request);
    return request->state == ISWI_HTTP_ANSWERED && state == ISWI_HTTP_WAITING
               ? iswi_http_look_again(request)
               : MHD_YES;
}

enum MHD_Result iswi_http_upload_is_whole(iswi_http_request *request)
{
    iswi_http_state uploading = ISWI_HTTP_UPLOADING;

    iswi_http_stream_whole(request);
    request->handed_over_ns = iswi_now_ns();
    if (atomic_compare_exchange_strong(&request->state, &uploading, ISWI_HTTP_WAITING))
        iswi_http_loop_set_busy(request, false);
    return iswi_http_look_again(request);
}

enum MHD_Result iswi_http_look_again(iswi_http_request *request)
{
    int64_t left_ns;

    if (request->state == ISWI_HTTP_ANSWERED || request->state == ISWI_HTTP_STREAMING) {
        iswi_http_loop_count_answer(request);
        iswi_http_loop_set_busy(request, true);
        return iswi_http_queue(request);
    }
    left_ns = request->handed_over_ns + AWAKE_NS - iswi_now_ns();
    if (left_ns <= 0)
        return rest(request);
    if (!is_idle(request))
        return MHD_YES;
    /* A turn may not wait while something else is under way, and without waiting turns for
     * nothing. */
    if (request->loop->busy || !sleep_until_something_happens(request, left_ns))
        return rest(request);
    return MHD_YES;
}

/* The client is gone before the answer was whole. The request is the handler's until it has taken
 * note, and then until it answers. */
static void tell(iswi_http_request *request)
{
    iswi_http *http = request->http;

    iswi_http_stream_broken(request);
    if (http->events.left)
        http->events.left(http->user, request);
}

/* False if it is answered: nobody else will free it. */
static bool abandon(iswi_http_request *request)
{
    iswi_http_state state = atomic_load(&request->state);
    bool told = false;

    while (state == ISWI_HTTP_WAITING || state == ISWI_HTTP_UPLOADING ||
           state == ISWI_HTTP_STREAMING) {
        if (!told)
            tell(request);
        told = true;
        if (state == ISWI_HTTP_STREAMING)
            iswi_http_loop_count_answer(request);
        if (atomic_compare_exchange_strong(&request->state, &state, ISWI_HTTP_ABANDONED))
            return true;
    }
    return false;
}

void iswi_http_let_go(iswi_http_request *request)
{
    iswi_http *http = request->http;
    bool handed_over = request->handed_over;

    if (request->admitted)
        atomic_fetch_sub(&http->admitted, 1);
    iswi_http_loop_set_busy(request, false);
    if (request->stream)
        iswi_http_leave_stop(&http->leave, request->peer->fd);
    if (!abandon(request)) {
        if (handed_over)
            iswi_http_loop_count_answer(request);
        iswi_http_request_destroy(request);
    }
    if (!handed_over)
        return;
    atomic_fetch_sub(&http->open, 1);
    if (http->quiescing) { /* else nobody waits, and who will sees the count */
        pthread_mutex_lock(&http->lock);
        pthread_cond_broadcast(&http->changed);
        pthread_mutex_unlock(&http->lock);
    }
}
