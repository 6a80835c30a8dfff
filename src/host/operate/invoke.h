/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_INVOKE_H
#define ISWI_HOST_OPERATE_INVOKE_H

/* A function that an operator calls by its name, whatever triggers it otherwise: with an event that
 * he made up (engine/trigger.h) or, where its trigger runs it alone, by that one's command. */
#include "base/buffer.h"
#include "host/engine/trigger.h"

typedef struct iswi_invoking iswi_invoking;

/* Begin; what `event` points to is copied. While the host starts its function may still become
 * known. The call is cancelled after wait_ms. Errors: ISW_E_NO_MEMORY. Any thread. */
isw_status iswi_invoking_begin(iswi_host *host, const char *function, const iswi_made_up *event,
                               int64_t wait_ms, iswi_invoking **out, isw_error *error);

/* Go on with it. ISW_E_BUSY: it is not over; else a line of JSON was appended that says how it went
 * (report.h; of a command what its trigger says), with ISW_OK if it was a success and ISW_E_FAILED
 * if not. Errors, where nothing was appended: ISW_E_NOT_FOUND, with the nearest name; ISW_E_INVALID
 * and ISW_E_UNSUPPORTED for the event, ISW_E_UNAVAILABLE, others of a command. One thread at a
 * time, and no more once it is over. */
isw_status iswi_invoking_tell(iswi_invoking *invoking, iswi_buffer *out, isw_error *error);

/* Nobody waits for it any more: what runs is cancelled. NULL is allowed. */
void iswi_invoking_leave(iswi_invoking *invoking);

#endif
