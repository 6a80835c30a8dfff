/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_CANCEL_H
#define ISOWORKER_CANCEL_H

/*
 * Time and cancellation of an invocation. Cancelling is a request: the handler should return soon,
 * best with ISW_E_CANCELLED, and may finish what it does. It learns of it as suits it: by asking,
 * by a call, or by a descriptor. Such a failure bears the status of the reason, whoever noticed
 * first: ISW_E_TIMEOUT for a deadline (HTTP callers see 504), ISW_E_UNAVAILABLE for a shutdown
 * (503), ISW_E_CANCELLED for a caller that left (499); and so does one of 500 or more, with what
 * broke off as its cause. A host that stops lets functions run for its shutdown_grace, then cancels
 * them, and takes their answers for its cancel_grace. isw_context_cancelled,
 * isw_context_cancel_reason and isw_context_remaining_ms may be called from any thread while the
 * invocation runs, the others on its own.
 */
#include <isoworker/export.h>
#include <isoworker/function.h>
#include <isoworker/status.h>
#include <stdbool.h>
#include <stdint.h>

ISW_BEGIN_DECLS

/* Microseconds of a clock that never goes back and has no date, for what middleware and handlers
 * measure between invocations; an isw_test (testing.h) lets it stand still. Any thread. */
ISW_API int64_t isw_now_us(void);

/* Milliseconds until the deadline, 0 when it has passed, INT64_MAX when there is none. */
ISW_API int64_t isw_context_remaining_ms(const isw_context *ctx);

/* Microseconds since the invocation arrived in this process. */
ISW_API int64_t isw_context_elapsed_us(const isw_context *ctx);

/* Whether the host asked to stop, or the deadline has passed. */
ISW_API bool isw_context_cancelled(const isw_context *ctx);

typedef enum isw_cancel_reason {
    ISW_CANCEL_NONE = 0,     /* it is not cancelled */
    ISW_CANCEL_DEADLINE = 1, /* its time is over */
    ISW_CANCEL_CALLER = 2,   /* nobody waits for the answer any more */
    ISW_CANCEL_SHUTDOWN = 3, /* the host or the connection to it ends */
    ISW_CANCEL_OTHER = 4     /* the host did not say why */
} isw_cancel_reason;

/* Why. The first reason stays. */
ISW_API isw_cancel_reason isw_context_cancel_reason(const isw_context *ctx);

/* Sleep for `ms`, or less if the invocation is cancelled meanwhile. Blocks. Returns ISW_OK after
 * the full time, ISW_E_CANCELLED when cancelled. */
ISW_API isw_status isw_context_sleep(isw_context *ctx, uint32_t ms);

/* A limit on the time of a part of an invocation, for a middleware on what it runs inside. The
 * members are the library's. */
typedef struct isw_time_limit {
    isw_context *ctx;
    struct isw_time_limit *outer, *next;
    int64_t until_ns, before_ns;
    void *calls_before;
    bool watched;
} isw_time_limit;

/* From now on the deadline is `ms` from now, unless it is sooner already: for all calls of this
 * header, and what isw_context_on_cancel leaves from now on is called when it passes. `limit` is
 * the caller's and stays where it is until isw_context_limit_end; limits end in reverse order. */
ISW_API void isw_context_limit_begin(isw_context *ctx, uint32_t ms, isw_time_limit *limit);

/* The deadline is again what it was. Returns whether the limit, and not that deadline, has passed.
 * Waits for what is being called because of it. */
ISW_API bool isw_context_limit_end(isw_context *ctx, isw_time_limit *limit);

typedef void (*isw_cancel_fn)(void *user);

/* Have `call` called once when the host cancels the invocation or the innermost limit passes;
 * before this returns if the host has. It runs on another thread, under a lock: it sets a flag,
 * writes to a descriptor or interrupts a library's call (sqlite3_interrupt), and calls nothing of
 * isoworker. It is not called once the invocation has ended. A deadline that passes is cancelled by
 * the host, a moment later. Errors: ISW_E_NO_MEMORY. */
ISW_API isw_status isw_context_on_cancel(isw_context *ctx, isw_cancel_fn call, void *user);

/* A descriptor for poll, select or epoll that is readable once the invocation is cancelled or its
 * deadline has passed. The context's own: not to be read or closed, gone with the invocation. -1
 * when the system has no descriptor left; that is recorded as the context's failure. */
ISW_API int isw_context_cancel_fd(isw_context *ctx);

ISW_END_DECLS

#endif
