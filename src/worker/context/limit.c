/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shorter deadline for a part of an invocation. What is asked or slept obeys it by itself; only
 * the calls of isw_context_on_cancel need somebody who makes them: a thread for the whole worker,
 * made with the first limit under which such a call was left. Invariant: a limit is in the watch's
 * list only while its owner is between begin and end, and what is called is called with the watch's
 * lock held, so that end waits for it.
 */
#include "worker/context/limit.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "worker/context/failure.h"

struct iswi_watch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    isw_time_limit *limits;
    bool stopping;
};

/* -- The thread -------------------------------------------------------------------------------- */

static isw_time_limit *earliest(const iswi_watch *watch)
{
    isw_time_limit *found = watch->limits;

    for (isw_time_limit *at = found; at; at = at->next)
        if (at->until_ns < found->until_ns)
            found = at;
    return found;
}

static void take_out(iswi_watch *watch, isw_time_limit *limit)
{
    isw_time_limit **at = &watch->limits;

    while (*at && *at != limit)
        at = &(*at)->next;
    if (*at)
        *at = limit->next;
}

static void *run(void *user)
{
    iswi_watch *watch = user;

    iswi_thread_name("isw-limits");
    pthread_mutex_lock(&watch->lock);
    while (!watch->stopping) {
        isw_time_limit *next = earliest(watch);
        struct timespec at = { next ? next->until_ns / 1000000000 : 0,
                               next ? next->until_ns % 1000000000 : 0 };

        if (!next) {
            pthread_cond_wait(&watch->changed, &watch->lock);
        } else if (iswi_now_ns() < next->until_ns) {
            pthread_cond_timedwait(&watch->changed, &watch->lock, &at);
        } else {
            take_out(watch, next);
            iswi_cancel_call_down_to(next->ctx, next->calls_before);
        }
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

static iswi_watch *create(void)
{
    iswi_watch *watch = iswi_calloc(1, sizeof *watch);
    pthread_condattr_t attributes;

    if (!watch)
        return NULL;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&watch->thread, NULL, run, watch) == 0)
        return watch;
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    iswi_free(watch);
    return NULL;
}

/* The worker's, made now if this is its first use. */
static iswi_watch *watch_of(iswi_gate *gate)
{
    iswi_watch *watch;

    pthread_mutex_lock(&gate->lock);
    if (!gate->watch)
        gate->watch = create();
    watch = gate->watch;
    pthread_mutex_unlock(&gate->lock);
    return watch;
}

void iswi_watch_destroy(iswi_watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    iswi_free(watch);
}

/* See to it that what was left for cancelling is called when the innermost limit of ctx passes, if
 * it has one. On the invocation's thread. False: no memory, or no thread. */
static bool watch_limit(isw_context *ctx)
{
    isw_time_limit *limit = ctx->limit;
    iswi_watch *watch;

    /* A deadline of the host's is its to tell, and a clock that stands still rings never. */
    if (!limit || limit->watched || limit->until_ns == limit->before_ns || iswi_clock_is_fake())
        return true;
    watch = watch_of(&ctx->shared->gate);
    if (!watch)
        return false;
    pthread_mutex_lock(&watch->lock);
    limit->watched = true;
    limit->next = watch->limits;
    watch->limits = limit;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    return true;
}

/* -- Limits ------------------------------------------------------------------------------------ */

void isw_context_limit_begin(isw_context *ctx, uint32_t ms, isw_time_limit *limit)
{
    ISWI_ALIVE(ctx);
    int64_t before = atomic_load(&ctx->deadline_ns);
    int64_t until = iswi_now_ns() + (int64_t)ms * 1000000;

    *limit = (isw_time_limit){ .ctx = ctx, .outer = ctx->limit, .before_ns = before };
    limit->until_ns = !ctx->endless && (!before || until < before) ? until : before;
    limit->calls_before = iswi_context_set_deadline(ctx, limit->until_ns);
    ctx->limit = limit;
}

bool isw_context_limit_end(isw_context *ctx, isw_time_limit *limit)
{
    ISWI_ALIVE(ctx);
    bool own = limit->until_ns != limit->before_ns;

    if (limit->watched) {
        iswi_watch *watch = watch_of(&ctx->shared->gate);

        pthread_mutex_lock(&watch->lock);
        take_out(watch, limit);
        pthread_mutex_unlock(&watch->lock);
    }
    ctx->limit = limit->outer;
    iswi_context_set_deadline(ctx, limit->before_ns);
    return own && iswi_now_ns() >= limit->until_ns;
}

isw_status isw_context_on_cancel(isw_context *ctx, isw_cancel_fn call, void *user)
{
    ISWI_ALIVE(ctx);
    bool left;

    if (!iswi_cancel_leave(ctx, call, user, &left))
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a call at cancellation");
    if (left && !watch_limit(ctx))
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a call when a limit passes");
    return ISW_OK;
}
