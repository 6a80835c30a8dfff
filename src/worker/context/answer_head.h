/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_ANSWER_HEAD_H
#define ISWI_WORKER_CONTEXT_ANSWER_HEAD_H

/*
 * The head of an answer to an HTTP request: the headers that were set, whoever makes the answer in
 * the end. It is part of a context, zero at the start of an invocation, and what it points to lies
 * in the invocation's arena. answer_head.c and its room write it; all else reads, and asks.
 */
#include <isoworker/context.h>

typedef struct iswi_answer_head {
    isw_http reply;      /* always with the headers; it is the result once there is a reply */
    size_t capacity;     /* of its headers */
    size_t outer_count;  /* of them, when the handler was called: those of middleware */
    bool begun;          /* it has left, and stays as it is */
} iswi_answer_head;

/* Add a header, or put it in the place of those of its name; its texts are the invocation's, its
 * name is in lower case. Errors, recorded: ISW_E_TOO_LARGE for too many, ISW_E_NO_MEMORY. */
isw_status iswi_answer_head_add(isw_context *ctx, isw_pair header);
isw_status iswi_answer_head_put(isw_context *ctx, isw_pair header);

/* Take out all headers of that name, in whatever case. */
void iswi_answer_head_forget(iswi_answer_head *head, const char *name);

/* Take back what headers say of a body that another one takes the place of. */
void iswi_answer_head_forget_body(iswi_answer_head *head);

/* Keep the first `count` headers alone, of which there are at least so many. */
void iswi_answer_head_cut(iswi_answer_head *head, size_t count);

/* It leaves now. */
void iswi_answer_head_begin(iswi_answer_head *head);

/* Go back to the headers of `mark` (NULL: to none), unless they have left. */
void iswi_answer_head_start_over(iswi_answer_head *head, const isw_mark *mark);

#endif
