/* SPDX-License-Identifier: Apache-2.0 */
/* Handing requests back to the thread of libmicrohttpd that has them. Invariant: of the answer and
 * libmicrohttpd's last word (wait.c), the later one frees the request. */
#include "host/http/loops.h"

#include "base/alloc.h"

#include <assert.h>
#include <sys/eventfd.h>
#include <unistd.h>

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

iswi_http_loop *iswi_http_loop_own(iswi_http *http)
{
    static _Thread_local iswi_http_loop *own;

    if (!own) {
        unsigned index = atomic_fetch_add(&http->loops_taken, 1);

        assert(index < http->loop_count);
        own = &http->loops[index];
    }
    return own;
}

void iswi_http_loop_set_busy(iswi_http_request *request, bool busy)
{
    iswi_http_loop *loop = request->loop;

    loop->looked_at = NULL;
    if (request->busy != busy)
        loop->busy = busy ? loop->busy + 1 : loop->busy - 1;
    request->busy = busy;
}

void iswi_http_loop_count_answer(iswi_http_request *request)
{
    if (!request->counted && !request->rested)
        request->loop->taken++;
    request->counted = true;
}

bool iswi_http_loop_has_answers(const iswi_http_loop *loop)
{
    return atomic_load(&loop->answers) != loop->taken;
}

/* -- On any thread ----------------------------------------------------------------------------- */

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
