/* SPDX-License-Identifier: Apache-2.0 */
/* The drivers that this build has. */
#include "broker/driver.h"
#include "broker/postgresql/postgresql.h"
#include "broker/sqlite/sqlite.h"

const iswi_broker_driver *const iswi_broker_drivers[] = {
    &iswi_broker_sqlite,
    &iswi_broker_postgresql,
    NULL,
};
