/* SPDX-License-Identifier: Apache-2.0 */
/* The queue trigger: what functions say of their queues, and a consumer for each. */
#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/queue/depths.h"
#include "host/queue/foreign.h"
#include "host/queue/internal.h"
#include "host/queue/queue.h"

#include <stddef.h>
#include <stdio.h>
#include <time.h>

enum { DAY_MS = 86400000 };

#define ROW(member, kind, yaml, standard, low, high, text)                                   \
    { .name = (yaml), .type = ISW_OPTION_##kind, .default_value = (standard), .min = (low),  \
      .max = (high), .offset = offsetof(iswi_queue_properties, member), .help = (text) }

static const char *const backoffs[] = { "exponential", "fixed", NULL };

static const isw_option property_rows[] = {
    { .name = "queue", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(iswi_queue_properties, queue), .help = "its name; left out: the function's" },
    ROW(batch_size, INT, "batch_size", "1", 1, ISWI_BATCH_MAX, "messages that one call gets at most"),
    ROW(batch_wait_ms, DURATION, "batch_wait", "0", 0, DAY_MS,
        "that the first of a batch waits for others"),
    ROW(concurrency, INT, "concurrency", "0", 0, 65535,
        "calls at the same time; 0: as many as the worker takes"),
    { .name = "retry", .type = ISW_OPTION_ENUM, .choices = backoffs, .default_value = "exponential",
      .offset = offsetof(iswi_queue_properties, backoff),
      .help = "how the time from a failure to the next attempt grows" },
    ROW(retry_delay_ms, DURATION, "retry_delay", "1s", 0, DAY_MS, "after the first attempt"),
    ROW(retry_delay_max_ms, DURATION, "retry_delay_max", "5m", 0, DAY_MS, "and after any"),
    { 0 },
};

typedef struct queue_trigger {
    iswi_host *host;
    iswi_depths *depths;
    _Atomic(iswi_consumer *) consumers; /* of all functions that were ever published; grows at the
                                           front */
} queue_trigger;

/* -- Sets -------------------------------------------------------------------------------------- */

typedef struct queue_set {
    size_t count;
    const iswi_entry *entries[];
} queue_set;

static isw_status arrange(iswi_entry *const *entries, size_t count, iswi_entry_refuse_fn refuse,
                          void *user, void **out)
{
    queue_set *set = iswi_calloc(1, sizeof *set + count * sizeof(iswi_entry *));

    if (!set)
        return ISW_E_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const iswi_queue_properties *properties = entries[i]->properties;
        isw_error error = { ISW_OK, "" };

        if (properties->queue && iswi_queue_name_check(properties->queue, &error) != ISW_OK)
            refuse(user, entries[i], NULL, "its queue has no possible name", error.message);
        else
            set->entries[set->count++] = entries[i];
    }
    *out = set;
    return ISW_OK;
}

static bool has(const queue_set *set, const iswi_entry *entry)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->entries[i] == entry)
            return true;
    return false;
}

/* -- An instance ------------------------------------------------------------------------------- */

static isw_status start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    queue_trigger *trigger = iswi_calloc(1, sizeof *trigger);

    if (trigger)
        trigger->depths = iswi_depths_create(iswi_host_broker(with->host));
    if (!trigger || !trigger->depths) {
        iswi_free(trigger);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for queues");
    }
    trigger->host = with->host;
    *self = trigger;
    return ISW_OK;
}

static iswi_consumer *find(queue_trigger *trigger, const iswi_entry *entry)
{
    iswi_consumer *consumer = atomic_load(&trigger->consumers);

    while (consumer && consumer->entry != entry)
        consumer = consumer->next;
    return consumer;
}

static void add(queue_trigger *trigger, const iswi_entry *entry)
{
    iswi_consumer *consumer = iswi_consumer_create(trigger->host, entry);

    if (!consumer) {
        iswi_say(trigger->host, ISW_LOG_CRITICAL, "no memory for the queue of function %s",
                 entry->name);
        return;
    }
    consumer->next = atomic_load(&trigger->consumers);
    atomic_store(&trigger->consumers, consumer);
}

static void publish(void *self, void *user, iswi_more more)
{
    queue_trigger *trigger = self;
    queue_set *set = user;

    (void)more;
    for (size_t i = 0; i < set->count; i++)
        if (!find(trigger, set->entries[i]))
            add(trigger, set->entries[i]);
    for (iswi_consumer *at = atomic_load(&trigger->consumers); at; at = at->next)
        iswi_consumer_serve(at, has(set, at->entry));
    iswi_free(set);
}

static void hold(void *self, bool on)
{
    queue_trigger *trigger = self;

    for (iswi_consumer *at = atomic_load(&trigger->consumers); at; at = at->next)
        iswi_consumer_hold(at, on);
}

static void quiesce(void *self)
{
    hold(self, true);
}

static void tend(void *self, bool asked, int64_t now_ns, int64_t *next_ns)
{
    queue_trigger *trigger = self;

    (void)asked;
    for (iswi_consumer *at = atomic_load(&trigger->consumers); at; at = at->next)
        iswi_consumer_tend(at, now_ns, next_ns);
}

static size_t admitted(void *self)
{
    queue_trigger *trigger = self;
    size_t count = 0;

    for (iswi_consumer *at = atomic_load(&trigger->consumers); at; at = at->next)
        count += iswi_consumer_busy(at);
    return count;
}

/* All calls were answered; the broker, which is closed first, has called all back. */
static void stop(void *self)
{
    queue_trigger *trigger = self;
    iswi_consumer *at = atomic_load(&trigger->consumers);

    while (at) {
        iswi_consumer *next = at->next;

        iswi_consumer_destroy(at);
        at = next;
    }
    iswi_depths_destroy(trigger->depths);
    iswi_free(trigger);
}

/* -- What it tells ----------------------------------------------------------------------------- */

static void tell(void *self, const iswi_entry *entry, iswi_arena *arena, iswi_entry_told *out)
{
    (void)self;
    out->text = iswi_arena_printf(arena, "queue %s", iswi_queue_of(entry));
}

typedef struct told_row {
    const char *name, *help;
    size_t offset; /* in iswi_message_counts */
    double scale;
} told_row;

static const told_row told_rows[] = {
    { "queue_completed_total", "Messages that a function was done with.",
      offsetof(iswi_message_counts, completed), 1 },
    { "queue_abandoned_total", "Attempts that came to nothing, and are made again.",
      offsetof(iswi_message_counts, abandoned), 1 },
    { "queue_deferred_total", "Messages that were given back with no attempt made.",
      offsetof(iswi_message_counts, deferred), 1 },
    { "queue_dead_total", "Messages that had all their attempts, or that a function gave up.",
      offsetof(iswi_message_counts, dead), 1 },
    { "queue_lost_total", "Messages that were another's by the time that a function was done.",
      offsetof(iswi_message_counts, lost), 1 },
    { "queue_waited_seconds_total", "From when messages were due until they were delivered.",
      offsetof(iswi_message_counts, waited_ms), 0.001 },
};

static void rows(void *self, iswi_trigger_row_fn row, void *user)
{
    queue_trigger *trigger = self;

    iswi_depths_rows(trigger->depths, row, user);
    for (size_t i = 0; i < sizeof told_rows / sizeof told_rows[0]; i++)
        for (iswi_consumer *at = atomic_load(&trigger->consumers); at; at = at->next) {
            const char *counts = (const char *)&at->counts;
            const atomic_ullong *number = (const void *)(counts + told_rows[i].offset);

            row(user, &(iswi_trigger_row){ .name = told_rows[i].name,
                                           .help = told_rows[i].help,
                                           .counts = true,
                                           .label = "function",
                                           .value = at->entry->name,
                                           .number = (double)atomic_load(number) *
                                                     told_rows[i].scale });
        }
}

static void attend(void *self, iswi_trigger_attend_fn add_one, void *user)
{
    queue_trigger *trigger = self;
    char sentence[ISW_ERROR_MESSAGE_BYTES + 32];
    isw_error error = { ISW_OK, "" };

    if (!atomic_load(&trigger->consumers) || iswi_broker_is_well(iswi_host_broker(trigger->host), &error))
        return;
    snprintf(sentence, sizeof sentence, "queues: %s", error.message);
    add_one(user, sentence);
}

static isw_status make_up(void *self, const iswi_entry *entry, const iswi_made_up *event,
                          iswi_arena *arena, iswi_call *call, isw_error *error)
{
    const iswi_consumer *consumer = find(self, entry);

    return iswi_queue_make_up(entry, consumer ? consumer->max_attempts : 0, event, arena, call,
                              error);
}

/* -- Queues of somebody else ------------------------------------------------------------------- */

static void publish_foreign(void *self, void *set, iswi_more more)
{
    (void)self;
    (void)more;
    iswi_free(set);
}

static isw_status make_up_foreign(void *self, const iswi_entry *entry, const iswi_made_up *event,
                                  iswi_arena *arena, iswi_call *call, isw_error *error)
{
    (void)self;
    return iswi_queue_make_up(entry, 0, event, arena, call, error);
}

const iswi_trigger iswi_queue_foreign_trigger = {
    .type = "queue",
    .title = "queues",
    .properties = property_rows,
    .properties_size = sizeof(iswi_queue_properties),
    .start = iswi_passive_start,
    .arrange = arrange,
    .discard = iswi_free,
    .publish = publish_foreign,
    .stop = iswi_passive_stop,
    .tell = tell,
    .make_up = make_up_foreign,
};

const iswi_trigger iswi_queue_trigger = {
    .type = "queue",
    .title = "queues",
    .properties = property_rows,
    .properties_size = sizeof(iswi_queue_properties),
    .start = start,
    .arrange = arrange,
    .discard = iswi_free,
    .publish = publish,
    .hold = hold,
    .tend = tend,
    .quiesce = quiesce,
    .admitted = admitted,
    .stop = stop,
    .tell = tell,
    .rows = rows,
    .attend = attend,
    .make_up = make_up,
};
