/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_RUNNING_H
#define ISWI_WORKER_CONTEXT_RUNNING_H

/* Which invocation a thread runs, for those who look at a thread from a signal handler. */
#include <isoworker/context.h>

/* This thread runs `ctx` from now on (NULL: nothing). Returns what it ran before. */
const isw_context *iswi_running_set(const isw_context *ctx);

/* What this thread runs, or NULL. Async-signal-safe; what it points to may be broken. */
const isw_context *iswi_running(void);

/* Have `prepare` called on this thread now, and on each other one before it runs its first
 * invocation from now on. Once for a process. */
void iswi_running_prepare(void (*prepare)(void));

#endif
