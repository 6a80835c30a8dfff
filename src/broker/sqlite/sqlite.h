/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BROKER_SQLITE_SQLITE_H
#define ISWI_BROKER_SQLITE_SQLITE_H

/* "sqlite:PATH": a file of one host's. */
#include "broker/driver.h"

extern const iswi_broker_driver iswi_broker_sqlite;

#endif
