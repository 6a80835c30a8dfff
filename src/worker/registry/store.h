/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_REGISTRY_STORE_H
#define ISWI_WORKER_REGISTRY_STORE_H

/* Where the stores of a worker's middleware are: in the memory that the host has handed down, or in
 * this process's own. */
#include "pipeline/store.h"

/* Begin, unless that was done. Takes ISOWORKER_STORE_FD. Errors: ISW_E_NO_MEMORY. */
isw_status iswi_stores_begin(iswi_store_place *stores, isw_error *error);

/* When no instance has a store any more. */
void iswi_stores_end(iswi_store_place *stores);

#endif
