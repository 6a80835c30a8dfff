/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_ANSWER_H
#define ISWI_WORKER_CONTEXT_ANSWER_H

/* Whether an answer can travel to the host; what other rooms need of it is in context.h. */
#include "worker/context/context.h"

/* Whether a value can: its depth, counts and texts. `what` and `name` are what messages call it.
 * Errors, recorded: ISW_E_INVALID. */
isw_status iswi_answer_check_value(isw_context *ctx, const char *what, const char *name,
                                   const isw_value *value);

/* As iswi_answer_settle, but for a result that cannot stay it is the caller's to say so. */
isw_status iswi_answer_check(isw_context *ctx);

#endif
