/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From whoever answers to the loop of the request. Invariant: a request whose news were posted is
 * not freed before its task has run; and a front is not gone before the thread that posted has let
 * go of it.
 */
#include "host/http/internal.h"

#include "base/alloc.h"

#include <stddef.h>

/* On the loop. */
static void take(iswi_http_request *request, unsigned news)
{
    iswi_http *http = request->http;

    if (news & ISWI_HTTP_NEWS_AGAIN) {
        http->lead_again(request);
        return;
    }
    iswi_http_request_look(request);
    if (news & ISWI_HTTP_NEWS_LAST) /* else whoever answers may look at it */
        request->answered = true;
    if (request->carried_by && news & ISWI_HTTP_NEWS_REPLY)
        request->carrier->answer(request);
    if (request->carried_by && news & ISWI_HTTP_NEWS_STREAM)
        request->carrier->go_on(request);
    if (request->carried_by && news & ISWI_HTTP_NEWS_WIDE)
        request->carrier->widen(request);
    if (request->answered && !request->carried_by)
        request->dead = true;
    iswi_http_request_unlook(request);
    if (!(news & ISWI_HTTP_NEWS_LAST))
        return;
    atomic_fetch_sub(&http->unanswered, 1);
    iswi_http_note_change(http);
}

static void on_news(iswi_task *task)
{
    iswi_http_request *request =
        (iswi_http_request *)((char *)task - offsetof(iswi_http_request, task));
    unsigned news = atomic_exchange(&request->news, 0);

    if (request->dead)
        iswi_http_request_free(request);
    else
        take(request, news);
}

static void defer(iswi_http_request *request, unsigned news)
{
    if (atomic_fetch_or(&request->news, news)) /* its task is on its way */
        return;
    request->task.run = on_news;
    iswi_reactor_defer(request->loop->reactor, &request->task);
}

static void post(iswi_http_request *request, unsigned news)
{
    iswi_http *http = request->http;
    iswi_reactor *reactor = request->loop->reactor;

    atomic_fetch_add(&http->visitors, 1);
    if (!atomic_fetch_or(&request->news, news)) {
        request->task.run = on_news;
        iswi_reactor_post(reactor, &request->task);
    }
    pthread_mutex_lock(&http->lock); /* the front may be gone once it is let loose */
    atomic_fetch_sub(&http->visitors, 1);
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->lock);
}

void iswi_http_tell(iswi_http_request *request, unsigned news)
{
    if (iswi_reactor_is_own(request->loop->reactor))
        defer(request, news);
    else
        post(request, news);
}

static void drop_copy(void *user)
{
    iswi_free(user);
}

/* Copy what the reply points to and is not its own. False: no memory. */
static bool keep(iswi_http_request *request)
{
    iswi_http_reply *reply = &request->reply;
    isw_pair *pairs = iswi_arena_alloc(&request->arena, reply->given.count * sizeof *pairs);
    size_t count = 0;

    if (!pairs)
        return false;
    for (size_t i = 0; i < reply->given.count; i++) {
        isw_pair one = reply->given.items[i];

        if (!iswi_http_head_takes(reply, &one))
            continue;
        one.name.data = iswi_arena_strndup(&request->arena, one.name.data, one.name.size);
        one.value.data = iswi_arena_strndup(&request->arena, one.value.data, one.value.size);
        if (!one.name.data || !one.value.data)
            return false;
        pairs[count++] = one;
    }
    reply->given = (isw_pairs){ pairs, count };
    if (reply->release || !reply->body.size)
        return true;
    reply->release_user = iswi_alloc(reply->body.size);
    if (!reply->release_user)
        return false;
    reply->body.data = memcpy(reply->release_user, reply->body.data, reply->body.size);
    reply->release = drop_copy;
    return true;
}

/* What there is to say is kept. */
static void keep_or_drop(iswi_http_request *request)
{
    if (keep(request))
        return;
    iswi_http_reply_release(&request->reply);
    request->reply = (iswi_http_reply){ .status = 0 }; /* all that can be said is an end */
}

void iswi_http_reply_whole(iswi_http_request *request)
{
    if (iswi_reactor_is_own(request->loop->reactor)) {
        take(request, ISWI_HTTP_NEWS_REPLY | ISWI_HTTP_NEWS_LAST);
        return;
    }
    keep_or_drop(request);
    post(request, ISWI_HTTP_NEWS_REPLY | ISWI_HTTP_NEWS_LAST);
}

void iswi_http_reply_head(iswi_http_request *request)
{
    keep_or_drop(request);
    iswi_http_tell(request, ISWI_HTTP_NEWS_REPLY);
}
