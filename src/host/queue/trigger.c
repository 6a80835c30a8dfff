/* SPDX-License-Identifier: Apache-2.0 */
/* The queue trigger: what functions say of their queues, and a consumer for each. */
#include "base/alloc.h"
#include "host/engine/look.h"
#include "host/queue/depths.h"
#include "host/queue/foreign.h"
#include "host/queue/internal.h"
#include "host/queue/queue.h"

#include <stddef.h>
#include <stdio.h>

static const isw_option property_rows[] = {
    { .name = "queue", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(iswi_queue_properties, queue), .help = "its name; left out: the function's" },
    ISWI_FEED_ROWS,
    { 0 },
};

typedef struct queue_trigger {
    const iswi_host *host;
    iswi_feed *feed;
    iswi_depths *depths;
} queue_trigger;

/* -- Sets -------------------------------------------------------------------------------------- */

typedef struct queue_set {
    size_t count;
    const iswi_entry *entries[];
} queue_set;

/* One that takes from the same queue; NULL: there is none. */
static const iswi_entry *rival_of(const queue_set *set, const iswi_entry *entry)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(iswi_queue_of(set->entries[i]), iswi_queue_of(entry)) == 0)
            return set->entries[i];
    return NULL;
}

/* It would be chance which of two functions gets a message; one alone has as many processes as it
 * needs. */
static void refuse_rival(const iswi_entry *entry, const iswi_entry *rival,
                         iswi_entry_refuse_fn refuse, void *user)
{
    char why[2 * ISWI_QUEUE_NAME_MAX + 256];

    snprintf(why, sizeof why, "both take from the queue \"%s\", and it would be chance which of "
             "them gets a message; give one of them a queue of its own", iswi_queue_of(entry));
    refuse(user, entry, rival, "another function takes from its queue", why);
}

static isw_status arrange(iswi_entry *const *entries, size_t count, iswi_entry_refuse_fn refuse,
                          void *user, void **out)
{
    queue_set *set = iswi_calloc(1, sizeof *set + count * sizeof(iswi_entry *));

    if (!set)
        return ISW_E_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        isw_error error = { ISW_OK, "" };

        if (iswi_queue_name_check(iswi_queue_of(entries[i]), &error) != ISW_OK)
            refuse(user, entries[i], NULL, "its queue has no possible name", error.message);
        else if (rival_of(set, entries[i]))
            refuse_rival(entries[i], rival_of(set, entries[i]), refuse, user);
        else
            set->entries[set->count++] = entries[i];
    }
    *out = set;
    return ISW_OK;
}

/* -- An instance ------------------------------------------------------------------------------- */

static void stop(void *self)
{
    queue_trigger *trigger = self;

    iswi_feed_destroy(trigger->feed);
    iswi_depths_destroy(trigger->depths);
    iswi_free(trigger);
}

static isw_status start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    queue_trigger *trigger = iswi_calloc(1, sizeof *trigger);

    if (!trigger)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for queues");
    trigger->host = with->host;
    trigger->feed = iswi_feed_create(with->host, &iswi_queue_kind, NULL);
    trigger->depths = iswi_depths_create(iswi_host_broker(with->host));
    if (!trigger->feed || !trigger->depths) {
        stop(trigger);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for queues");
    }
    *self = trigger;
    return ISW_OK;
}

static void publish(void *self, void *user, iswi_more more)
{
    queue_set *set = user;

    (void)more;
    iswi_feed_publish(((queue_trigger *)self)->feed, set->entries, set->count);
    iswi_free(set);
}

static void hold(void *self, bool on)
{
    iswi_feed_hold(((queue_trigger *)self)->feed, on);
}

static void quiesce(void *self)
{
    hold(self, true);
}

static void tend(void *self, bool asked, int64_t now_ns, int64_t *next_ns)
{
    (void)asked;
    iswi_feed_tend(((queue_trigger *)self)->feed, now_ns, next_ns);
}

static size_t admitted(void *self)
{
    return iswi_feed_admitted(((queue_trigger *)self)->feed);
}

static void tell(void *self, const iswi_entry *entry, iswi_arena *arena, iswi_entry_told *out)
{
    (void)self;
    out->text = iswi_arena_printf(arena, "queue %s", iswi_queue_of(entry));
}

static void rows(void *self, iswi_trigger_row_fn row, void *user)
{
    queue_trigger *trigger = self;

    iswi_depths_rows(trigger->depths, row, user);
    iswi_feed_rows(trigger->feed, row, user);
}

static void attend(void *self, iswi_trigger_attend_fn add, void *user)
{
    queue_trigger *trigger = self;

    iswi_feed_attend(trigger->feed, add, user);
    iswi_depths_attend(trigger->depths, trigger->host, add, user);
}

static isw_status make_up(void *self, const iswi_entry *entry, const iswi_made_up *event,
                          iswi_arena *arena, iswi_call *call, isw_error *error)
{
    return iswi_feed_make_up(((queue_trigger *)self)->feed, entry, event, arena, call, error);
}

static const char *queue_of(const iswi_entry *entry, iswi_arena *arena)
{
    (void)arena;
    return iswi_queue_of(entry);
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
    return iswi_queue_make_up(&iswi_queue_kind, entry, 0, event, arena, call, error);
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
    .queue = queue_of,
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
    .queue = queue_of,
};
