/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_ANSWER_H
#define ISWI_WORKER_CONTEXT_ANSWER_H

/* Whether an answer can travel to the host. */
#include "worker/context/context.h"

/* Whether a value can: its depth, counts and texts. `what` and `name` are what messages call it.
 * Errors, recorded: ISW_E_INVALID. */
isw_status iswi_answer_check_value(isw_context *ctx, const char *what, const char *name,
                                   const isw_value *value);

/* Whether there is room for the headers of the answer (ISW_HEAD_MAX_BYTES of stream.h); of what is
 * too large the result and the headers that the handler set are dropped. Errors, recorded:
 * ISW_E_TOO_LARGE. */
isw_status iswi_answer_check_head(isw_context *ctx);

/* Whether result and outputs fit into one message, and its headers into the room there is; what
 * does not is dropped. Errors, recorded:
 * ISW_E_TOO_LARGE. */
isw_status iswi_answer_check(isw_context *ctx);

/* The chain returned: the same, and then there is no result. Values were looked at where they were
 * given. */
isw_status iswi_answer_settle(isw_context *ctx);

#endif
