/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_DEBUGGED_H
#define ISWI_WORKER_DEBUGGED_H

/* What `isoworker run --debug FUNCTION` needs of the worker. */
#include "worker/worker.h"

/* If a host has named a function to debug, show its handler to the debugger. */
void iswi_debugged_announce(const isw_worker *worker);

#endif
