/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_FAILURE_H
#define ISOWORKER_FAILURE_H

/*
 * isw_failure: why an invocation failed, from the handler or middleware that said so to the host's
 * log and the caller's answer. It keeps its type, its place, and what brought it about. A context
 * has one at most; the first stays until a middleware recovers from it or wraps it in another.
 * Same thread and lifetime as the context.
 */
#include <isoworker/export.h>
#include <isoworker/function.h>
#include <isoworker/status.h>
#include <stdbool.h>
#include <stdint.h>

ISW_BEGIN_DECLS

typedef struct isw_failure {
    isw_status status;
    const char *message; /* a sentence for operators */
    const char *type;    /* the error's type in the words of the code that met it, such as
                            "sqlite.BUSY"; "" when there is none */
    const char *place;   /* "orders.c:41"; "" when it is not known */
    bool user;           /* the handler or a middleware said so, not the library */
    bool retriable;      /* the same invocation may succeed when it is tried again */
    const struct isw_failure *cause; /* what brought it about; NULL at the end */
} isw_failure;

#define ISW_LINE_TEXT_(line) #line
#define ISW_LINE_TEXT(line) ISW_LINE_TEXT_(line)
#define ISW_PLACE __FILE__ ":" ISW_LINE_TEXT(__LINE__)

/* Record that the invocation failed, with a sentence for the log, and return `status`:
 * `return isw_fail(ctx, ISW_E_NOT_FOUND, "no order %s", id);`. The place is that of the call. If
 * it has failed already, the earlier failure stays, unless that is but a wrong call of this
 * library, which then becomes the cause. Callers see the sentence only if error_handling exposes
 * details. ISW_OK is no failure: that is a wrong call, here and below, for which ISW_E_FAILED is
 * recorded and returned. */
#define isw_fail(ctx, status, ...) isw_fail_at((ctx), (status), ISW_PLACE, __VA_ARGS__)
ISW_API isw_status isw_fail_at(isw_context *ctx, isw_status status, const char *place,
                               const char *format, ...) ISW_PRINTF(4, 5);

/* The same for code that knows better what it failed with: another status or sentence, and the
 * failure so far becomes its cause. Without one it is isw_fail. */
#define isw_fail_because(ctx, status, ...)                                    \
    isw_fail_because_at((ctx), (status), ISW_PLACE, __VA_ARGS__)
ISW_API isw_status isw_fail_because_at(isw_context *ctx, isw_status status, const char *place,
                                       const char *format, ...) ISW_PRINTF(4, 5);

/* The same with every member said, its causes included; NULL texts mean "". All are copied.
 * Returns its status. If the invocation has failed already, the earlier failure stays. */
ISW_API isw_status isw_fail_as(isw_context *ctx, const isw_failure *failure);

/* The failure so far, or NULL. A status that a handler or middleware returned without isw_fail is
 * recorded here too. Borrowed until the invocation ends. */
ISW_API const isw_failure *isw_context_failure(const isw_context *ctx);

/* Forget the failure on purpose, for a middleware that has dealt with it (a fallback, a retry).
 * Without this call an invocation that failed is reported as failed, whatever is returned. */
ISW_API void isw_context_recover(isw_context *ctx);

/* -- Outcome ----------------------------------------------------------------------------------- */

typedef enum isw_outcome {
    ISW_OUTCOME_FAILED = 0,
    ISW_OUTCOME_SUCCESS = 1,
    ISW_OUTCOME_CANCELLED = 2,
    ISW_OUTCOME_RETRY_LATER = 3 /* a host that has a queue gives it back; HTTP callers get
                                    503, or 429 for a failure with ISW_E_BUSY */
} isw_outcome;

/* Decide what is reported to the host, whatever the chain returns; the last call wins. Seldom
 * needed: the status and the failure say it otherwise. `retry_after_ms` counts only with
 * ISW_OUTCOME_RETRY_LATER. */
ISW_API void isw_context_set_outcome(isw_context *ctx, isw_outcome outcome,
                                     uint32_t retry_after_ms);

/* What was given with ISW_OUTCOME_RETRY_LATER. */
ISW_API uint32_t isw_context_retry_after_ms(const isw_context *ctx);

/* What would be reported if the chain returned `status` now. */
ISW_API isw_outcome isw_context_outcome(const isw_context *ctx, isw_status status);

ISW_END_DECLS

#endif
