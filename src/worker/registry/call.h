/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_REGISTRY_CALL_H
#define ISWI_WORKER_REGISTRY_CALL_H

/* One invocation of a worker's function, in the calling thread: begin, run, and end even if it
 * could not begin. Whoever has the context calls iswi_context_after between the last two. */
#include "worker/registry/worker.h"

/* Begin an invocation of the worker's `entry`, by the generation in force. False: no memory. */
bool iswi_call_begin(isw_context *ctx, isw_worker *worker, const iswi_entry *entry,
                     const iswi_given *given);

/* Have it run by a chain of its own, without the middleware of these names. False: no memory. */
bool iswi_call_leave_out(isw_context *ctx, const isw_option_strings *names);

/* Run the chain and the handler, unless it is cancelled already; a failure that nobody has logged
 * is. Returns the status that the answer is to have. */
isw_status iswi_call_run(isw_context *ctx);

void iswi_call_end(isw_context *ctx);

#endif
