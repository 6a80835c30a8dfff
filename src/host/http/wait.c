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
#include "host/http/internal.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <assert.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
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

struct iswi_http_loop {
    int bell; /* eventfd */
    atomic_bool sleeps;
    atomic_size_t answers; /* to requests that did not rest */
    /* Only the thread: */
    size_t taken; /* of these answers */
    size_t busy;  /* requests that are on their way in or out, for which the loop must turn */
    const iswi_http_request *looked_at; /* since when nothing else happened; NULL: something did */
    unsigned looks;
    int64_t spin_ns;
    unsigned spins;
};

/* ---- loops ---- */

bool iswi_http_loops_init(iswi_http *http, unsigned count)
{
    http->loops = iswi_calloc(count, sizeof *http->loops);
    if (!http->loops)
        return false;
    for (; http->loop_count < count; http->loop_count++) {
        int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

        if (bell < 0)
            return false;
        http->loops[http->loop_count].bell = bell;
    }
    return true;
}

void iswi_http_loops_fini(iswi_http *http)
{
    for (unsigned i = 0; i < http->loop_count; i++)
        close(http->loops[i].bell);
    iswi_free(http->loops);
}

/* That of the calling thread, which serves one front as long as it lives. */
static iswi_http_loop *own_loop(iswi_http *http)
{
    static _Thread_local iswi_http_loop *own;

    if (!own) {
        unsigned index = atomic_fetch_add(&http->loops_taken, 1);

        assert(index < http->loop_count);
        own = &http->loops[index];
    }
    return own;
}

static void set_busy(iswi_http_request *request, bool busy)
{
    iswi_http_loop *loop = request->loop;

    loop->looked_at = NULL;
    if (request->busy != busy)
        loop->busy = busy ? loop->busy + 1 : loop->busy - 1;
    request->busy = busy;
}

/* An answer was found, or nobody will look for it any more. */
static void count_answer(iswi_http_request *request)
{
    if (!request->counted && !request->rested)
        request->loop->taken++;
    request->counted = true;
}

/* ---- on libmicrohttpd's thread ---- */

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

static bool answers_wait(const iswi_http_loop *loop)
{
    return atomic_load(&loop->answers) != loop->taken;
}

/* Look for an answer before sleeping, for as long as that pays: twice as long after one came, half
 * as long after none did, and properly again now and then. */
static bool spin(iswi_http_loop *loop)
{
    bool tries = ++loop->spins % SPIN_TRY_EVERY == 0;
    int64_t until_ns = iswi_now_ns() + (tries ? SPIN_MOST_NS : loop->spin_ns);

    while (!answers_wait(loop)) {
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
    if (!answers_wait(loop))
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
    request->loop = own_loop(request->http);
    set_busy(request, true);
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
    set_busy(request, state != ISWI_HTTP_WAITING);
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
        set_busy(request, false);
    return iswi_http_look_again(request);
}

enum MHD_Result iswi_http_look_again(iswi_http_request *request)
{
    int64_t left_ns;

    if (request->state == ISWI_HTTP_ANSWERED || request->state == ISWI_HTTP_STREAMING) {
        count_answer(request);
        set_busy(request, true);
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
            count_answer(request);
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
    set_busy(request, false);
    if (request->stream)
        iswi_http_leave_stop(&http->leave, request->peer->fd);
    if (!abandon(request)) {
        if (handed_over)
            count_answer(request);
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

/* ---- on any thread ---- */

static void ring(iswi_http_loop *loop)
{
    uint64_t one = 1;

    atomic_fetch_add(&loop->answers, 1);
    /* Either we see that it sleeps, or it sees our answer. */
    if (atomic_load(&loop->sleeps) && atomic_exchange(&loop->sleeps, false))
        (void)!write(loop->bell, &one, sizeof one);
}

/* Let libmicrohttpd look at a request that has a response now. One that rests is alive; one that
 * was waiting may be gone: it is not touched. */
static void look_out(iswi_http_loop *loop, iswi_http_request *request, iswi_http_state was)
{
    if (was == ISWI_HTTP_WAITING || was == ISWI_HTTP_UPLOADING) {
        ring(loop);
    } else if (was == ISWI_HTTP_RESTING) {
        struct MHD_Connection *connection = request->connection;

        iswi_http_leave_stop(&request->http->leave, request->peer->fd);
        MHD_resume_connection(connection);
    }
}

iswi_http_state iswi_http_begin_streaming(iswi_http_request *request)
{
    iswi_http_state was = atomic_load(&request->state);

    while (was != ISWI_HTTP_ABANDONED &&
           !atomic_compare_exchange_weak(&request->state, &was, ISWI_HTTP_STREAMING))
        ;
    look_out(request->loop, request, was);
    return was;
}

void iswi_http_hand_back(iswi_http_request *request)
{
    iswi_http *http = request->http;
    iswi_http_loop *loop = request->loop;
    iswi_http_state was;

    iswi_http_stream_hurry(request);
    was = atomic_exchange(&request->state, ISWI_HTTP_ANSWERED);
    if (was == ISWI_HTTP_ABANDONED)
        iswi_http_request_destroy(request);
    else
        look_out(loop, request, was);
    pthread_mutex_lock(&http->lock); /* the front may be gone once it is let loose */
    http->unanswered--;
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->lock);
}
