/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_PROGRAM_DEBUGGED_H
#define ISWI_WORKER_PROGRAM_DEBUGGED_H

/* What `isoworker run --debug FUNCTION` needs of the worker. */
#include "worker/registry/worker.h"

/* Take over what the host says: whether it debugs at all, and if it has named a function, show its
 * handler to the debugger. */
void iswi_debugged_announce(isw_worker *worker);

#endif
