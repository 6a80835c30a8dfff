/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "host/engine/look.h"
#include "host/queue/internal.h"
#include "host/queue/queue.h"

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
    if (strncmp(name, ISWI_QUEUE_OWN_PREFIX, sizeof ISWI_QUEUE_OWN_PREFIX - 1) == 0)
        return isw_error_set(error, ISW_E_CONFIG,
                             "\"%s\": queues whose names begin with \"" ISWI_QUEUE_OWN_PREFIX
                             "\" have the requests of http outputs; give it another", name);
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

size_t iswi_queue_batch(const iswi_entry *entry)
{
    return (size_t)((const iswi_queue_properties *)entry->properties)->batch_size;
}

size_t iswi_queue_calls(const iswi_entry *entry)
{
    const iswi_queue_properties *properties = entry->properties;
    size_t most = iswi_function_capacity(entry->function);

    if (properties->concurrency && (size_t)properties->concurrency < most)
        most = (size_t)properties->concurrency;
    return most ? most : 1;
}
