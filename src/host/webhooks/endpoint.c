/* SPDX-License-Identifier: Apache-2.0 */
/* How many requests of an output are on their way: as many as its concurrency says. What was claimed is
 * sent at once, so that nothing lies here that another host could send. */
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/queue/queue.h"
#include "host/webhooks/internal.h"

static void on_declared(iswi_broker_op *op);
static void on_claimed(iswi_broker_op *op);

/* -- Life -------------------------------------------------------------------------------------- */

static iswi_endpoint *find(const iswi_sender *sender, const char *name)
{
    iswi_endpoint *at = atomic_load(&sender->endpoints);

    while (at && strcmp(at->name, name) != 0)
        at = at->next;
    return at;
}

static iswi_endpoint *make(iswi_sender *sender, const char *name)
{
    iswi_endpoint *endpoint = iswi_arena_calloc(&sender->arena, 1, sizeof *endpoint);
    const char *queue = iswi_arena_printf(&sender->arena, "%s%s", ISWI_QUEUE_OF_REQUESTS, name);

    if (!endpoint || !queue)
        return NULL;
    endpoint->sender = sender;
    endpoint->pump = iswi_endpoint_pump;
    endpoint->queue = queue;
    endpoint->name = queue + sizeof ISWI_QUEUE_OF_REQUESTS - 1;
    endpoint->next = atomic_load(&sender->endpoints);
    return endpoint;
}

iswi_endpoint *iswi_endpoint_set(iswi_sender *sender, const char *name, const iswi_target *target)
{
    iswi_endpoint *endpoint = find(sender, name);
    iswi_target *kept = iswi_arena_calloc(&sender->arena, 1, sizeof *kept);
    iswi_endpoint *made = endpoint ? NULL : make(sender, name);

    if (!kept || (!endpoint && !made))
        return NULL;
    *kept = *target;
    endpoint = endpoint ? endpoint : made;
    pthread_mutex_lock(&sender->lock);
    endpoint->target = kept;
    endpoint->undeclared = true;
    if (endpoint->asking) /* it is told first */
        iswi_broker_recall(sender->broker, &endpoint->claim);
    pthread_mutex_unlock(&sender->lock);
    if (made)
        atomic_store(&sender->endpoints, made);
    iswi_endpoint_pump(endpoint);
    return endpoint;
}

/* -- Claiming ---------------------------------------------------------------------------------- */

static void fill_declare(iswi_endpoint *endpoint)
{
    iswi_broker_op *op = &endpoint->declare;

    *op = (iswi_broker_op){ .kind = ISWI_BROKER_DECLARE,
                            .queue = isw_str_of(endpoint->queue),
                            .done = on_declared,
                            .user = endpoint };
    iswi_queue_options_of(endpoint->sender->host, endpoint->queue, &op->as.declare);
    op->as.declare.max_attempts = (unsigned)endpoint->target->bounds.max_attempts;
}

static void fill_claim(iswi_endpoint *endpoint, size_t count)
{
    endpoint->claim = (iswi_broker_op){ .kind = ISWI_BROKER_CLAIM,
                                        .queue = isw_str_of(endpoint->queue),
                                        .done = on_claimed,
                                        .user = endpoint };
    endpoint->claim.as.claim.max = count < ISWI_POSTS_CLAIMED ? count : ISWI_POSTS_CLAIMED;
    endpoint->claim.as.claim.items = endpoint->claimed;
}

/* What is to be asked of the broker now; NULL: nothing. With the lock. */
static iswi_broker_op *next_op(iswi_endpoint *endpoint)
{
    size_t most = (size_t)endpoint->target->bounds.concurrency;

    if (endpoint->asking)
        return NULL;
    if (endpoint->undeclared) {
        endpoint->undeclared = false;
        fill_declare(endpoint);
        return &endpoint->declare;
    }
    if (endpoint->sender->held || endpoint->in_flight >= most)
        return NULL;
    fill_claim(endpoint, most - endpoint->in_flight);
    return &endpoint->claim;
}

void iswi_endpoint_pump(iswi_endpoint *endpoint)
{
    iswi_broker_op *op;

    pthread_mutex_lock(&endpoint->sender->lock);
    op = next_op(endpoint);
    endpoint->asking = endpoint->asking || op;
    pthread_mutex_unlock(&endpoint->sender->lock);
    if (op)
        iswi_broker_submit(endpoint->sender->broker, op);
}

/* `again`: something else may be asked. */
static void answered(iswi_endpoint *endpoint, bool again)
{
    pthread_mutex_lock(&endpoint->sender->lock);
    endpoint->asking = !again; /* else for good */
    pthread_mutex_unlock(&endpoint->sender->lock);
    if (again)
        iswi_endpoint_pump(endpoint);
}

static void on_declared(iswi_broker_op *op)
{
    iswi_endpoint *endpoint = op->user;
    isw_status status = op->error.status;

    if (status != ISW_OK && status != ISW_E_CLOSED)
        iswi_say(endpoint->sender->host, ISW_LOG_ERROR, "output %s sends nothing: %s",
                 endpoint->name, op->error.message);
    answered(endpoint, status == ISW_OK);
}

/* It is with us. Without memory it is again when the host's claims are free. */
static void take(iswi_endpoint *endpoint, iswi_delivery *delivery)
{
    iswi_sender *sender = endpoint->sender;
    iswi_post *post = iswi_post_create(endpoint, delivery);
    bool back;

    if (!post) {
        iswi_say(sender->host, ISW_LOG_CRITICAL, "no memory for a request of output %s; it waits",
                 endpoint->name);
        iswi_delivery_free(delivery);
        return;
    }
    pthread_mutex_lock(&sender->lock);
    endpoint->in_flight++;
    back = sender->held;
    pthread_mutex_unlock(&sender->lock);
    if (back)
        iswi_post_give_back(post);
    else
        iswi_sender_give(sender, post);
}

static void on_claimed(iswi_broker_op *op)
{
    iswi_endpoint *endpoint = op->user;
    isw_status status = op->error.status;

    if (status != ISW_OK && status != ISW_E_CANCELLED && status != ISW_E_CLOSED)
        iswi_say(endpoint->sender->host, ISW_LOG_ERROR, "output %s: %s", endpoint->name,
                 op->error.message);
    for (size_t i = 0; status == ISW_OK && i < op->as.claim.count; i++)
        take(endpoint, endpoint->claimed[i]);
    answered(endpoint, status == ISW_OK || status == ISW_E_CANCELLED);
}

void iswi_sender_hold(iswi_sender *sender, bool on)
{
    iswi_endpoint *first = atomic_load(&sender->endpoints);

    pthread_mutex_lock(&sender->lock);
    sender->held = on;
    for (iswi_endpoint *at = first; on && at; at = at->next)
        if (at->asking)
            iswi_broker_recall(sender->broker, &at->claim);
    pthread_mutex_unlock(&sender->lock);
    for (iswi_endpoint *at = first; !on && at; at = at->next)
        iswi_endpoint_pump(at);
}
