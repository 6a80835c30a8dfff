/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many messages a function has at a time: as many calls as its worker takes, or as it says
 * itself, and one while there is no process, for which that starts. What was claimed is with a call
 * at once, so that nothing lies here that another could have; only a batch gathers.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/queue/internal.h"
#include "host/queue/queue.h"

enum { LOOK_AGAIN_NS = 10000000 };

/* -- Life -------------------------------------------------------------------------------------- */

static bool deliver_rest(iswi_consumer *consumer);
static void on_claimed(iswi_broker_op *op);
static void on_declared(iswi_broker_op *op);

void iswi_consumer_of(iswi_consumer *consumer, const iswi_entry *entry, const iswi_feed_kind *kind)
{
    consumer->entry = entry;
    consumer->properties = entry->properties;
    consumer->kind = kind;
    kind->queue(entry, consumer->queue);
}

iswi_consumer *iswi_consumer_create(iswi_host *host, const iswi_entry *entry,
                                    const iswi_feed_kind *kind, void *user)
{
    iswi_consumer *consumer = iswi_calloc(1, sizeof *consumer);
    const iswi_feed_properties *properties = entry->properties;
    size_t most = properties->batch_size > ISWI_CLAIM_MAX ? (size_t)properties->batch_size
                                                          : ISWI_CLAIM_MAX;
    iswi_queue_options options;

    if (!consumer)
        return NULL;
    consumer->claimed = iswi_calloc(most, sizeof(iswi_delivery *));
    if (!consumer->claimed) {
        iswi_free(consumer);
        return NULL;
    }
    consumer->host = host;
    consumer->pump = iswi_consumer_pump;
    consumer->broker = iswi_host_broker(host);
    iswi_consumer_of(consumer, entry, kind);
    consumer->user = user;
    iswi_arena_init(&consumer->look_arena, 512);
    pthread_mutex_init(&consumer->lock, NULL);
    iswi_queue_options_of(host, consumer->queue, &options);
    consumer->max_attempts = options.max_attempts;
    consumer->declare = (iswi_broker_op){ .kind = ISWI_BROKER_DECLARE,
                                          .queue = isw_str_of(consumer->queue),
                                          .done = on_declared,
                                          .user = consumer };
    consumer->declare.as.declare = options;
    return consumer;
}

void iswi_consumer_destroy(iswi_consumer *consumer)
{
    iswi_arena_fini(&consumer->look_arena);
    pthread_mutex_destroy(&consumer->lock);
    iswi_free(consumer->claimed);
    iswi_free(consumer);
}

/* -- Claiming ---------------------------------------------------------------------------------- */

/* How many calls more it may have. With the lock. */
static size_t room(const iswi_consumer *consumer)
{
    size_t most = iswi_queue_calls(consumer->entry);

    return most > consumer->calls ? most - consumer->calls : 0;
}

static bool is_batch(const iswi_consumer *consumer)
{
    return consumer->properties->batch_size > 1;
}

/* How many messages are to be claimed. With the lock. */
static size_t wanted(const iswi_consumer *consumer)
{
    size_t calls = room(consumer);

    if (!consumer->served || consumer->held || consumer->claiming || !consumer->declared || !calls ||
        consumer->rest)
        return 0;
    if (is_batch(consumer))
        return (size_t)consumer->properties->batch_size - consumer->batched;
    return calls < ISWI_CLAIM_MAX ? calls : ISWI_CLAIM_MAX;
}

void iswi_consumer_pump(iswi_consumer *consumer)
{
    size_t count;

    while (deliver_rest(consumer))
        continue;
    pthread_mutex_lock(&consumer->lock);
    count = wanted(consumer);
    if (count) {
        consumer->claiming = true;
        consumer->claim = (iswi_broker_op){ .kind = ISWI_BROKER_CLAIM,
                                            .queue = isw_str_of(consumer->queue),
                                            .done = on_claimed,
                                            .user = consumer };
        consumer->claim.as.claim.max = count;
        consumer->claim.as.claim.items = consumer->claimed + consumer->batched;
    }
    pthread_mutex_unlock(&consumer->lock);
    if (!count)
        return;
    iswi_function_backlog(consumer->entry->function, 0);
    iswi_broker_submit(consumer->broker, &consumer->claim);
}

static void on_declared(iswi_broker_op *op)
{
    iswi_consumer *consumer = op->user;

    pthread_mutex_lock(&consumer->lock);
    consumer->declared = op->error.status == ISW_OK;
    consumer->claiming = false;
    pthread_mutex_unlock(&consumer->lock);
    if (op->error.status == ISW_OK)
        iswi_consumer_pump(consumer);
    else if (op->error.status != ISW_E_CLOSED)
        iswi_say(consumer->host, ISW_LOG_ERROR, "function %s gets nothing of queue %s: %s",
                 consumer->entry->name, consumer->queue, op->error.message);
}

/* -- What was claimed -------------------------------------------------------------------------- */

/* They are taken: the next claim begins another batch, behind what is left of this one. With the
 * lock. */
static size_t take_batch(iswi_consumer *consumer, size_t count, iswi_delivery ***items)
{
    *items = count ? iswi_alloc(count * sizeof **items) : NULL;
    consumer->batch_end_ns = *items ? 0 : iswi_now_ns() + 1000000;
    if (!*items)
        return 0;
    memcpy(*items, consumer->claimed, count * sizeof **items);
    consumer->batched -= count;
    memmove(consumer->claimed, consumer->claimed + count, consumer->batched * sizeof **items);
    consumer->rest = consumer->batched != 0;
    return count;
}

static bool is_back(const iswi_consumer *consumer)
{
    return !consumer->served || consumer->held;
}

/* More of a batch, or the end of its time. False: nothing of it is with a call, or given back. */
static bool gather(iswi_consumer *consumer, size_t claimed)
{
    iswi_delivery **items = NULL;
    size_t count = 0;
    int64_t end_ns;
    bool back;
    bool due;

    pthread_mutex_lock(&consumer->lock);
    back = is_back(consumer);
    due = consumer->rest ? room(consumer) > 0
                         : iswi_batch_add(consumer, claimed, iswi_now_ns());
    if (back && consumer->batched)
        count = take_batch(consumer, consumer->batched, &items);
    else if (due)
        count = take_batch(consumer, iswi_batch_next(consumer), &items);
    end_ns = consumer->batch_end_ns;
    pthread_mutex_unlock(&consumer->lock);
    if (count && back)
        iswi_give_back(consumer, items, count);
    else if (count)
        iswi_deliver(consumer, items, count);
    else if (end_ns)
        iswi_host_tend_by(consumer->host, end_ns);
    iswi_free(items);
    return count != 0;
}

/* While nothing is claimed: `claiming` was set, so that `claimed` is ours meanwhile. */
static bool gather_alone(iswi_consumer *consumer)
{
    bool some = gather(consumer, 0);

    pthread_mutex_lock(&consumer->lock);
    consumer->claiming = false;
    pthread_mutex_unlock(&consumer->lock);
    return some;
}

/* What is left of a batch, as soon as there is room. False: nothing. */
static bool deliver_rest(iswi_consumer *consumer)
{
    bool some;

    pthread_mutex_lock(&consumer->lock);
    some = consumer->rest && !consumer->claiming && (is_back(consumer) || room(consumer));
    consumer->claiming = consumer->claiming || some;
    pthread_mutex_unlock(&consumer->lock);
    return some && gather_alone(consumer);
}

static void deliver_each(iswi_consumer *consumer, size_t count)
{
    bool back;

    pthread_mutex_lock(&consumer->lock);
    back = is_back(consumer);
    pthread_mutex_unlock(&consumer->lock);
    for (size_t i = 0; i < count; i++)
        if (back)
            iswi_give_back(consumer, &consumer->claimed[i], 1);
        else
            iswi_deliver(consumer, &consumer->claimed[i], 1);
}

/* `claimed` is ours until `claiming` is false again, which is behind all that is done with it. */
static void on_claimed(iswi_broker_op *op)
{
    iswi_consumer *consumer = op->user;
    isw_status status = op->error.status;
    size_t count = status == ISW_OK ? op->as.claim.count : 0;
    const size_t op_max = op->as.claim.max; /* the operation is another by the end */

    if (status != ISW_OK && status != ISW_E_CANCELLED && status != ISW_E_CLOSED)
        iswi_say(consumer->host, ISW_LOG_ERROR, "queue %s: %s", consumer->queue,
                 op->error.message);
    if (is_batch(consumer))
        gather(consumer, count);
    else
        deliver_each(consumer, count);
    pthread_mutex_lock(&consumer->lock);
    consumer->claiming = status != ISW_OK && status != ISW_E_CANCELLED; /* for good, then */
    pthread_mutex_unlock(&consumer->lock);
    iswi_consumer_pump(consumer);
    if (count && count == op_max)
        iswi_consumer_look(consumer);
}

/* -- From outside ------------------------------------------------------------------------------ */

void iswi_consumer_serve(iswi_consumer *consumer, bool on)
{
    bool declare;

    pthread_mutex_lock(&consumer->lock);
    consumer->served = on;
    declare = on && !consumer->declared && !consumer->claiming;
    if (declare)
        consumer->claiming = true;
    pthread_mutex_unlock(&consumer->lock);
    if (declare)
        iswi_broker_submit(consumer->broker, &consumer->declare);
    else if (!on)
        iswi_broker_recall(consumer->broker, &consumer->claim);
    if (!declare)
        iswi_consumer_pump(consumer);
}

void iswi_consumer_hold(iswi_consumer *consumer, bool on)
{
    pthread_mutex_lock(&consumer->lock);
    consumer->held = on;
    pthread_mutex_unlock(&consumer->lock);
    if (on)
        iswi_broker_recall(consumer->broker, &consumer->claim);
    iswi_consumer_pump(consumer); /* or give back what waits */
}

size_t iswi_consumer_busy(iswi_consumer *consumer)
{
    size_t count;

    pthread_mutex_lock(&consumer->lock);
    count = consumer->messages + consumer->batched;
    pthread_mutex_unlock(&consumer->lock);
    return count;
}

static void settle_again(iswi_delivered *list)
{
    while (list) {
        iswi_delivered *next = list->next;

        iswi_delivered_settle(list);
        list = next;
    }
}

void iswi_consumer_tend(iswi_consumer *consumer, int64_t now_ns, int64_t *next_ns)
{
    iswi_delivered *unsettled = NULL;
    int64_t at_ns = INT64_MAX;
    bool batch;
    bool claiming;

    pthread_mutex_lock(&consumer->lock);
    claiming = consumer->claiming;
    if (consumer->unsettled && now_ns >= consumer->retry_ns) {
        unsettled = consumer->unsettled;
        consumer->unsettled = NULL;
    } else if (consumer->unsettled) {
        at_ns = consumer->retry_ns;
    }
    if (at_ns < *next_ns)
        *next_ns = at_ns;
    batch = consumer->batch_end_ns && (now_ns >= consumer->batch_end_ns || consumer->held);
    consumer->claiming = claiming || batch;
    if (consumer->batch_end_ns)
        at_ns = batch ? now_ns + LOOK_AGAIN_NS : consumer->batch_end_ns;
    if (at_ns < *next_ns)
        *next_ns = at_ns;
    pthread_mutex_unlock(&consumer->lock);
    settle_again(unsettled);
    if (batch && claiming) /* what waits is called back, and gathers */
        iswi_broker_recall(consumer->broker, &consumer->claim);
    else if (batch)
        gather_alone(consumer);
    if (!claiming) /* there may be more room: a process more, or one that is well again */
        iswi_consumer_pump(consumer);
}
