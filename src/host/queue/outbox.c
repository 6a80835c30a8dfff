/* SPDX-License-Identifier: Apache-2.0 */
/* What one call puts out to queues, kept until it ends: copies, since the worker's message that they
 * came in goes before. */
#include "base/alloc.h"
#include "host/queue/internal.h"

typedef struct queue_outbox {
    iswi_outbox box; /* first */
    iswi_broker *broker;
    iswi_arena arena;
    iswi_queue_put *puts;
    size_t count, capacity;
    iswi_broker_op op;
    iswi_outbox_done_fn done;
    void *user;
} queue_outbox;

static void destroy(iswi_outbox *box)
{
    queue_outbox *own = (queue_outbox *)box;

    iswi_arena_fini(&own->arena);
    iswi_free(own->puts);
    iswi_free(own);
}

static void on_put(iswi_broker_op *op)
{
    queue_outbox *own = op->user;

    own->done(own->user, &op->error);
    destroy(&own->box);
}

static void put(iswi_outbox *box, iswi_outbox_done_fn done, void *user)
{
    queue_outbox *own = (queue_outbox *)box;

    own->done = done;
    own->user = user;
    own->op = (iswi_broker_op){ .kind = ISWI_BROKER_PUT, .done = on_put, .user = own };
    own->op.as.put.items = own->puts;
    own->op.as.put.count = own->count;
    iswi_broker_submit(own->broker, &own->op);
}

bool iswi_queue_is_outbox(const iswi_outbox *box)
{
    return box->put == put;
}

const iswi_queue_put *iswi_queue_outbox_puts(const iswi_outbox *box, size_t *count)
{
    const queue_outbox *own = (const queue_outbox *)box;

    *count = own->count;
    return own->puts;
}

static queue_outbox *create(iswi_broker *broker)
{
    queue_outbox *own = iswi_calloc(1, sizeof *own);

    if (!own)
        return NULL;
    own->box = (iswi_outbox){ put, destroy };
    own->broker = broker;
    iswi_arena_init(&own->arena, 1024);
    return own;
}

static bool grow(queue_outbox *own)
{
    size_t capacity = own->capacity ? 2 * own->capacity : 4;
    iswi_queue_put *puts;

    if (own->count < own->capacity)
        return true;
    puts = iswi_realloc(own->puts, capacity * sizeof *puts);
    if (!puts)
        return false;
    own->puts = puts;
    own->capacity = capacity;
    return true;
}

static bool copy(iswi_arena *arena, isw_str *text)
{
    text->data = iswi_arena_strndup(arena, text->size ? text->data : "", text->size);
    return text->data != NULL;
}

/* All that it points to lies in the arena from now on. */
static bool own_all(iswi_arena *arena, iswi_queue_put *message)
{
    void *body = iswi_arena_alloc(arena, message->body.size + 1);

    if (!body || !copy(arena, &message->queue) || !copy(arena, &message->content_type) ||
        !copy(arena, &message->id) || !copy(arena, &message->key) || !copy(arena, &message->trace))
        return false;
    if (message->body.size)
        memcpy(body, message->body.data, message->body.size);
    message->body.data = body;
    return true;
}

isw_status iswi_queue_outbox_add(iswi_broker *broker, const iswi_queue_put *message,
                                 iswi_outbox **box, isw_error *error)
{
    queue_outbox *own = *box ? (queue_outbox *)*box : create(broker);
    iswi_queue_put kept = *message;

    if (!own)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a message");
    *box = &own->box;
    if (own->count == ISWI_BROKER_ITEMS_MAX)
        return isw_error_set(error, ISW_E_TOO_LARGE, "a call puts at most %d messages",
                             ISWI_BROKER_ITEMS_MAX);
    if (!grow(own) || !own_all(&own->arena, &kept))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a message");
    own->puts[own->count++] = kept;
    return ISW_OK;
}
