/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_BODY_H
#define ISWI_WORKER_CONTEXT_BODY_H

/*
 * How far the bodies of an invocation have come that travel in pieces: the request's and the
 * response's. It is part of a context, zero at the start of an invocation. body.c and its room
 * write it; all else reads, and asks.
 */
#include "base/buffer.h"

#include <isoworker/context.h>

typedef struct iswi_stream iswi_stream;

typedef struct iswi_body {
    iswi_stream *stream;  /* once it was asked for */
    size_t read;          /* bytes of the request's */
    bool follows;         /* the request's is in the stream */
    bool spent;           /* by an earlier try */
    bool asked;           /* for, by the function */
    iswi_buffer gathered; /* of the response's, without a host */
    iswi_buffer piece;    /* that is being made */
} iswi_body;

/* The stream of ctx, which has a host. NULL, recorded: no memory. */
iswi_stream *iswi_body_stream(isw_context *ctx);

/* The function begins to read; whether for the first time. */
bool iswi_body_ask(iswi_body *body);

/* The function has read so many bytes more. */
void iswi_body_count(iswi_body *body, size_t bytes);

/* An empty buffer to make the next piece in. */
iswi_buffer *iswi_body_piece(iswi_body *body);

/* Keep a piece of the response's body until its end. Errors, recorded: ISW_E_TOO_LARGE,
 * ISW_E_NO_MEMORY. */
isw_status iswi_body_gather(isw_context *ctx, const void *bytes, size_t size);

/* What was gathered is the body of the reply. */
void iswi_body_settle(isw_context *ctx);

/* Another try reads from the start, if the body is still there. */
void iswi_body_start_over(iswi_body *body);

/* The invocation ends: what bodies have on the heap is given back. */
void iswi_body_end(iswi_body *body);

#endif
