/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "host/engine/look.h"
#include "host/queue/internal.h"
#include "host/queue/queue.h"

#include <stdio.h>

void iswi_queue_options_of(const iswi_host *host, const char *queue, iswi_queue_options *out)
{
    const iswi_queues_settings *all = &iswi_host_settings_of(host)->queues;
    const iswi_named_queue_settings *rows = all->named.items;
    iswi_queue_bounds bounds = all->bounds;

    for (size_t i = 0; i < all->named.count; i++)
        if (iswi_glob_match(rows[i].name, queue))
            bounds = rows[i].bounds;
    *out = (iswi_queue_options){ .max_messages = bounds.max_messages,
                                 .max_bytes = bounds.max_bytes,
                                 .max_attempts = (unsigned)bounds.max_attempts,
                                 .window_ms = bounds.window_ms,
                                 .keep_dead_ms = bounds.keep_dead_ms,
                                 .lease_ms = bounds.lease_ms };
}

isw_status iswi_queue_name_check(const char *name, isw_error *error)
{
    static const struct {
        const char *prefix, *has;
    } own[] = { { ISWI_QUEUE_OF_REQUESTS, "the requests of http outputs" },
                { ISWI_QUEUE_OF_FILES, "the files that come to functions" } };

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strncmp(name, own[i].prefix, strlen(own[i].prefix)) == 0)
            return isw_error_set(error, ISW_E_CONFIG,
                                 "\"%s\": queues whose names begin with \"%s\" have %s; give it "
                                 "another", name, own[i].prefix, own[i].has);
    if (iswi_queue_is_name(isw_str_of(name)))
        return ISW_OK;
    return isw_error_set(error, ISW_E_CONFIG,
                         "\"%s\" cannot be the name of a queue: that is a letter, then letters, "
                         "digits, '_', '-' and '.', up to %d bytes", name, ISWI_QUEUE_NAME_MAX);
}

const char *iswi_queue_of(const iswi_entry *entry)
{
    const iswi_queue_properties *properties = entry->properties;

    return properties->queue ? properties->queue : entry->name;
}

static void name_queue(const iswi_entry *entry, char name[ISWI_QUEUE_NAME_MAX + 1])
{
    snprintf(name, ISWI_QUEUE_NAME_MAX + 1, "%s", iswi_queue_of(entry));
}

const iswi_feed_kind iswi_queue_kind = { .type = "queue", .queue = name_queue };

size_t iswi_queue_batch(const iswi_entry *entry)
{
    return (size_t)((const iswi_feed_properties *)entry->properties)->batch_size;
}

size_t iswi_queue_calls(const iswi_entry *entry)
{
    const iswi_feed_properties *properties = entry->properties;
    size_t most = iswi_function_capacity(entry->function);

    if (properties->concurrency && (size_t)properties->concurrency < most)
        most = (size_t)properties->concurrency;
    return most ? most : 1;
}
