/* SPDX-License-Identifier: Apache-2.0 */
/* How much a queue has beside what its function is given, for whoever says how many processes there
 * are to be. It is asked only while there is no room, and not more often than that matters. */
#include "base/clock.h"
#include "host/queue/internal.h"

enum { EVERY_NS = 50000000 };

static void on_looked(iswi_broker_op *op)
{
    iswi_consumer *consumer = op->user;
    size_t calls = 0;

    if (op->error.status == ISW_OK && op->as.look.count == 1)
        calls = (size_t)op->as.look.items[0].counts[ISWI_MESSAGE_READY];
    calls = (calls + (size_t)consumer->properties->batch_size - 1) /
            (size_t)consumer->properties->batch_size;
    pthread_mutex_lock(&consumer->lock);
    consumer->looking = false;
    if (consumer->claiming)
        calls = 0; /* there is room again */
    pthread_mutex_unlock(&consumer->lock);
    iswi_function_backlog(consumer->entry->function, calls);
}

void iswi_consumer_look(iswi_consumer *consumer)
{
    int64_t now_ns = iswi_now_ns();
    bool looks;

    pthread_mutex_lock(&consumer->lock);
    looks = !consumer->looking && !consumer->claiming && now_ns - consumer->looked_ns >= EVERY_NS;
    if (looks) {
        consumer->looking = true;
        consumer->looked_ns = now_ns;
    }
    pthread_mutex_unlock(&consumer->lock);
    if (!looks)
        return;
    iswi_arena_reset(&consumer->look_arena);
    consumer->look = (iswi_broker_op){ .kind = ISWI_BROKER_LOOK,
                                       .queue = isw_str_of(consumer->queue),
                                       .done = on_looked,
                                       .user = consumer };
    consumer->look.as.look.arena = &consumer->look_arena;
    iswi_broker_submit(consumer->broker, &consumer->look);
}
