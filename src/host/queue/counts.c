/* SPDX-License-Identifier: Apache-2.0 */
/* What has become of messages, by function, and how long and how often they took, by queue. A
 * function that was told otherwise is another consumer of the same name: what is told is the sum of
 * all, since no two rows may have the same labels. */
#include "base/clock.h"
#include "host/queue/internal.h"

#include <stddef.h>
#include <stdio.h>

/* Bounds of buckets; the last one has what is above. */
static const double wait_bounds[ISWI_WAIT_BUCKETS - 1] = { 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1,
                                                           5, 10, 60, 300, 1800, 7200 };
static const double attempt_bounds[ISWI_ATTEMPT_BUCKETS - 1] = { 1, 2, 3, 5, 10 };

/* -- Counting ---------------------------------------------------------------------------------- */

static size_t bucket_of(const double *bounds, size_t count, double value)
{
    size_t at = 0;

    while (at < count && value > bounds[at])
        at++;
    return at;
}

void iswi_counts_delivered(iswi_message_counts *counts, iswi_delivery *const *items, size_t count)
{
    int64_t now_ms = iswi_wall_us() / 1000;

    for (size_t i = 0; i < count; i++) {
        int64_t waited_ms = now_ms > items[i]->due_ms ? now_ms - items[i]->due_ms : 0;

        atomic_fetch_add(&counts->waited_ms, (uint64_t)waited_ms);
        atomic_fetch_add(&counts->waits[bucket_of(wait_bounds, ISWI_WAIT_BUCKETS - 1,
                                                  (double)waited_ms / 1000)], 1);
    }
}

bool iswi_counts_is_completed(const iswi_settlement *settlement)
{
    return settlement->verdict == ISWI_VERDICT_COMPLETE && !settlement->lost && !settlement->died;
}

void iswi_counts_settled(iswi_message_counts *counts, const iswi_settlement *settlement)
{
    unsigned attempt = settlement->delivery->attempt;

    if (settlement->lost)
        atomic_fetch_add(&counts->lost, 1);
    else if (settlement->died)
        atomic_fetch_add(&counts->dead, 1);
    else if (iswi_counts_is_completed(settlement))
        atomic_fetch_add(&counts->completed, 1);
    else if (settlement->verdict == ISWI_VERDICT_ABANDON)
        atomic_fetch_add(&counts->abandoned, 1);
    else
        atomic_fetch_add(&counts->deferred, 1);
    if (!settlement->died && !iswi_counts_is_completed(settlement))
        return;
    atomic_fetch_add(&counts->attempts_sum, attempt);
    atomic_fetch_add(&counts->attempts[bucket_of(attempt_bounds, ISWI_ATTEMPT_BUCKETS - 1,
                                                 attempt)], 1);
}

/* -- Telling ----------------------------------------------------------------------------------- */

static const struct {
    const char *name, *help; /* the name behind the type of the trigger */
    size_t offset;           /* in iswi_message_counts */
    double scale;
} numbers[] = {
    { "completed_total", "Messages that a function was done with.",
      offsetof(iswi_message_counts, completed), 1 },
    { "abandoned_total", "Attempts that came to nothing, and are made again.",
      offsetof(iswi_message_counts, abandoned), 1 },
    { "deferred_total", "Messages that were given back with no attempt made.",
      offsetof(iswi_message_counts, deferred), 1 },
    { "given_up_total", "Messages that had all their attempts, or that a function gave up; "
                        "isoworker_host_queue_died_total has those that expired, too.",
      offsetof(iswi_message_counts, dead), 1 },
    { "lost_total", "Messages that were another's by the time that a function was done.",
      offsetof(iswi_message_counts, lost), 1 },
    { "delivery_lag_seconds_total", "From when messages were due until they were delivered.",
      offsetof(iswi_message_counts, waited_ms), 0.001 },
};

static const struct {
    const char *name, *help;
    const double *bounds;
    size_t buckets, counts, sum; /* the last two in iswi_message_counts */
    double scale;                /* of the sum */
} histograms[] = {
    { "time_in_queue_seconds", "From when messages were due until they were delivered.", wait_bounds,
      ISWI_WAIT_BUCKETS, offsetof(iswi_message_counts, waits),
      offsetof(iswi_message_counts, waited_ms), 0.001 },
    { "attempts", "Attempts that messages had when they were done with, or dead.", attempt_bounds,
      ISWI_ATTEMPT_BUCKETS, offsetof(iswi_message_counts, attempts),
      offsetof(iswi_message_counts, attempts_sum), 1 },
};

typedef const char *(*label_fn)(const iswi_consumer *consumer);

static const char *function_of(const iswi_consumer *consumer)
{
    return consumer->entry->name;
}

static const char *queue_of(const iswi_consumer *consumer)
{
    return consumer->queue;
}

/* Whether none before it has the same label. */
static bool is_first(iswi_consumer *first, const iswi_consumer *one, label_fn label)
{
    for (; first != one; first = first->next)
        if (strcmp(label(first), label(one)) == 0)
            return false;
    return true;
}

/* Of all with the label of `one`. */
static uint64_t sum_of(iswi_consumer *one, label_fn label, size_t offset)
{
    uint64_t sum = 0;

    for (const iswi_consumer *at = one; at; at = at->next)
        if (strcmp(label(at), label(one)) == 0)
            sum += atomic_load((const atomic_ullong *)(const void *)((const char *)&at->counts +
                                                                     offset));
    return sum;
}

static void tell_number(size_t which, const char *type, iswi_consumer *one, iswi_trigger_row_fn row,
                        void *user)
{
    char name[64];

    snprintf(name, sizeof name, "%s_%s", type, numbers[which].name);
    row(user, &(iswi_trigger_row){ .name = name, .help = numbers[which].help, .counts = true,
                                   .label = "function", .value = function_of(one),
                                   .number = (double)sum_of(one, function_of,
                                                            numbers[which].offset) *
                                             numbers[which].scale });
}

static void tell_histogram(size_t which, const char *type, iswi_consumer *one,
                           iswi_trigger_row_fn row, void *user)
{
    uint64_t counts[ISWI_WAIT_BUCKETS];
    const iswi_trigger_buckets buckets = { histograms[which].bounds, counts,
                                           histograms[which].buckets - 1 };
    char name[64];

    snprintf(name, sizeof name, "%s_%s", type, histograms[which].name);
    for (size_t i = 0; i < histograms[which].buckets; i++)
        counts[i] = sum_of(one, queue_of, histograms[which].counts + i * sizeof(atomic_ullong));
    row(user, &(iswi_trigger_row){ .name = name, .help = histograms[which].help, .counts = true,
                                   .label = "queue", .value = queue_of(one),
                                   .number = (double)sum_of(one, queue_of, histograms[which].sum) *
                                             histograms[which].scale,
                                   .buckets = &buckets });
}

void iswi_counts_rows(const char *type, iswi_consumer *first, iswi_trigger_row_fn row, void *user)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        for (iswi_consumer *at = first; at; at = at->next)
            if (is_first(first, at, function_of))
                tell_number(i, type, at, row, user);
    for (size_t i = 0; i < sizeof histograms / sizeof histograms[0]; i++)
        for (iswi_consumer *at = first; at; at = at->next)
            if (is_first(first, at, queue_of))
                tell_histogram(i, type, at, row, user);
}
