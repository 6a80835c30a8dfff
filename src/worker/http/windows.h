/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_HTTP_WINDOWS_H
#define ISWI_WORKER_HTTP_WINDOWS_H

/*
 * What an invocation and its host send each other in pieces (PROTOCOL.md, section 3, Streams):
 * bytes of the request's body that came and are not yet read, and how many bytes of the response's
 * may leave. The link's thread puts in and never waits; the function's thread takes, and waits.
 * Made only for invocations that stream. Held by its job, and by the link's thread for a moment.
 */
#include "worker/context/context.h"

/* Held once; NULL: no memory. */
iswi_stream *iswi_stream_create(void);
iswi_stream *iswi_stream_hold(iswi_stream *stream);
void iswi_stream_release(iswi_stream *stream); /* NULL is allowed */

/* -- The link's thread ------------------------------------------------------------------------- */

/* Take in a chunk of the request's body; its bytes are copied. Errors: ISW_E_PROTOCOL for one that
 * the window does not allow, or that comes after the end. */
isw_status iswi_stream_chunk(iswi_stream *stream, const iswi_chunk *chunk, isw_error *error);

/* The host takes `bytes` more. */
void iswi_stream_grant(iswi_stream *stream, uint64_t bytes);

/* The invocation was cancelled: whoever waits looks again. */
void iswi_stream_wake(iswi_stream *stream);

/* The link is over: nothing comes, and nothing leaves. */
void iswi_stream_lose(iswi_stream *stream);

/* -- The function's thread --------------------------------------------------------------------- */

/* Take up to `size` bytes, waiting for the first one; *got is 0 at the body's end. *grant is how
 * many bytes the host is to be granted now, or 0. Errors as isw_http_read, recorded on ctx. */
isw_status iswi_stream_take(iswi_stream *stream, isw_context *ctx, void *buffer, size_t size,
                            size_t *got, size_t *grant);

/* Wait until bytes may leave, and say how many of `wanted` in *size; they count as under way then.
 * Errors as isw_http_write, recorded on ctx. */
isw_status iswi_stream_reserve(iswi_stream *stream, isw_context *ctx, size_t wanted, size_t *size);

/* ISW_E_CANCELLED or ISW_E_TIMEOUT, recorded, when the invocation is to end; else ISW_OK. */
isw_status iswi_context_go_on(isw_context *ctx);

#endif
