/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that come before the function is known that they may be for. Invariant: one that waits
 * is in its loop's list, the first of which is due first; whenever the front's routes are others,
 * or what it does with requests is, all of them are routed again.
 */
#include "host/http/internal.h"

#include <stddef.h>

/* One that waited before comes between those that it was between. */
static void put(iswi_http_loop *loop, iswi_http_request *request)
{
    iswi_http_request *before = loop->early_last;
    iswi_http_request *next;

    while (before && before->early_until_ns > request->early_until_ns)
        before = before->early_before;
    next = before ? before->early_next : loop->early;
    request->early_before = before;
    request->early_next = next;
    *(before ? &before->early_next : &loop->early) = request;
    *(next ? &next->early_before : &loop->early_last) = request;
}

void iswi_http_early_leave(iswi_http_request *request)
{
    iswi_http_loop *loop = request->loop;
    iswi_http_request *before = request->early_before;
    iswi_http_request *next = request->early_next;

    request->is_early = false;
    *(before ? &before->early_next : &loop->early) = next;
    *(next ? &next->early_before : &loop->early_last) = before;
    request->early_next = request->early_before = NULL;
    atomic_fetch_sub(&request->http->early, 1);
}

static void set_timer(iswi_http_loop *loop)
{
    if (loop->early)
        iswi_reactor_set_timer(loop->reactor, &loop->early_due, loop->early->early_until_ns);
}

/* Whether it may wait, or go on to. */
static bool may_wait(iswi_http_request *request)
{
    iswi_http *http = request->http;
    const int64_t now_ns = iswi_reactor_now_ns(request->loop->reactor);

    if (!atomic_load(&http->expects_soon) || http->quiescing || atomic_load(&http->held))
        return false;
    if (request->early_until_ns) /* it came in already */
        return now_ns < request->early_until_ns;
    request->early_until_ns = now_ns + http->terms->early_wait_ms * 1000000;
    return atomic_load(&http->early) < http->terms->early_limit;
}

static void rest(iswi_http_request *request)
{
    iswi_http_loop *loop = request->loop;

    request->is_early = true;
    atomic_fetch_add(&request->http->early, 1);
    put(loop, request);
    if (loop->early == request)
        set_timer(loop);
}

bool iswi_http_early_wait(iswi_http_request *request)
{
    if (!may_wait(request))
        return false;
    rest(request);
    return true;
}

void iswi_http_early_rest(iswi_http_request *request, int64_t until_ns)
{
    request->early_until_ns = until_ns;
    rest(request);
}

/* Those that are due by then. Whoever carries them has them routed, soon. */
static void look_again(iswi_http_loop *loop, int64_t until_ns)
{
    iswi_http_request *request;

    while ((request = loop->early) != NULL && request->early_until_ns <= until_ns) {
        iswi_http_early_leave(request);
        if (request->handed_over)
            loop->http->tell(request, ISWI_HTTP_NEWS_AGAIN);
        else
            request->carrier->widen(request);
    }
    set_timer(loop);
}

static void on_due(iswi_timer *timer)
{
    iswi_http_loop *loop = (iswi_http_loop *)((char *)timer - offsetof(iswi_http_loop, early_due));

    look_again(loop, iswi_reactor_now_ns(loop->reactor));
}

static void on_change(iswi_task *task)
{
    iswi_http_loop *loop = (iswi_http_loop *)((char *)task - offsetof(iswi_http_loop, early_look));

    atomic_store(&loop->early_asked, false);
    look_again(loop, INT64_MAX);
}

void iswi_http_early_begin(iswi_http_loop *loop)
{
    loop->early_due.due = on_due;
    loop->early_look.run = on_change;
}

void iswi_http_early_end(iswi_http_loop *loop)
{
    iswi_reactor_cancel_timer(loop->reactor, &loop->early_due);
}

void iswi_http_early_changed(iswi_http *http)
{
    for (unsigned i = 0; i < http->loop_count; i++)
        if (!atomic_exchange(&http->loops[i].early_asked, true))
            iswi_reactor_post(http->loops[i].reactor, &http->loops[i].early_look);
}
