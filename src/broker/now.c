/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of a broker: the wall clock, but it never goes back, so that what is to wait a second
 * waits no hour since somebody set the clock back by one. */
#include "base/clock.h"
#include "broker/internal.h"

/* The wall clock is read first: a pause between the two makes this one no faster. */
int64_t iswi_broker_now_us(iswi_broker *broker)
{
    const int64_t wall_us = iswi_wall_us();
    const int64_t steady_us = iswi_now_ns() / 1000;

    if (wall_us - steady_us > broker->apart_us)
        broker->apart_us = wall_us - steady_us;
    return steady_us + broker->apart_us;
}
