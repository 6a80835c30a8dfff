/* SPDX-License-Identifier: Apache-2.0 */
/* Several messages for one call: those that are there, and those that come within batch_wait. */
#include "host/queue/internal.h"

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
