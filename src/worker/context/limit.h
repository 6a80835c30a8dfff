/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_LIMIT_H
#define ISWI_WORKER_CONTEXT_LIMIT_H

/* Cancelling and limits, as they know each other: limit.c stands on cancel.c. */
#include "worker/context/context.h"

/* -- cancel.c ---------------------------------------------------------------------------------- */

/* Leave a call for when ctx is cancelled, or make it at once if it is; *left is which. False: no
 * memory. */
bool iswi_cancel_leave(isw_context *ctx, isw_cancel_fn call, void *user, bool *left);

/* Make the calls that were left after `before`. Any thread. */
void iswi_cancel_call_down_to(isw_context *ctx, const void *before);

/* Let go of what cancelling would touch. */
void iswi_cancel_end(isw_context *ctx);

/* -- limit.c ----------------------------------------------------------------------------------- */

/* Once no invocation runs any more. NULL is allowed. */
void iswi_watch_destroy(iswi_watch *watch);

#endif
