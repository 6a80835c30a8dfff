/* SPDX-License-Identifier: Apache-2.0 */
/* What sends requests, as the host has it: it begins, is held and ends with the triggers. */
#include "host/webhooks/internal.h"

#include <stddef.h>

static isw_status start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    iswi_sender *sender;

    if (iswi_sender_create(with, &sender, error) != ISW_OK)
        return error->status;
    *self = sender;
    return ISW_OK;
}

static void hold(void *self, bool on)
{
    iswi_sender_hold(self, on);
}

static void quiesce(void *self)
{
    iswi_sender_hold(self, true);
}

static size_t admitted(void *self)
{
    iswi_sender *sender = self;
    size_t count = 0;

    pthread_mutex_lock(&sender->lock);
    for (iswi_endpoint *at = atomic_load(&sender->endpoints); at; at = at->next)
        count += at->in_flight;
    pthread_mutex_unlock(&sender->lock);
    return count;
}

bool iswi_webhooks_has_outputs(void *self)
{
    return atomic_load(&((iswi_sender *)self)->endpoints) != NULL;
}

static void stop(void *self)
{
    iswi_sender_destroy(self);
}

/* -- What it tells ----------------------------------------------------------------------------- */

typedef struct told_row {
    const char *name, *help;
    size_t offset; /* in iswi_post_counts */
    double scale;
} told_row;

static const told_row told_rows[] = {
    { "webhook_delivered_total", "Requests that their receiver took.",
      offsetof(iswi_post_counts, delivered), 1 },
    { "webhook_failed_total", "Attempts that came to nothing.", offsetof(iswi_post_counts, failed), 1 },
    { "webhook_dead_total", "Requests that had all their attempts, or were refused for good.",
      offsetof(iswi_post_counts, dead), 1 },
    { "webhook_seconds_total", "Time that attempts took.", offsetof(iswi_post_counts, took_us),
      0.000001 },
};

static void add_row(iswi_trigger_row_fn row, void *user, const iswi_endpoint *endpoint,
                    const told_row *what, double number)
{
    row(user, &(iswi_trigger_row){ .name = what->name,
                                   .help = what->help,
                                   .counts = what->scale > 0,
                                   .label = "output",
                                   .value = endpoint->name,
                                   .number = number });
}

static void rows(void *self, iswi_trigger_row_fn row, void *user)
{
    static const told_row in_flight = { "webhook_in_flight", "Requests that are on their way.", 0, 0 };
    iswi_sender *sender = self;
    iswi_endpoint *first = atomic_load(&sender->endpoints);

    for (size_t i = 0; i < sizeof told_rows / sizeof told_rows[0]; i++)
        for (iswi_endpoint *at = first; at; at = at->next) {
            const char *counts = (const char *)&at->counts;
            const atomic_ullong *number = (const void *)(counts + told_rows[i].offset);

            add_row(row, user, at, &told_rows[i],
                    (double)atomic_load(number) * told_rows[i].scale);
        }
    for (iswi_endpoint *at = first; at; at = at->next) {
        unsigned count;

        pthread_mutex_lock(&sender->lock);
        count = at->in_flight;
        pthread_mutex_unlock(&sender->lock);
        add_row(row, user, at, &in_flight, count);
    }
}

static void attend(void *self, iswi_trigger_attend_fn add, void *user)
{
    iswi_sender *sender = self;
    char sentence[2 * ISW_ERROR_MESSAGE_BYTES];

    for (iswi_endpoint *at = atomic_load(&sender->endpoints); at; at = at->next) {
        iswi_endpoint_describe(at, sentence, sizeof sentence);
        if (*sentence)
            add(user, sentence);
    }
}

const iswi_trigger iswi_webhooks_trigger = {
    .type = "webhooks",
    .title = "webhooks",
    .capabilities = ISWI_TRIGGER_NONE,
    .settings = &iswi_webhooks_group,
    .start = start,
    .arrange = iswi_passive_arrange,
    .publish = iswi_passive_publish,
    .hold = hold,
    .quiesce = quiesce,
    .admitted = admitted,
    .stop = stop,
    .rows = rows,
    .attend = attend,
};
