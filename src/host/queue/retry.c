/* SPDX-License-Identifier: Apache-2.0 */
/* When a message is tried again. */
#include "cron/backoff.h"
#include "host/queue/internal.h"

int64_t iswi_queue_retry_ms(const iswi_feed_properties *properties, unsigned attempt)
{
    return properties->backoff == ISWI_BACKOFF_FIXED
               ? properties->retry_delay_ms
               : iswi_backoff_ms(properties->retry_delay_ms, properties->retry_delay_max_ms,
                                 attempt);
}
