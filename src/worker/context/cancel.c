/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time and cancellation. Invariant: a context's cancel_lock guards what another thread calls or
 * touches of it when it cancels it; the invocation's end takes that away under the lock, if there
 * is any.
 */
#include "worker/context/limit.h"

#include "base/clock.h"
#include "worker/context/failure.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct iswi_cancel_call {
    isw_cancel_fn call;
    void *user;
    struct iswi_cancel_call *next;
};

/* -- Asking ------------------------------------------------------------------------------------ */

int64_t isw_context_remaining_ms(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    int64_t deadline = atomic_load(&ctx->deadline_ns);
    int64_t left = deadline - iswi_now_ns();

    if (!deadline)
        return INT64_MAX;
    return left > 0 ? left / 1000000 : 0;
}

int64_t isw_context_elapsed_us(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return (iswi_now_ns() - ctx->arrived_ns) / 1000;
}

static bool is_late(const isw_context *ctx)
{
    int64_t deadline = atomic_load_explicit(&ctx->deadline_ns, memory_order_relaxed);

    return deadline && iswi_now_ns() >= deadline;
}

bool isw_context_cancelled(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return atomic_load_explicit(&ctx->cancelled, memory_order_relaxed) || is_late(ctx);
}

isw_cancel_reason isw_context_cancel_reason(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    int reason = atomic_load(&ctx->cancelled);

    if (reason)
        return (isw_cancel_reason)reason;
    return is_late(ctx) ? ISW_CANCEL_DEADLINE : ISW_CANCEL_NONE;
}

isw_status isw_context_sleep(isw_context *ctx, uint32_t ms)
{
    ISWI_ALIVE(ctx);
    iswi_gate *gate = &ctx->shared->gate;
    int64_t until = iswi_now_ns() + (int64_t)ms * 1000000;
    int64_t deadline = atomic_load(&ctx->deadline_ns);
    bool cut = deadline && deadline < until;
    struct timespec at;
    int timed_out = 0;

    if (cut)
        until = deadline;
    if (ctx->sleep) {
        ctx->sleep(ctx, until);
        return cut || atomic_load(&ctx->cancelled) ? ISW_E_CANCELLED : ISW_OK;
    }
    at.tv_sec = until / 1000000000;
    at.tv_nsec = until % 1000000000;
    pthread_mutex_lock(&gate->lock);
    while (!atomic_load(&ctx->cancelled) && !timed_out)
        timed_out = pthread_cond_timedwait(&gate->cancelled, &gate->lock, &at);
    pthread_mutex_unlock(&gate->lock);
    return cut || atomic_load(&ctx->cancelled) ? ISW_E_CANCELLED : ISW_OK;
}

/* -- Being told -------------------------------------------------------------------------------- */

bool iswi_cancel_leave(isw_context *ctx, isw_cancel_fn call, void *user, bool *left)
{
    iswi_cancel_call *made = iswi_arena_alloc(&ctx->arena, sizeof *made);
    bool cancelled;

    if (!made)
        return false;
    *made = (iswi_cancel_call){ call, user, NULL };
    ctx->watches_cancel = true;
    pthread_mutex_lock(&ctx->cancel_lock);
    cancelled = atomic_load(&ctx->cancelled) != 0 || (ctx->limit && is_late(ctx));
    if (!cancelled) {
        made->next = ctx->cancel_calls;
        ctx->cancel_calls = made;
    }
    pthread_mutex_unlock(&ctx->cancel_lock);
    if (cancelled)
        call(user);
    *left = !cancelled;
    return true;
}

/* Let the timer expire at `at_ns`, at once when that has passed; 0: never. A timer is all that is
 * needed: it stands for the deadline by itself, and being cancelled is a deadline of now. */
static void set_timer(int fd, int64_t at_ns)
{
    struct itimerspec timer = { .it_value = { at_ns / 1000000000, at_ns % 1000000000 } };

    timerfd_settime(fd, TFD_TIMER_ABSTIME, &timer, NULL);
}

int isw_context_cancel_fd(isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    int fd;

    if (ctx->cancel_fd)
        return ctx->cancel_fd - 1;
    fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd < 0) {
        iswi_fail(ctx, ISW_E_IO, "no descriptor for cancellation: %s", strerror(errno));
        return -1;
    }
    ctx->watches_cancel = true;
    pthread_mutex_lock(&ctx->cancel_lock);
    ctx->cancel_fd = fd + 1;
    if (isw_context_cancelled(ctx))
        set_timer(fd, 1);
    else
        set_timer(fd, atomic_load(&ctx->deadline_ns));
    pthread_mutex_unlock(&ctx->cancel_lock);
    return fd;
}

void *iswi_context_set_deadline(isw_context *ctx, int64_t deadline_ns)
{
    void *calls;

    pthread_mutex_lock(&ctx->cancel_lock);
    atomic_store(&ctx->deadline_ns, deadline_ns);
    if (ctx->cancel_fd && !atomic_load(&ctx->cancelled))
        set_timer(ctx->cancel_fd - 1, deadline_ns);
    calls = ctx->cancel_calls;
    pthread_mutex_unlock(&ctx->cancel_lock);
    return calls;
}

void iswi_cancel_call_down_to(isw_context *ctx, const void *before)
{
    pthread_mutex_lock(&ctx->cancel_lock);
    while (ctx->cancel_calls && ctx->cancel_calls != before) {
        iswi_cancel_call *at = ctx->cancel_calls;

        ctx->cancel_calls = at->next;
        at->call(at->user);
    }
    pthread_mutex_unlock(&ctx->cancel_lock);
}

void iswi_context_cancel(isw_context *ctx, isw_cancel_reason reason)
{
    int none = ISW_CANCEL_NONE;

    pthread_mutex_lock(&ctx->cancel_lock);
    if (atomic_compare_exchange_strong(&ctx->cancelled, &none, (int)reason)) {
        for (iswi_cancel_call *at = ctx->cancel_calls; at; at = at->next)
            at->call(at->user);
        ctx->cancel_calls = NULL;
        if (ctx->cancel_fd)
            set_timer(ctx->cancel_fd - 1, 1);
    }
    pthread_mutex_unlock(&ctx->cancel_lock);
}

void iswi_cancel_end(isw_context *ctx)
{
    int fd;

    if (!ctx->watches_cancel)
        return;
    ctx->watches_cancel = false;
    pthread_mutex_lock(&ctx->cancel_lock);
    fd = ctx->cancel_fd - 1;
    ctx->cancel_calls = NULL;
    ctx->cancel_fd = 0;
    pthread_mutex_unlock(&ctx->cancel_lock);
    if (fd >= 0)
        close(fd);
}
