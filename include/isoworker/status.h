/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_STATUS_H
#define ISOWORKER_STATUS_H

/*
 * A status says how a call ended; 0 is success. The detail travels with it: on the context of an
 * invocation (isw_fail in context.h), or in an isw_error that the caller owns. There is no
 * thread-local last error. Bad input and bad configuration are statuses; misuse of the interface
 * (a NULL where none is allowed) is an assert.
 */
#include <isoworker/export.h>
#include <stdbool.h>

ISW_BEGIN_DECLS

/* X(name, number, HTTP status that it stands for, text). Numbers and names are part of the wire
 * protocol (PROTOCOL.md, "Statuses") and never change. HTTP statuses are those of RFC 9110;
 * 499 is the common one for a caller that went away. */
#define ISW_STATUS_TABLE(X)                                                       \
    X(OK, 0, 200, "ok")                                                           \
    X(E_FAILED, 1, 500, "the function failed")                                    \
    X(E_INVALID, 2, 400, "invalid input")                                         \
    X(E_UNAUTHENTICATED, 3, 401, "not authenticated")                             \
    X(E_FORBIDDEN, 4, 403, "not allowed")                                         \
    X(E_NOT_FOUND, 5, 404, "not found")                                           \
    X(E_CONFLICT, 6, 409, "conflict")                                             \
    X(E_TOO_LARGE, 7, 413, "too large")                                           \
    X(E_BUSY, 8, 429, "too busy")                                                 \
    X(E_CANCELLED, 9, 499, "cancelled")                                           \
    X(E_INTERNAL, 10, 500, "internal error")                                      \
    X(E_UNSUPPORTED, 11, 501, "not supported")                                    \
    X(E_WORKER_LOST, 12, 502, "the worker ended before it answered")              \
    X(E_UNAVAILABLE, 13, 503, "not available")                                    \
    X(E_TIMEOUT, 14, 504, "deadline exceeded")                                    \
    X(E_NO_MEMORY, 15, 503, "out of memory")                                      \
    X(E_CONFIG, 16, 500, "invalid configuration")                                 \
    X(E_PROTOCOL, 17, 502, "protocol violation")                                  \
    X(E_CLOSED, 18, 503, "closed")                                                \
    X(E_IO, 19, 500, "input or output error")

typedef enum isw_status {
#define ISW_STATUS_ENUM(name, number, http, text) ISW_##name = number,
    ISW_STATUS_TABLE(ISW_STATUS_ENUM)
#undef ISW_STATUS_ENUM
} isw_status;

/* "ISW_E_INVALID" and the like; "ISW_E_?" for a number that is not in the table. Static text. */
ISW_API const char *isw_status_name(isw_status status);

/* One short English phrase without a full stop. Static text. */
ISW_API const char *isw_status_text(isw_status status);

/* The HTTP status that `status` stands for: 200 for ISW_OK, 500 for an unknown number. */
ISW_API int isw_status_http(isw_status status);

/* Whether a failure of that status may pass when it is tried again: ISW_E_BUSY, UNAVAILABLE,
 * TIMEOUT, WORKER_LOST, NO_MEMORY and CLOSED. Any thread. */
ISW_API bool isw_status_retriable(isw_status status);

enum { ISW_ERROR_MESSAGE_BYTES = 1024 };

/* A failure with its sentence: what is wrong, where, and what to do. Zero it before first use. */
typedef struct isw_error {
    isw_status status;
    char message[ISW_ERROR_MESSAGE_BYTES]; /* NUL-terminated; cut at the end if longer */
} isw_error;

/* Fill `error` (may be NULL) unless it already holds a failure: the lowest error is the cause, and
 * nothing above overwrites it. Returns `status`, so that `return isw_error_set(...)` reads well.
 * Any thread that owns `error`. */
ISW_API isw_status isw_error_set(isw_error *error, isw_status status, const char *format, ...)
    ISW_PRINTF(3, 4);

ISW_END_DECLS

#endif
