/* SPDX-License-Identifier: Apache-2.0 */
/* Several messages for one call: those that are there, and those that come within batch_wait. Who has
 * made a batch fail nobody knows, so that each of it is tried again alone: the others are done then. */
#include "host/queue/internal.h"

#include <string.h>

#define MS INT64_C(1000000)

bool iswi_batch_add(iswi_consumer *consumer, size_t count, int64_t now_ns)
{
    const iswi_feed_properties *properties = consumer->properties;

    consumer->batched += count;
    if (!consumer->batch_end_ns && consumer->batched)
        consumer->batch_end_ns = now_ns + properties->batch_wait_ms * MS;
    return consumer->batched == (size_t)properties->batch_size ||
           (consumer->batched && now_ns >= consumer->batch_end_ns);
}

static bool is_alone(const iswi_delivery *message)
{
    const size_t size = sizeof ISWI_BATCH_FAILED - 1;

    return message->last_error.size > size &&
           memcmp(message->last_error.data, ISWI_BATCH_FAILED, size) == 0;
}

size_t iswi_batch_next(const iswi_consumer *consumer)
{
    size_t count = 0;

    if (consumer->batched && is_alone(consumer->claimed[0]))
        return 1;
    while (count < consumer->batched && !is_alone(consumer->claimed[count]))
        count++;
    return count;
}
