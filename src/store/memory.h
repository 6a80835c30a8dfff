/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_STORE_MEMORY_H
#define ISWI_STORE_MEMORY_H

/* Stores in memory: in a file of the host's making that all processes of a worker have, or in this
 * process's own. */
#include "store/directory.h"
#include "store/driver.h"

/* The driver; its place is an iswi_memory. */
extern const iswi_store_driver iswi_store_memory;

#endif
