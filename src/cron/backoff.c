/* SPDX-License-Identifier: Apache-2.0 */
#include "cron/backoff.h"

#include "base/clock.h"

/* A number from 0 to `end`, not included. */
static int64_t any_below(int64_t end)
{
    uint64_t random = 0;

    iswi_random(&random, sizeof random);
    return end > 0 ? (int64_t)(random % (uint64_t)end) : 0;
}

int64_t iswi_backoff_ms(int64_t first_ms, int64_t most_ms, unsigned attempt)
{
    int64_t delay_ms = first_ms;

    for (unsigned i = 1; i < attempt && delay_ms < most_ms; i++)
        delay_ms *= 2;
    if (delay_ms > most_ms)
        delay_ms = most_ms;
    return delay_ms - any_below(delay_ms / 2 + 1);
}
