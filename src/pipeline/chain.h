/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_PIPELINE_CHAIN_H
#define ISWI_PIPELINE_CHAIN_H

/*
 * A pipeline is the YAML's list of middleware as instances; a chain is what of it one function
 * gets, as an array that ends with the handler. Both are immutable between start and destroy and
 * may then be used from any thread.
 */
#include "base/arena.h"
#include "config/config.h"
#include "pipeline/registry.h"
#include "pipeline/store.h"

#include <isoworker/failure.h>
#include <isoworker/function.h>
#include <isoworker/sys/facts.h>
#include <isoworker/value.h>

typedef isw_status (*iswi_step_fn)(isw_instance *self, isw_context *ctx, const isw_next *next);

typedef struct iswi_spans iswi_spans;

/* One step. What a middleware gets as `next` is the address of the step after its own. */
struct isw_next {
    iswi_step_fn invoke;
    isw_instance *self;
    size_t state_offset, state_size; /* in the invocation's chain state */
    const char *header; /* passed over where a request lacks it; NULL: never */
    bool (*has_header)(const isw_context *ctx, const char *name);
};

typedef struct iswi_chain {
    const isw_next *steps;
    size_t count; /* of middleware; steps[count] is the handler */
    size_t state_bytes;
} iswi_chain;

/* The head of isw_context, as far as the chain knows it. */
typedef struct iswi_run {
    unsigned char *chain_state; /* state_bytes of the function's chain */
    isw_failure failure; /* its status is ISW_OK while there is none */
    void (*failed)(isw_context *ctx); /* a step came back with one; NULL: nobody wants to know */
    iswi_spans *spans;   /* NULL: nobody looks */
} iswi_run;

typedef struct iswi_pipeline iswi_pipeline;

/* The rows that make the YAML list `middleware` understood: one for each registered middleware,
 * its own options behind `when`. From the arena; NULL when memory is out. */
const isw_option *iswi_pipeline_rows(const iswi_registry *registry, iswi_arena *arena);

/* Those of `when` alone. */
const isw_option *iswi_pipeline_when_rows(void);

/* Make and start an instance for each entry of `list`, which was loaded from `config` by those
 * rows; one of `old` (may be NULL) that says the same is taken on as it is. Their stores are in `stores` (NULL: there are none), which outlives them. *out holds `config` and
 * is the caller's to destroy. Errors: what a start returned, with the entry's place in front, and
 * ISW_E_NO_MEMORY; what had been started is then stopped. */
isw_status iswi_pipeline_create(const iswi_registry *registry, iswi_config *config,
                                const iswi_named_list *list, const iswi_store_place *stores,
                                const iswi_pipeline *old, iswi_pipeline **out, isw_error *error);

/* Stop, in reverse order, the instances that no other pipeline has; chains are not to be used any
 * more. NULL is allowed. Any thread. */
void iswi_pipeline_destroy(iswi_pipeline *pipeline);

/* What a chain needs of those who know more of a context than it does. */
typedef struct iswi_ends {
    iswi_step_fn handler; /* the last step */
    bool (*has_header)(const isw_context *ctx, const char *name);
} iswi_ends;

/* The chain of `function`: what the pipeline has for it, and the handler. `pipeline` may be NULL
 * for an empty one. Belongs to `arena`. Errors: ISW_E_NO_MEMORY. */
isw_status iswi_pipeline_chain(const iswi_pipeline *pipeline, const isw_function *function,
                               iswi_ends ends, iswi_arena *arena, iswi_chain *out);

/* Whether each of `names` (a function's `with` or `without`) is in the list `middleware`, whose
 * instances need not have started. Errors: ISW_E_CONFIG, which says what is. */
isw_status iswi_pipeline_knows(const iswi_named_list *list, const char *function,
                               const char *const *names, iswi_arena *arena, isw_error *error);

/* Where the pipeline's YAML has the entry of an instance: "file:line:column". */
const char *iswi_pipeline_where(const iswi_pipeline *pipeline, const isw_instance *self);

/* The entries, from 0: the instance, and whether it may be meant for functions that are not there
 * yet, because it waits to be asked for or goes by a pattern. NULL beyond the last. */
const isw_instance *iswi_pipeline_entry(const iswi_pipeline *pipeline, size_t at, bool *may_wait);

/* Its middleware's name. */
const char *iswi_instance_name(const isw_instance *self);

/* The name of the middleware of a step, or "handler". */
const char *iswi_step_name(const isw_next *step);

/* -- Facts ------------------------------------------------------------------------------------- */

/* What the middleware of a chain tell of themselves (sys/facts.h). */
typedef struct iswi_facts {
    isw_pairs secrets;    /* where a secret stands, as PROTOCOL.md calls it, and its name */
    const isw_cors *cors; /* NULL: no policy */
    const struct iswi_misplaced *misplaced; /* orders that cannot be meant */
    size_t misplaced_count;
    unsigned reads; /* of iswi_asked_for, a bit each */
} iswi_facts;

/* What a function may ask of its chain: metadata, and "body" and "query". Ends with NULL. */
extern const char *const iswi_asked_for[];

/* Of two steps of a chain, `inner` should not stand inside of `outer`. */
typedef struct iswi_misplaced {
    const isw_instance *inner, *outer;
    const char *why;
} iswi_misplaced;

/* Ask all of them. *out lies in the arena. Errors: ISW_E_NO_MEMORY. Any thread. */
isw_status iswi_chain_facts(const iswi_chain *chain, iswi_arena *arena, iswi_facts *out);

/* -- Spans ------------------------------------------------------------------------------------- */

/* How one step ran. */
typedef struct iswi_span {
    const char *name;
    unsigned depth; /* 0 for the outermost */
    size_t parent;  /* the number of the span that it is in, from 1; 0: none */
    int64_t start_ns, end_ns; /* end_ns is 0 while it is open */
    isw_status status;
    isw_map attributes;
} iswi_span;

/* Those of one invocation, in the order in which they began. What memory cannot be had for is not
 * recorded. */
struct iswi_spans {
    iswi_arena *arena;
    iswi_span *items;
    size_t count, capacity;
    size_t open; /* the number of the innermost span that is */
    unsigned depth;
};

size_t iswi_spans_begin(iswi_spans *spans, const char *name);
void iswi_spans_end(iswi_spans *spans, size_t at, isw_status status);

#endif
