/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether all is sent that was put. What is put wakes its endpoint's claim in the same turn of the
 * broker, so that two operations behind it, one after the other, are answered when the claim was.
 * Invariant: one such fence is with the broker at most, and none while requests are on their way.
 */
#include "host/webhooks/internal.h"

enum { FENCE_TURNS = 2 };

static void on_fence(iswi_broker_op *op);

static void submit(iswi_sender *sender)
{
    iswi_quiet *quiet = &sender->quiet;

    iswi_arena_reset(&quiet->arena);
    quiet->fence = (iswi_broker_op){ .kind = ISWI_BROKER_RECORD_READ,
                                     .done = on_fence,
                                     .user = sender };
    quiet->fence.as.record.record.name = isw_str_of("webhooks/fence");
    quiet->fence.as.record.arena = &quiet->arena;
    iswi_broker_submit(sender->broker, &quiet->fence);
}

/* With the lock, as the next. */
static bool is_sending(const iswi_sender *sender)
{
    for (const iswi_endpoint *at = atomic_load(&sender->endpoints); at; at = at->next)
        if (at->in_flight)
            return true;
    return false;
}

/* Whether a fence is to be submitted now. */
static bool begin(iswi_sender *sender)
{
    iswi_quiet *quiet = &sender->quiet;

    if (quiet->turns || quiet->asked == quiet->told || is_sending(sender))
        return false;
    quiet->turns = FENCE_TURNS;
    quiet->fenced = quiet->asked;
    return true;
}

static void tell(iswi_sender *sender, uint64_t number)
{
    iswi_quiet *quiet = &sender->quiet;

    pthread_mutex_lock(&quiet->listening);
    if (quiet->heard)
        quiet->heard(quiet->user, number);
    pthread_mutex_unlock(&quiet->listening);
}

/* A broker that cannot say it any more has nothing to be waited for. */
static void on_fence(iswi_broker_op *op)
{
    iswi_sender *sender = op->user;
    iswi_quiet *quiet = &sender->quiet;
    uint64_t told = 0;
    bool again;

    pthread_mutex_lock(&sender->lock);
    again = --quiet->turns > 0;
    if (!again && !is_sending(sender))
        quiet->told = told = quiet->fenced;
    again = again || begin(sender);
    pthread_mutex_unlock(&sender->lock);
    if (told)
        tell(sender, told);
    if (again)
        submit(sender);
}

void iswi_quiet_look(iswi_sender *sender)
{
    bool fence;

    pthread_mutex_lock(&sender->lock);
    fence = begin(sender);
    pthread_mutex_unlock(&sender->lock);
    if (fence)
        submit(sender);
}

uint64_t iswi_webhooks_ask_quiet(void *self)
{
    iswi_sender *sender = self;
    iswi_quiet *quiet = &sender->quiet;
    const unsigned long long kept = atomic_load(&quiet->kept);
    uint64_t number = 0;

    pthread_mutex_lock(&sender->lock);
    if (kept != quiet->kept_before || is_sending(sender))
        number = ++quiet->asked;
    quiet->kept_before = kept;
    pthread_mutex_unlock(&sender->lock);
    if (number)
        iswi_quiet_look(sender);
    return number;
}

void iswi_webhooks_listen(void *self, iswi_webhooks_quiet_fn heard, void *user)
{
    iswi_quiet *quiet = &((iswi_sender *)self)->quiet;

    pthread_mutex_lock(&quiet->listening);
    quiet->heard = heard;
    quiet->user = user;
    pthread_mutex_unlock(&quiet->listening);
}

void iswi_quiet_init(iswi_quiet *quiet)
{
    pthread_mutex_init(&quiet->listening, NULL);
    iswi_arena_init(&quiet->arena, 512);
}

void iswi_quiet_fini(iswi_quiet *quiet)
{
    pthread_mutex_destroy(&quiet->listening);
    iswi_arena_fini(&quiet->arena);
}
