/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_LIMIT_H
#define ISWI_WORKER_CONTEXT_LIMIT_H

/* Limits, as cancel.c and the worker know them. */
#include "worker/context/context.h"

/* See to it that what was left for cancelling is called when the innermost limit of ctx passes, if
 * it has one. On the invocation's thread. False: no memory, or no thread. */
bool iswi_limit_watch(isw_context *ctx);

/* Once no invocation runs any more. NULL is allowed. */
void iswi_watch_destroy(iswi_watch *watch);

/* cancel.c: change the deadline, 0 for none. Returns what was left for cancelling so far. */
void *iswi_cancel_set_deadline(isw_context *ctx, int64_t deadline_ns);

/* cancel.c: make the calls that were left after `before`. Any thread. */
void iswi_cancel_call_down_to(isw_context *ctx, const void *before);

#endif
