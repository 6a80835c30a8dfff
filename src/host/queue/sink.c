/* SPDX-License-Identifier: Apache-2.0 */
/* An output of the type "queue". */
#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/queue/internal.h"
#include "host/queue/queue.h"

#include <stddef.h>

enum { BLOCK_BYTES = 1024 };

typedef struct sink_properties {
    const char *queue;
} sink_properties;

static const isw_option properties[] = {
    { .name = "queue", .type = ISW_OPTION_STRING, .offset = offsetof(sink_properties, queue),
      .help = "the queue's name" },
    { 0 },
};

/* It is the declaration that may take a while: whoever puts meanwhile comes behind it. */
typedef struct queue_sink {
    iswi_host *host;
    const char *queue;
    iswi_broker_op declare;
} queue_sink;

static void on_declared(iswi_broker_op *op)
{
    queue_sink *sink = op->user;

    if (op->error.status != ISW_OK && op->error.status != ISW_E_CLOSED)
        iswi_say(sink->host, ISW_LOG_ERROR, "queue %s: %s", sink->queue, op->error.message);
}

static isw_status check_sink(const iswi_sink_check *with, const void *given, isw_error *error)
{
    (void)with;
    return iswi_queue_name_check(((const sink_properties *)given)->queue, error);
}

/* Where nobody else reads the file, and this host reads no queues of its own. */
static isw_status refuse_lost(const iswi_host *host, isw_error *error)
{
    return !iswi_host_store_goes(host)
               ? ISW_OK
               : isw_error_set(error, ISW_E_CONFLICT,
                               "messages of queues would lie in a file that goes with this "
                               "environment, and nobody reads them there; name a server, "
                               "postgresql:// or nats://, as queues.store of host.yaml");
}

static isw_status open_sink(iswi_host *host, const iswi_sink_place *place, const void *given,
                            void **self, isw_error *error)
{
    const sink_properties *own = given;
    queue_sink *sink;

    (void)place;
    if (iswi_queue_name_check(own->queue, error) != ISW_OK || refuse_lost(host, error) != ISW_OK)
        return error->status;
    sink = iswi_calloc(1, sizeof *sink);
    if (!sink)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for it");
    *sink = (queue_sink){ .host = host, .queue = own->queue };
    sink->declare = (iswi_broker_op){ .kind = ISWI_BROKER_DECLARE,
                                      .queue = isw_str_of(own->queue),
                                      .done = on_declared,
                                      .user = sink };
    iswi_queue_options_of(host, own->queue, &sink->declare.as.declare);
    iswi_broker_submit(iswi_host_broker(host), &sink->declare);
    *self = sink;
    return ISW_OK;
}

static isw_status keep(void *self, const iswi_sink_item *item, iswi_outbox **box, isw_error *error)
{
    const queue_sink *sink = self;
    iswi_queue_put message;
    iswi_arena arena;
    isw_status status;

    iswi_arena_init(&arena, BLOCK_BYTES);
    status = iswi_queue_message(item->value, &arena, &message, error);
    if (status == ISW_OK) {
        message.queue = isw_str_of(sink->queue);
        message.trace = item->trace;
        status = iswi_queue_outbox_add(iswi_host_broker(sink->host), &message, box, error);
    }
    iswi_arena_fini(&arena);
    return status;
}

static const char *queue_of(const iswi_sink_place *place, const void *given, iswi_arena *arena)
{
    (void)place;
    (void)arena;
    return ((const sink_properties *)given)->queue;
}

const iswi_sink iswi_queue_sink = {
    .type = "queue",
    .properties = properties,
    .properties_size = sizeof(sink_properties),
    .check = check_sink,
    .open = open_sink,
    .keep = keep,
    .close = iswi_free,
    .queue = queue_of,
};
