/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_FAILURE_H
#define ISWI_WORKER_CONTEXT_FAILURE_H

/* Failures as the library itself makes and sends them. */
#include "worker/context/context.h"

enum { ISWI_CAUSES_MAX = 16 }; /* of one failure; what is below is left out */

/* isw_fail of the library: not the user's, and without a place. */
isw_status iswi_fail(isw_context *ctx, isw_status status, const char *format, ...)
    ISW_PRINTF(3, 4);

/* The library was used wrongly, which is the function's fault and never the caller's: return
 * `status`, and record a failure with ISW_E_FAILED (500) whose place is the function. */
isw_status iswi_misuse(isw_context *ctx, isw_status status, const char *format, ...)
    ISW_PRINTF(3, 4);

/* What a call must be given: ISW_OK, or for NULL the misuse of `call`, ISW_E_INVALID, whose
 * sentence says `what` it misses. */
isw_status iswi_needs(isw_context *ctx, const char *call, const char *what, const void *given);

/* ISW_E_CONFLICT, recorded, once the answer was sent; may_answer also once it has begun. */
isw_status iswi_context_may_add(isw_context *ctx);
isw_status iswi_context_may_answer(isw_context *ctx);

/* ISW_E_NOT_FOUND, recorded, unless the function declares the output. */
isw_status iswi_context_has_output(isw_context *ctx, const char *name);

/* Have a failure of a function that was cancelled bear the status of the reason: ISW_E_TIMEOUT for
 * a deadline, ISW_E_UNAVAILABLE where the host stops. So the answer is the same whether host or
 * function noticed first. */
void iswi_failure_follow_reason(isw_context *ctx);

/* Its chain returned `status`: log the failure, which it has, unless somebody did. */
void iswi_context_report(isw_context *ctx, isw_status status);

/* The context's failure, which it has, for a response; in its arena. */
void iswi_failure_to_wire(isw_context *ctx, iswi_wire_status *out);

#endif
