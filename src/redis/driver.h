/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_REDIS_DRIVER_H
#define ISWI_REDIS_DRIVER_H

/* What the shared object has, and its driver. */
#include "store/driver.h"

#include <isoworker/export.h>

extern const iswi_store_driver iswi_redis_driver;
ISW_API extern const iswi_store_keeper iswi_store_keeper_redis;

#endif
