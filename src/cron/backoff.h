/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CRON_BACKOFF_H
#define ISWI_CRON_BACKOFF_H

/* When what failed is tried again. Any thread. */
#include <stdint.h>

/* Behind the `attempt`th attempt, from 1 on: `first_ms`, doubled with each one before it, up to
 * `most_ms`; less by up to a half at random, so that what failed together does not come back
 * together. */
int64_t iswi_backoff_ms(int64_t first_ms, int64_t most_ms, unsigned attempt);

#endif
