/* SPDX-License-Identifier: Apache-2.0 */
#include "host/queue/depths.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/look.h"
#include "host/queue/queue.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { MOMENT_MS = 200, QUEUES_MAX = 1000 };

/* One queue, as it was. */
typedef struct depth {
    char name[ISWI_QUEUE_NAME_MAX + 1];
    double numbers[9]; /* in the order of `rows` */
    int64_t live, bytes;
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
    out->live = queue->counts[ISWI_MESSAGE_READY] + queue->counts[ISWI_MESSAGE_DELAYED] +
                queue->counts[ISWI_MESSAGE_CLAIMED];
    out->bytes = queue->bytes;
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

/* -- Full ones --------------------------------------------------------------------------------- */

static bool any_is_bounded(const iswi_host *host)
{
    const iswi_queues_settings *all = &iswi_host_settings_of(host)->queues;
    const iswi_named_queue_settings *named = all->named.items;
    bool is = all->bounds.max_messages || all->bounds.max_bytes;

    for (size_t i = 0; i < all->named.count && !is; i++)
        is = named[i].bounds.max_messages || named[i].bounds.max_bytes;
    return is;
}

/* By bytes: where one more like those that are there would be refused. */
static void describe_full(const depth *of, const iswi_queue_options *keeps, char *out, size_t size)
{
    const int64_t next = of->live ? of->bytes / of->live : 0;

    *out = '\0';
    if (keeps->max_messages && of->live >= keeps->max_messages)
        snprintf(out, size, "queue %s is full: it has %lld messages of %lld (max_messages); what is "
                 "put there is refused", of->name, (long long)of->live,
                 (long long)keeps->max_messages);
    else if (keeps->max_bytes && of->live && of->bytes + next > keeps->max_bytes)
        snprintf(out, size, "queue %s is full: it has %lld bytes of %lld (max_bytes); what is put "
                 "there is refused", of->name, (long long)of->bytes, (long long)keeps->max_bytes);
}

void iswi_depths_attend(iswi_depths *depths, const iswi_host *host, iswi_trigger_attend_fn add,
                        void *user)
{
    char sentence[ISWI_QUEUE_NAME_MAX + 160];
    iswi_queue_options keeps;

    if (!any_is_bounded(host) || !iswi_broker_is_begun(depths->broker) ||
        !iswi_broker_is_well(depths->broker, NULL))
        return;
    pthread_mutex_lock(&depths->lock);
    ask(depths);
    wait_a_moment(depths);
    for (size_t i = 0; i < depths->count; i++) {
        iswi_queue_options_of(host, depths->items[i].name, &keeps);
        describe_full(&depths->items[i], &keeps, sentence, sizeof sentence);
        if (*sentence)
            add(user, sentence);
    }
    pthread_mutex_unlock(&depths->lock);
}
