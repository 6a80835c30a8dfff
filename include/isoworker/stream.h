/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_STREAM_H
#define ISOWORKER_STREAM_H

/*
 * Bodies that travel in pieces while a function runs, and outputs that leave before it ends. Large
 * uploads and downloads then take constant memory in worker and host, and events reach a caller as
 * they happen. Whoever is slower sets the pace: reading waits for the caller, writing for the
 * caller to take what was written.
 *
 * Everything here works for every HTTP function, also under a host that does not stream, in
 * isw_worker_invoke and in isw_test (testing.h): then the request's body is there as a whole, and
 * what is written gathers in memory and leaves at the end. Calls are made from the invocation's own
 * thread, which they may block; a function that waits holds up no other, but one of the worker's
 * threads (its `concurrency`).
 */
#include <isoworker/context.h>
#include <isoworker/export.h>
#include <isoworker/http.h>
#include <isoworker/status.h>
#include <isoworker/value.h>

ISW_BEGIN_DECLS

/* -- The request's body, as it arrives --------------------------------------------------------- */

/* Read the next bytes of the request's body, at least one and at most `size` (not 0), into
 * `buffer`; *got says how many, and 0 that the body is over. A function whose `streams` is set
 * begins before its body is there, and isw_http_body is empty; for the others this reads from that.
 * What is not read is dropped with the answer.
 * Blocks until there is a byte. Errors, recorded on ctx: ISW_E_CANCELLED when the invocation is
 * cancelled, ISW_E_TIMEOUT when its deadline passes; ISW_E_IO when the body broke off or the host
 * is gone, ISW_E_TOO_LARGE when the host would not take more of it; ISW_E_CONFLICT after the
 * answer, and in a handler that runs again (a retry) after the body was read in pieces;
 * ISW_E_INVALID for no room. */
ISW_API isw_status isw_http_read(isw_context *ctx, void *buffer, size_t size, size_t *got);

/* -- The response's body, as it is made -------------------------------------------------------- */

/* Of the headers of an answer, whether it begins here or is given whole: their names and values,
 * and 4 bytes for each. */
enum { ISW_HEAD_MAX_BYTES = 32768 };

/* Begin the response: `status` and headers, among them `content_type` (NULL for none), leave at
 * once, and the body follows by isw_http_write. From now on the answer cannot be replaced:
 * isw_http_reply and its like, isw_http_set_header and isw_context_set_result are an
 * ISW_E_CONFLICT. An invocation that succeeds ends the body; one that fails breaks it off, so that
 * the caller sees that it is not whole.
 * A host may keep the response back until the request's body is over, and ours does: a function
 * that reads its body as it arrives reads all of it before it writes more than 256 KiB.
 * Errors as isw_http_reply, ISW_E_TOO_LARGE for headers of more than ISW_HEAD_MAX_BYTES together,
 * which could not be sent, ISW_E_INVALID for a status that has no body (204, 205, 304, and those
 * below 200) and where the trigger is not HTTP, ISW_E_CONFLICT when a response has begun, ISW_E_IO
 * when the host is gone. Does not block. */
ISW_API isw_status isw_http_begin(isw_context *ctx, int status, const char *content_type);

/* Whether isw_http_begin was called: for middleware that would answer in the function's stead. */
ISW_API bool isw_http_begun(const isw_context *ctx);

/* Send bytes of the body, which are the caller's again when this returns. Each call sends what it
 * is given; to gather small pieces is left to the function. Blocks while the caller has not taken
 * what was sent before (some 256 KiB are under way at most).
 * Errors, recorded on ctx: ISW_E_CONFLICT before isw_http_begin and after the answer;
 * ISW_E_CANCELLED when the invocation is cancelled, for instance because the caller left;
 * ISW_E_TIMEOUT when its deadline passes; ISW_E_IO when the host is gone; ISW_E_NO_MEMORY; and
 * ISW_E_TOO_LARGE when more than 63 MiB gather for a host that does not stream. */
ISW_API isw_status isw_http_write(isw_context *ctx, const void *bytes, size_t size);

/* The same with formatted text. */
ISW_API isw_status isw_http_printf(isw_context *ctx, const char *format, ...) ISW_PRINTF(2, 3);

/* -- Server-sent events ------------------------------------------------------------------------ */

/* One event of a stream of them (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 * All is text in UTF-8 and may be left out. Zero it and set what is needed. */
typedef struct isw_event {
    const char *event;   /* its type, one line; browsers take "message" where there is none */
    const char *data;    /* any number of lines */
    const char *id;      /* one line; a browser that connects anew sends the last one as the header
                            last-event-id */
    const char *comment; /* any number of lines, which no browser shows: keeps a connection alive */
    uint32_t retry_ms;   /* how long a browser waits before it connects anew; 0: left out */
} isw_event;

/* Send one event. The first one begins the response, unless isw_http_begin did: 200,
 * text/event-stream, and cache-control: no-store where that header was not set. Blocks as
 * isw_http_write does. Errors as isw_http_write, and ISW_E_INVALID, naming the member, for text
 * that is not UTF-8, and for line breaks in `event` and `id`. */
ISW_API isw_status isw_http_event(isw_context *ctx, const isw_event *event);

/* -- Outputs on the way ------------------------------------------------------------------------ */

/* Let the output binding `name` have `value` now, while the function runs, as often as it likes;
 * it stays out even if the function fails. The value is the caller's again when this returns.
 * Where the host does not take it at once, it leaves with the answer if the function succeeds:
 * several for one name as an array, those of isw_context_set_output last. Any trigger.
 * Does not block. Errors, recorded on ctx: ISW_E_NOT_FOUND if the function declares no such output,
 * ISW_E_INVALID for a value that cannot travel (text that is not UTF-8, or a limit of PROTOCOL.md,
 * section 8), ISW_E_TOO_LARGE, ISW_E_CONFLICT after the answer, ISW_E_IO when the host is gone,
 * ISW_E_NO_MEMORY. */
ISW_API isw_status isw_context_emit(isw_context *ctx, const char *name, const isw_value *value);

ISW_END_DECLS

#endif
