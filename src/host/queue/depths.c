/* SPDX-License-Identifier: Apache-2.0 */
#include "host/queue/depths.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { MOMENT_MS = 200, QUEUES_MAX = 1000 };

/* One queue, as it was. */
typedef struct depth {
    char name[ISWI_QUEUE_NAME_MAX + 1];
    double numbers[9]; /* in the order of `rows` */
} depth;

struct iswi_depths {
    iswi_broker *broker;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t told;
    bool asked; /* the operation is the broker's */
    iswi_broker_op op;
    iswi_arena arena;
    depth *items; /* as they were last */
    size_t count;
};

static const struct {
    const char *name, *help;
    bool counts;
} rows[] = {
    { "queue_ready", "Messages that wait for a function.", false },
    { "queue_delayed", "Messages that are not due yet.", false },
    { "queue_claimed", "Messages that a function has.", false },
    { "queue_dead", "Messages that are dead.", false },
    { "queue_bytes", "Bodies of messages that live, in bytes.", false },
    { "queue_oldest_seconds", "How long the first message that is due has waited.", false },
    { "queue_put_total", "Messages that this host has put.", true },
    { "queue_duplicates_total", "Messages that were not put again, as their id was known.", true },
    { "queue_died_total", "Messages that died, by their attempts, a function or their expiry.", true },
};

iswi_depths *iswi_depths_create(iswi_broker *broker)
{
    iswi_depths *depths = iswi_calloc(1, sizeof *depths);
    pthread_condattr_t clock;

    if (!depths)
        return NULL;
    depths->broker = broker;
    pthread_mutex_init(&depths->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&depths->told, &clock);
    pthread_condattr_destroy(&clock);
    iswi_arena_init(&depths->arena, 4096);
    return depths;
}

void iswi_depths_destroy(iswi_depths *depths)
{
    if (!depths)
        return;
    pthread_cond_destroy(&depths->told);
    pthread_mutex_destroy(&depths->lock);
    iswi_arena_fini(&depths->arena);
    iswi_free(depths->items);
    iswi_free(depths);
}

/* -- Asking ------------------------------------------------------------------------------------ */

static void take(depth *out, const iswi_broker_queue *queue, int64_t now_ms)
{
    snprintf(out->name, sizeof out->name, "%.*s", (int)queue->name.size, queue->name.data);
    for (int state = 0; state < ISWI_MESSAGE_STATES; state++)
        out->numbers[state] = (double)queue->counts[state];
    out->numbers[4] = (double)queue->bytes;
    out->numbers[5] = (double)iswi_broker_age_ms(queue, now_ms) / 1000;
    out->numbers[6] = (double)queue->put;
    out->numbers[7] = (double)queue->duplicates;
    out->numbers[8] = (double)queue->died;
}

static void on_looked(iswi_broker_op *op)
{
    iswi_depths *depths = op->user;
    size_t count = op->error.status == ISW_OK ? op->as.look.count : 0;
    depth *items;

    pthread_mutex_lock(&depths->lock);
    count = count < QUEUES_MAX ? count : QUEUES_MAX;
    items = count ? iswi_realloc(depths->items, count * sizeof *items) : NULL;
    if (items)
        depths->items = items;
    for (size_t i = 0; items && i < count; i++)
        take(&items[i], &op->as.look.items[i], iswi_wall_us() / 1000);
    if (items)
        depths->count = count;
    depths->asked = false;
    pthread_cond_broadcast(&depths->told);
    pthread_mutex_unlock(&depths->lock);
}

/* With the lock. The operation is begun, unless it is already. */
static void ask(iswi_depths *depths)
{
    if (depths->asked)
        return;
    depths->asked = true;
    iswi_arena_reset(&depths->arena);
    depths->op = (iswi_broker_op){ .kind = ISWI_BROKER_LOOK, .done = on_looked, .user = depths };
    depths->op.as.look.arena = &depths->arena;
    iswi_broker_submit(depths->broker, &depths->op);
}

/* With the lock. */
static void wait_a_moment(iswi_depths *depths)
{
    struct timespec until;
    int late = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += MOMENT_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (depths->asked && !late)
        late = pthread_cond_timedwait(&depths->told, &depths->lock, &until);
}

void iswi_depths_rows(iswi_depths *depths, iswi_trigger_row_fn row, void *user)
{
    if (!iswi_broker_is_begun(depths->broker))
        return;
    row(user, &(iswi_trigger_row){ .name = "store_up",
                                   .help = "Whether the store of queues and timers can be used.",
                                   .number = iswi_broker_is_well(depths->broker, NULL) });
    pthread_mutex_lock(&depths->lock);
    ask(depths);
    wait_a_moment(depths);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t j = 0; j < depths->count; j++)
            row(user, &(iswi_trigger_row){ .name = rows[i].name,
                                           .help = rows[i].help,
                                           .counts = rows[i].counts,
                                           .label = "queue",
                                           .value = depths->items[j].name,
                                           .number = depths->items[j].numbers[i] });
    pthread_mutex_unlock(&depths->lock);
}
