/* SPDX-License-Identifier: Apache-2.0 */
/* The consumers of one trigger: all that it is told, and asked, goes to each. */
#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/queue/internal.h"

#include <stdio.h>

const char *const iswi_feed_backoffs[] = { "exponential", "fixed", NULL };

struct iswi_feed {
    iswi_host *host;
    const iswi_feed_kind *kind;
    void *user;
    _Atomic(iswi_consumer *) consumers; /* of all functions that were ever published; grows at the
                                           front */
};

/* -- Life -------------------------------------------------------------------------------------- */

iswi_feed *iswi_feed_create(iswi_host *host, const iswi_feed_kind *kind, void *user)
{
    iswi_feed *feed = iswi_calloc(1, sizeof *feed);

    if (!feed)
        return NULL;
    feed->host = host;
    feed->kind = kind;
    feed->user = user;
    return feed;
}

void iswi_feed_destroy(iswi_feed *feed)
{
    iswi_consumer *at = feed ? atomic_load(&feed->consumers) : NULL;

    while (at) {
        iswi_consumer *next = at->next;

        iswi_consumer_destroy(at);
        at = next;
    }
    iswi_free(feed);
}

/* -- Functions --------------------------------------------------------------------------------- */

static iswi_consumer *find(iswi_feed *feed, const iswi_entry *entry)
{
    iswi_consumer *consumer = atomic_load(&feed->consumers);

    while (consumer && consumer->entry != entry)
        consumer = consumer->next;
    return consumer;
}

static void add(iswi_feed *feed, const iswi_entry *entry)
{
    iswi_consumer *consumer = iswi_consumer_create(feed->host, entry, feed->kind, feed->user);

    if (!consumer) {
        iswi_say(feed->host, ISW_LOG_CRITICAL, "no memory for the queue of function %s",
                 entry->name);
        return;
    }
    consumer->next = atomic_load(&feed->consumers);
    atomic_store(&feed->consumers, consumer);
}

static bool has(const iswi_entry *const *entries, size_t count, const iswi_entry *entry)
{
    for (size_t i = 0; i < count; i++)
        if (entries[i] == entry)
            return true;
    return false;
}

void iswi_feed_publish(iswi_feed *feed, const iswi_entry *const *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!find(feed, entries[i]))
            add(feed, entries[i]);
    for (iswi_consumer *at = atomic_load(&feed->consumers); at; at = at->next)
        iswi_consumer_serve(at, has(entries, count, at->entry));
}

void iswi_feed_hold(iswi_feed *feed, bool on)
{
    for (iswi_consumer *at = atomic_load(&feed->consumers); at; at = at->next)
        iswi_consumer_hold(at, on);
}

void iswi_feed_tend(iswi_feed *feed, int64_t now_ns, int64_t *next_ns)
{
    for (iswi_consumer *at = atomic_load(&feed->consumers); at; at = at->next)
        iswi_consumer_tend(at, now_ns, next_ns);
}

size_t iswi_feed_admitted(iswi_feed *feed)
{
    size_t count = 0;

    for (iswi_consumer *at = atomic_load(&feed->consumers); at; at = at->next)
        count += iswi_consumer_busy(at);
    return count;
}

isw_status iswi_feed_make_up(iswi_feed *feed, const iswi_entry *entry, const iswi_made_up *event,
                             iswi_arena *arena, iswi_call *call, isw_error *error)
{
    const iswi_consumer *consumer = find(feed, entry);

    return iswi_queue_make_up(feed->kind, entry, consumer ? consumer->max_attempts : 0, event,
                              arena, call, error);
}

/* -- What it tells ----------------------------------------------------------------------------- */

void iswi_feed_rows(iswi_feed *feed, iswi_trigger_row_fn row, void *user)
{
    iswi_counts_rows(feed->kind->type, atomic_load(&feed->consumers), row, user);
}

void iswi_feed_attend(iswi_feed *feed, iswi_trigger_attend_fn add_one, void *user)
{
    char sentence[ISW_ERROR_MESSAGE_BYTES + 32];
    isw_error error = { ISW_OK, "" };

    if (!atomic_load(&feed->consumers) || iswi_broker_is_well(iswi_host_broker(feed->host), &error))
        return;
    snprintf(sentence, sizeof sentence, "%ss: %s", feed->kind->type, error.message);
    add_one(user, sentence);
}
