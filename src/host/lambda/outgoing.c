/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that functions have the host send (outputs of the types http and cloudevents): they are
 * kept with their call, which is told then, and sent behind it. An environment that has one event at
 * a time is frozen as soon as it asks for the next, so that it does so once they are out, or at the
 * event's deadline. One that has several is not frozen between them.
 */
#include "host/lambda/internal.h"

#include "base/clock.h"
#include "host/engine/log.h"
#include "host/webhooks/webhooks.h"

#include <stddef.h>

/* On the reactor. */
static void on_heard(iswi_task *task)
{
    iswi_lambda *lambda =
        (iswi_lambda *)((char *)task - offsetof(iswi_lambda, outgoing.task));
    uint64_t heard;

    atomic_store(&lambda->outgoing.posted, false);
    heard = atomic_load(&lambda->outgoing.heard);
    for (size_t i = 0; i < lambda->count; i++) {
        iswi_lambda_slot *slot = &lambda->slots[i];

        if (slot->phase != ISWI_LAMBDA_SENDS || slot->sends > heard)
            continue;
        iswi_reactor_cancel_timer(lambda->reactor, &slot->patience);
        iswi_lambda_slot_over(slot);
    }
}

static void hear(void *user, uint64_t number)
{
    iswi_lambda *lambda = user;

    atomic_store(&lambda->outgoing.heard, number);
    if (!atomic_exchange(&lambda->outgoing.posted, true))
        iswi_reactor_post(lambda->reactor, &lambda->outgoing.task);
}

static void on_deadline(iswi_timer *timer)
{
    iswi_lambda_slot *slot =
        (iswi_lambda_slot *)((char *)timer - offsetof(iswi_lambda_slot, patience));

    iswi_say(slot->lambda->host, ISW_LOG_WARNING,
             "event %.*s: requests that functions have put out are on their way still at its "
             "deadline; the environment may be frozen now, and they go on with its next event",
             (int)slot->invocation.id.size, slot->invocation.id.data);
    iswi_lambda_slot_over(slot);
}

bool iswi_lambda_outgoing_look(iswi_lambda_slot *slot)
{
    const iswi_lambda *lambda = slot->lambda;

    if (!lambda->outgoing.sender || lambda->count > 1)
        return false;
    if (!slot->sends)
        slot->sends = iswi_webhooks_ask_quiet(lambda->outgoing.sender);
    return slot->sends != 0;
}

bool iswi_lambda_outgoing_wait(iswi_lambda_slot *slot)
{
    iswi_lambda *lambda = slot->lambda;

    if ((!slot->sends && !iswi_lambda_outgoing_look(slot)) ||
        slot->sends <= atomic_load(&lambda->outgoing.heard))
        return false;
    slot->phase = ISWI_LAMBDA_SENDS;
    slot->patience.due = on_deadline;
    if (slot->invocation.deadline_ns)
        iswi_reactor_set_timer(lambda->reactor, &slot->patience, slot->invocation.deadline_ns);
    return true;
}

bool iswi_lambda_outgoing_is_used(const iswi_lambda *lambda)
{
    return lambda->outgoing.sender && iswi_webhooks_has_outputs(lambda->outgoing.sender);
}

void iswi_lambda_outgoing_begin(iswi_lambda *lambda)
{
    lambda->outgoing.task.run = on_heard;
    for (size_t i = 0; i < iswi_host_trigger_count(lambda->host); i++) {
        void *self;

        if (iswi_host_trigger(lambda->host, i, &self) == &iswi_webhooks_trigger)
            lambda->outgoing.sender = self;
    }
    if (lambda->outgoing.sender)
        iswi_webhooks_listen(lambda->outgoing.sender, hear, lambda);
}

void iswi_lambda_outgoing_end(iswi_lambda *lambda)
{
    if (lambda->outgoing.sender)
        iswi_webhooks_listen(lambda->outgoing.sender, NULL, NULL);
}
