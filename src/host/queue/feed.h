/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_QUEUE_FEED_H
#define ISWI_HOST_QUEUE_FEED_H

/*
 * Functions that are given messages of queues, each by a consumer of its own: for the trigger
 * `queue`, and for others that have what comes in lie in a queue of the host's own until their
 * function is done with it. Leases, attempts, retries, dead letters, batches, backlogs, and what
 * operators see and do are the same for all.
 *
 * Any thread, but where it says otherwise.
 */
#include "broker/broker.h"
#include "host/engine/trigger.h"

/* What functions may say; the properties of each entry begin with it. */
typedef struct iswi_feed_properties {
    int64_t batch_size;
    int64_t batch_wait_ms;
    int64_t concurrency; /* 0: as many as its worker takes */
    int64_t backoff;     /* of iswi_feed_backoffs */
    int64_t retry_delay_ms, retry_delay_max_ms;
} iswi_feed_properties;

enum {
    ISWI_BATCH_MAX = 1000,          /* messages of one call */
    ISWI_FEED_DELAY_MAX = 86400000, /* milliseconds */
    ISWI_BACKOFF_EXPONENTIAL = 0,
    ISWI_BACKOFF_FIXED = 1
};

extern const char *const iswi_feed_backoffs[];

#define ISWI_FEED_ROW(member, kind, yaml, standard, low, high, text)                         \
    { .name = (yaml), .type = ISW_OPTION_##kind, .default_value = (standard), .min = (low),  \
      .max = (high), .offset = offsetof(iswi_feed_properties, member), .help = (text) }

/* Rows for a table of properties. */
#define ISWI_FEED_ROWS                                                                        \
    ISWI_FEED_ROW(batch_size, INT, "batch_size", "1", 1, ISWI_BATCH_MAX,                      \
                  "messages that one call gets at most"),                                     \
    ISWI_FEED_ROW(batch_wait_ms, DURATION, "batch_wait", "0", 0, ISWI_FEED_DELAY_MAX,         \
                  "that the first of a batch waits for others"),                              \
    ISWI_FEED_ROW(concurrency, INT, "concurrency", "0", 0, 65535,                             \
                  "calls at the same time; 0: as many as the worker takes"),                  \
    { .name = "retry", .type = ISW_OPTION_ENUM, .choices = iswi_feed_backoffs,                \
      .default_value = "exponential", .offset = offsetof(iswi_feed_properties, backoff),      \
      .help = "how the time from a failure to the next attempt grows" },                      \
    ISWI_FEED_ROW(retry_delay_ms, DURATION, "retry_delay", "1s", 0, ISWI_FEED_DELAY_MAX,      \
                  "after the first attempt"),                                                 \
    ISWI_FEED_ROW(retry_delay_max_ms, DURATION, "retry_delay_max", "5m", 0,                   \
                  ISWI_FEED_DELAY_MAX, "and after any")

/* What differs between those who feed functions. */
typedef struct iswi_feed_kind {
    const char *type; /* of the trigger: the names of its numbers begin with it */

    /* Where the messages of a function lie. */
    void (*queue)(const iswi_entry *entry, char name[ISWI_QUEUE_NAME_MAX + 1]);

    /* A message's body as its function sees it, in the arena. NULL: bytes, text or JSON, by its
     * content type. */
    isw_value (*body)(const iswi_delivery *message, iswi_arena *arena);

    /* Its function is done with it, and that is durable. On the broker's thread; must not block.
     * NULL: nobody cares. */
    void (*completed)(void *user, const iswi_entry *entry, const iswi_delivery *message);
} iswi_feed_kind;

typedef struct iswi_feed iswi_feed;

/* `kind` and `user` live longer. NULL: no memory. */
iswi_feed *iswi_feed_create(iswi_host *host, const iswi_feed_kind *kind, void *user);

/* All calls were answered; the broker, which is closed first, has called all back. NULL is
 * allowed. */
void iswi_feed_destroy(iswi_feed *feed);

/* These are served from now on, and no others. The supervisor's thread, as for the hooks of a
 * trigger that have these names. */
void iswi_feed_publish(iswi_feed *feed, const iswi_entry *const *entries, size_t count);
void iswi_feed_hold(iswi_feed *feed, bool on);
void iswi_feed_tend(iswi_feed *feed, int64_t now_ns, int64_t *next_ns);
size_t iswi_feed_admitted(iswi_feed *feed);
void iswi_feed_rows(iswi_feed *feed, iswi_trigger_row_fn row, void *user);
void iswi_feed_attend(iswi_feed *feed, iswi_trigger_attend_fn add, void *user);

/* A message that somebody made up, as make_up of a trigger; any thread. */
isw_status iswi_feed_make_up(iswi_feed *feed, const iswi_entry *entry, const iswi_made_up *event,
                             iswi_arena *arena, iswi_call *call, isw_error *error);

#endif
