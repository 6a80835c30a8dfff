/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_PROGRAM_LOCAL_H
#define ISWI_WORKER_PROGRAM_LOCAL_H

/* An invocation in the calling thread, with no host. */
#include "worker/registry/worker.h"

/* What it brings; zeroed it brings nothing. All views live until iswi_local_end. */
typedef struct iswi_local {
    isw_value trigger;
    isw_map inputs;
    isw_map trigger_metadata; /* what a host tells beside it is made up, but for a recording's */
    isw_trace trace;
    isw_retry retry;
    uint32_t timeout_ms; /* 0: the function's own */
    bool endless;        /* no deadline, and no limit */
    bool all_told;       /* nothing is made up */
    const char *invocation_id;  /* NULL: a new one */
    isw_option_strings without; /* middleware to leave out */
    const iswi_log_sink *log;
    iswi_spans *spans; /* to be filled; may be NULL */
    void (*sleep)(isw_context *ctx, int64_t until_ns); /* instead of sleeping; may be NULL */
} iswi_local;

/* A context that is ready to run, or NULL when memory is out. */
isw_context *iswi_local_begin(isw_worker *worker, const iswi_entry *entry, const iswi_local *local);

void iswi_local_end(isw_context *ctx);

/* Lines to standard error. */
extern const iswi_log_sink iswi_local_log;

/* made_up.c */
/* Whether its trigger is an HTTP request. */
bool iswi_local_is_request(const isw_function *function);

/* Add what a host tells of such an event beside its data, as far as it is not there: what a timer is
 * told of being due now, a message of its first delivery, and an event of its headers ce-* (binary
 * mode). In the arena. False: no memory. */
bool iswi_local_make_up(const isw_function *function, isw_str id, iswi_local *local,
                        iswi_arena *arena);

/* The header without which a request is no event, of a function that events trigger; else NULL. */
const char *iswi_local_event_lacks(const isw_function *function, const isw_http *http);

/* What came of the context that has run. */
void iswi_local_fill(const isw_context *ctx, isw_status status, isw_invocation *out);

#endif
