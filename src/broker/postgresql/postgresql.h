/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BROKER_POSTGRESQL_POSTGRESQL_H
#define ISWI_BROKER_POSTGRESQL_POSTGRESQL_H

/* "postgresql://USER@HOST/DATABASE": a schema of a database, which several hosts share. */
#include "broker/driver.h"

extern const iswi_broker_driver iswi_broker_postgresql;

#endif
