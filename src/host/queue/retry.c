/* SPDX-License-Identifier: Apache-2.0 */
/* When a message is tried again. */
#include "base/clock.h"
#include "host/queue/internal.h"

/* A number from 0 to `end`, not included. */
static int64_t any_below(int64_t end)
{
    uint64_t random = 0;

    iswi_random(&random, sizeof random);
    return end > 0 ? (int64_t)(random % (uint64_t)end) : 0;
}

/* Exponential ones differ by up to a half, so that what failed together does not come back
 * together. */
int64_t iswi_queue_retry_ms(const iswi_queue_properties *properties, unsigned attempt)
{
    int64_t most_ms = properties->retry_delay_max_ms;
    int64_t delay_ms = properties->retry_delay_ms;

    if (properties->backoff == ISWI_BACKOFF_FIXED)
        return delay_ms;
    for (unsigned i = 1; i < attempt && delay_ms < most_ms; i++)
        delay_ms *= 2;
    if (delay_ms > most_ms)
        delay_ms = most_ms;
    return delay_ms - any_below(delay_ms / 2 + 1);
}
