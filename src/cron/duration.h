/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CRON_DURATION_H
#define ISWI_CRON_DURATION_H

/* The duration of `@every`. Pure; any thread. */
#include <isoworker/status.h>
#include <isoworker/value.h>
#include <stdint.h>

/* "90s", "1h30m", "2d": whole numbers with a unit, the larger one first, together from 1 second to
 * 366 days. `column` is that of its first character. ISW_E_CONFIG. */
isw_status iswi_cron_duration_read(isw_str text, size_t column, int64_t *seconds, isw_error *error);

#endif
