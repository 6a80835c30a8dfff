/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that are with a call. Invariant: from the claim until the settlement they are counted by
 * their consumer, and whatever becomes of the call, each is settled once.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "broker/driver.h"
#include "host/engine/log.h"
#include "host/queue/internal.h"

enum { AGAIN_NS = 1000000000 }; /* until the broker is asked once more to settle */

void iswi_delivered_destroy(iswi_delivered *delivered)
{
    for (size_t i = 0; i < delivered->count; i++)
        iswi_delivery_free(delivered->items[i]);
    if (delivered->outbox)
        delivered->outbox->drop(delivered->outbox);
    iswi_arena_fini(&delivered->arena);
    iswi_free(delivered);
}

/* -- Settling ---------------------------------------------------------------------------------- */

static void tell_one(iswi_delivered *delivered, size_t index)
{
    const iswi_settlement *settlement = &delivered->settlements[index];

    if (!delivered->said[index].is || !settlement->lost) /* it was settled when that was said */
        iswi_settled_tell(delivered->consumer, settlement);
}

static void end(iswi_delivered *delivered)
{
    iswi_consumer *consumer = delivered->consumer;

    pthread_mutex_lock(&consumer->lock);
    consumer->calls--;
    consumer->messages -= delivered->count;
    pthread_mutex_unlock(&consumer->lock);
    iswi_delivered_destroy(delivered);
    consumer->pump(consumer);
}

/* Of what was put, that is, not of the store, which may come back. */
static bool is_refusal(isw_status status)
{
    return status == ISW_E_BUSY || !isw_status_retriable(status);
}

/* What the function put out cannot be: it has failed, then, and is tried again. */
static bool give_up_outputs(iswi_delivered *delivered, const isw_error *error)
{
    const char *cause;

    if (!delivered->outbox || !is_refusal(error->status))
        return false;
    cause = iswi_arena_printf(&delivered->arena, "what it put out was refused: %s",
                              error->message);
    delivered->outbox->drop(delivered->outbox);
    delivered->outbox = NULL;
    for (size_t i = 0; i < delivered->count; i++)
        if (delivered->settlements[i].verdict == ISWI_VERDICT_COMPLETE) {
            delivered->settlements[i].verdict = ISWI_VERDICT_ABANDON;
            delivered->settlements[i].cause = isw_str_of(cause ? cause : "no memory");
            delivered->settlements[i].delay_ms = iswi_queue_retry_ms(
                delivered->consumer->properties, delivered->items[i]->attempt);
        }
    return true;
}

/* The disk is full, say: they stay where they are, and are settled later. */
static void keep_for_later(iswi_delivered *delivered)
{
    iswi_consumer *consumer = delivered->consumer;

    pthread_mutex_lock(&consumer->lock);
    delivered->next = consumer->unsettled;
    consumer->unsettled = delivered;
    consumer->retry_ns = iswi_now_ns() + AGAIN_NS;
    pthread_mutex_unlock(&consumer->lock);
    iswi_host_tend_by(consumer->host, consumer->retry_ns);
}

static void on_settled(iswi_broker_op *op)
{
    iswi_delivered *delivered = op->user;

    if (op->error.status == ISW_OK) {
        for (size_t i = 0; i < delivered->count; i++)
            tell_one(delivered, i);
        end(delivered);
    } else if (op->error.status == ISW_E_CLOSED) {
        end(delivered); /* the host ends: whoever opens the queue next has them again */
    } else if (give_up_outputs(delivered, &op->error)) {
        iswi_say(delivered->consumer->host, ISW_LOG_ERROR, "function %s: what it put out was refused: %s",
                 delivered->consumer->entry->name, op->error.message);
        iswi_delivered_settle(delivered);
    } else {
        keep_for_later(delivered);
    }
}

/* Where a settlement and what is put do not become durable together, a message that is settled again
 * must not put again: what it puts bears its name. */
static bool name_puts(iswi_delivered *delivered, iswi_queue_put *puts, size_t count)
{
    isw_str id = delivered->items[0]->id;

    for (size_t i = 0; i < count; i++) {
        const char *name;

        if (puts[i].id.size)
            continue;
        name = iswi_arena_printf(&delivered->arena, "%.*s/%s/%zu", (int)id.size, id.data,
                                 delivered->consumer->entry->name, i);
        if (!name)
            return false;
        puts[i].id = isw_str_of(name);
    }
    return true;
}

void iswi_delivered_settle(iswi_delivered *delivered)
{
    iswi_broker_op *op = &delivered->settle;
    bool atomic = iswi_broker_abilities(delivered->consumer->broker) & ISWI_BROKER_ATOMIC;

    *op = (iswi_broker_op){ .kind = ISWI_BROKER_SETTLE, .done = on_settled, .user = delivered };
    op->as.settle.items = delivered->settlements;
    op->as.settle.count = delivered->count;
    if (delivered->outbox)
        op->as.settle.puts = iswi_queue_outbox_puts(delivered->outbox, &op->as.settle.put_count);
    if (!atomic && !name_puts(delivered, (iswi_queue_put *)op->as.settle.puts,
                              op->as.settle.put_count))
        keep_for_later(delivered);
    else
        iswi_broker_submit(delivered->consumer->broker, op);
}

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    iswi_delivered *delivered = user;

    (void)invocation_id;
    delivered->outbox = answer->outbox;
    iswi_queue_judge(delivered, answer);
    iswi_answer_release(answer->held);
    iswi_delivered_settle(delivered);
}

/* -- Delivering -------------------------------------------------------------------------------- */

static const iswi_call_events events = { .told = iswi_queue_told };

iswi_delivered *iswi_delivered_create(iswi_consumer *consumer, iswi_delivery **items, size_t count)
{
    iswi_delivered *delivered = iswi_calloc(1, sizeof *delivered);

    if (!delivered)
        return NULL;
    iswi_arena_init(&delivered->arena, 2048);
    delivered->consumer = consumer;
    delivered->items = iswi_arena_calloc(&delivered->arena, count, sizeof *delivered->items);
    delivered->said = iswi_arena_calloc(&delivered->arena, count, sizeof *delivered->said);
    delivered->settlements =
        iswi_arena_calloc(&delivered->arena, count, sizeof *delivered->settlements);
    if (!delivered->items || !delivered->said || !delivered->settlements) {
        iswi_delivered_destroy(delivered);
        return NULL;
    }
    memcpy(delivered->items, items, count * sizeof *items);
    delivered->count = count;
    return delivered;
}

void iswi_deliver(iswi_consumer *consumer, iswi_delivery **items, size_t count)
{
    iswi_delivered *delivered = iswi_delivered_create(consumer, items, count);
    iswi_call call = { .function = consumer->entry->function,
                       .patience_ns = INT64_MAX,
                       .events = &events,
                       .once = true,
                       .to_its_end = true,
                       .takes_outbox = true,
                       .answer = on_answer,
                       .user = delivered };

    iswi_counts_delivered(&consumer->counts, items, count);
    pthread_mutex_lock(&consumer->lock);
    consumer->calls++;
    consumer->messages += count;
    pthread_mutex_unlock(&consumer->lock);
    if (delivered && iswi_queue_values(delivered, &delivered->arena, &call)) {
        iswi_call_start(consumer->host, &call);
        return;
    }
    iswi_say(consumer->host, ISW_LOG_CRITICAL, "no memory for messages of queue %s; they wait",
             consumer->queue);
    if (delivered)
        on_answer(delivered, "", &(iswi_answer){ .status = ISW_E_NO_MEMORY, .refused = true });
}

void iswi_give_back(iswi_consumer *consumer, iswi_delivery **items, size_t count)
{
    iswi_delivered *delivered = iswi_delivered_create(consumer, items, count);

    pthread_mutex_lock(&consumer->lock);
    consumer->calls++;
    consumer->messages += count;
    pthread_mutex_unlock(&consumer->lock);
    if (delivered)
        on_answer(delivered, "", &(iswi_answer){ .status = ISW_E_UNAVAILABLE, .refused = true });
}
