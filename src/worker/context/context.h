/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_CONTEXT_H
#define ISWI_WORKER_CONTEXT_CONTEXT_H

/* What an isw_context is made of. One is made for each place in the worker's pool and used for one
 * invocation after the other; its arena stays warm. */
#include "base/arena.h"
#include "pipeline/chain.h"
#include "wire/frame.h"
#include "worker/context/answer_head.h"
#include "worker/context/body.h"
#include "worker/context/shared.h"

#include <isoworker/context.h>
#include <isoworker/log.h>
#include <pthread.h>
#include <stdatomic.h>

enum { ISWI_SCOPES_MAX = 8, ISWI_CONTEXT_ARENA_BYTES = 16 * 1024 };

/* Where the log lines of an invocation go. Must copy what it needs. */
typedef struct iswi_log_sink {
    void (*emit)(void *user, isw_context *ctx, const iswi_log *line);
    isw_log_level (*threshold)(void *user, const char *category);
    void *user;
} iswi_log_sink;

/* A function for as long as the worker lives; what the YAML makes of it is in its generation. */
typedef struct iswi_entry {
    const isw_function *function; /* as it was registered */
    const char *category;       /* "Function.<name>" */
    atomic_int threshold;       /* level of that category, from the host */
    atomic_bool streams;        /* it did, or reads its body as it arrives */
} iswi_entry;

/* Named data that grows in the invocation's arena. */
typedef struct iswi_named_bag {
    isw_named_value *items;
    size_t count, capacity;
} iswi_named_bag;

typedef struct iswi_cancel_call iswi_cancel_call;
typedef struct iswi_after iswi_after;
typedef struct iswi_recording iswi_recording;

/* How an invocation reaches a host that takes bodies in pieces, while it runs. */
typedef struct iswi_host_side {
    /* The stream of ctx, which stays its own while it runs; made when it is asked for first.
     * NULL: no memory. */
    iswi_stream *(*stream)(void *user, isw_context *ctx);
    /* Send a frame of ctx. Errors: those of iswi_link_send_frame. */
    isw_status (*send)(void *user, isw_context *ctx, iswi_frame *frame, isw_error *error);
    void *user;
} iswi_host_side;

/* How an invocation is run, and what it brings. All views live until its end. */
typedef struct iswi_given {
    const iswi_log_sink *log;
    const iswi_host_side *host; /* NULL: pieces gather in the context */
    void (*sleep)(isw_context *ctx, int64_t until_ns); /* of a test; NULL: really */
    iswi_spans *spans; /* to be filled; NULL: nobody looks */
    uint64_t id;
    int64_t arrived_ns;
    bool endless; /* somebody is at a breakpoint: limits do not count */
    const iswi_invoke *invoke;
} iswi_given;

/* A function with its chain, as one reading of the YAML has it. */
typedef struct iswi_bound {
    const isw_function *function;
    iswi_chain chain;
} iswi_bound;

typedef struct iswi_generation iswi_generation;
typedef struct iswi_made iswi_made;

typedef struct iswi_item {
    const isw_item_key *key;
    void *value;
} iswi_item;

struct isw_context {
    iswi_run run; /* first: the chain knows no more of a context */
    iswi_arena arena;
    iswi_encoded outgoing; /* the frame that is being sent about it */

    /* cancel.c; touched by other threads. */
    atomic_int cancelled; /* isw_cancel_reason */
    pthread_mutex_t cancel_lock;
    iswi_cancel_call *cancel_calls;
    int cancel_fd; /* and 1; 0: none */
    bool watches_cancel; /* one of the two is or was set; only its own thread */

    /* Everything below is zero at the start of an invocation. */
    const iswi_entry *entry;
    iswi_generation *generation; /* held by registry/call.c */
    const iswi_bound *bound; /* the entry's function there */
    iswi_shared *shared;
    iswi_made *made; /* services of this invocation, the youngest first */
    const iswi_log_sink *log;
    uint64_t id;
    const char *invocation_id;
    int64_t arrived_ns;
    atomic_llong deadline_ns; /* 0: none */
    isw_time_limit *limit;    /* the innermost */
    bool endless;
    void (*sleep)(isw_context *ctx, int64_t until_ns);
    isw_trace trace;
    isw_retry retry;

    isw_value trigger;
    isw_map inputs;           /* as they came */
    isw_map trigger_metadata;
    iswi_named_bag own_inputs;   /* set by middleware; they hide the others */

    isw_value result;
    bool has_result;
    iswi_answer_head head;
    iswi_named_bag outputs;

    /* On the way, before the answer. */
    const iswi_host_side *host; /* NULL: pieces gather here */
    iswi_body body;
    iswi_named_bag emitted; /* emit.c */

    iswi_recording *recording; /* span.c; NULL: nobody has asked */
    bool obeyed; /* its failure is that it was cancelled, under the status of the reason */
    bool misused; /* the failure is that the library was used wrongly */
    bool shrinks; /* something outside the handler makes the answer smaller */
    bool outcome_decided;
    isw_outcome outcome;
    uint32_t retry_after_ms;

    iswi_after *after; /* the last one first */
    bool answered;
    bool failure_logged;
    iswi_item *items;
    size_t item_count, item_capacity;
    const isw_principal *principal;
    isw_named_value scopes[ISWI_SCOPES_MAX];
    unsigned scope_depth;
};

/* -- Life -------------------------------------------------------------------------------------- */

void iswi_context_init(isw_context *ctx); /* of zeroed memory */
void iswi_context_fini(isw_context *ctx);

/* Begin an invocation of `entry`, which is `bound` in `generation`; all of ctx that is not given is
 * then zero. False: no memory. */
bool iswi_context_begin(isw_context *ctx, const iswi_entry *entry, iswi_generation *generation,
                        const iswi_bound *bound, iswi_shared *shared, const iswi_given *given);

/* Run by another chain. Before it has run. False: no memory. */
bool iswi_context_bind(isw_context *ctx, const iswi_bound *bound);

/* End the invocation: items are destroyed, memory is given back. Returns its generation, which was
 * the caller's; NULL if it never began. */
iswi_generation *iswi_context_end(isw_context *ctx);

/* Run what was left for after the answer; to be called once that is sent. */
void iswi_context_after(isw_context *ctx);

/* Any thread, while the invocation waits or runs. Only the first reason counts. Whoever sleeps is
 * woken by the caller, through iswi_shared_wake. */
void iswi_context_cancel(isw_context *ctx, isw_cancel_reason reason);

/* Change the deadline, 0 for none. Returns what was left for cancelling so far. */
void *iswi_context_set_deadline(isw_context *ctx, int64_t deadline_ns);

#ifdef NDEBUG
#define ISWI_ALIVE(ctx) ((void)(ctx))
#else
/* End the program if the context's invocation has ended; `function` is the public one that was
 * called with it. */
#define ISWI_ALIVE(ctx) iswi_context_check((ctx), __func__)
void iswi_context_check(const isw_context *ctx, const char *function);
#endif

/* Room for one more in an array of the invocation's arena; false: no memory. */
bool iswi_context_grow(isw_context *ctx, void *array_pointer, size_t *capacity, size_t count,
                       size_t item_size);

/* What chains need: the step that calls the handler, and what a request has. */
extern const iswi_ends iswi_context_ends;

/* -- Who runs it; running.c ------------------------------------------------------------------- */

/* This thread runs `ctx` from now on (NULL: nothing). Returns what it ran before. */
const isw_context *iswi_running_set(const isw_context *ctx);

/* What this thread runs, or NULL. Async-signal-safe; what it points to may be broken. */
const isw_context *iswi_running(void);

/* Have `prepare` called on this thread now, and on each other one before it runs its first
 * invocation from now on. Once for a process. */
void iswi_running_prepare(void (*prepare)(void));

/* -- Its answer -------------------------------------------------------------------------------- */

/* The reply of ctx->head is the result now, with this status and body. */
void iswi_context_reply(isw_context *ctx, int status, isw_bytes body);

/* There is no result any more, whoever made it. */
void iswi_context_drop_result(isw_context *ctx);

/* Whether ctx->result is to travel with the response. */
bool iswi_context_sends_result(const isw_context *ctx);

/* The chain succeeded: what was emitted becomes an output, unless the host has it. */
isw_status iswi_emit_settle(isw_context *ctx);

/* Whether there is room for the headers of the answer (ISW_HEAD_MAX_BYTES of stream.h); of what is
 * too large the result and the headers that the handler set are dropped. Errors, recorded:
 * ISW_E_TOO_LARGE. */
isw_status iswi_answer_check_head(isw_context *ctx);

/* The chain returned: whether result and outputs fit into one message, and its headers into the
 * room there is; what does not is dropped, and then there is no result. Values were looked at where
 * they were given. Errors, recorded: ISW_E_TOO_LARGE. */
isw_status iswi_answer_settle(isw_context *ctx);

#endif
