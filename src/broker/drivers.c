/* SPDX-License-Identifier: Apache-2.0 */
/* The drivers that this build has. */
#include "broker/driver.h"
#include "broker/nats/nats.h"
#include "broker/postgresql/postgresql.h"
#include "broker/sqlite/sqlite.h"

const iswi_broker_driver *const iswi_broker_drivers[] = {
    &iswi_broker_sqlite,
    &iswi_broker_postgresql,
    &iswi_broker_nats,
    &iswi_broker_nats_tls,
    NULL,
};
