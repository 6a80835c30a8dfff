/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_PIPELINE_SUPPORT_H
#define ISW_TESTS_PIPELINE_SUPPORT_H

/*
 * Chains made from YAML, and what they did as text. The chain knows of a context only that it
 * begins with iswi_run; here the rest of it is the trace.
 */
#include "support/main.h"

#include "pipeline/chain.h"

struct isw_context {
    iswi_run run;
    char trace[256];
    const char *header;     /* the one that the request has */
    unsigned failures_left; /* the handler fails so often before it succeeds */
    unsigned char state[512];
};

typedef struct fixture {
    iswi_registry registry;
    iswi_arena arena;
    iswi_pipeline *pipeline;
    iswi_named_list list; /* what it was made of last */
    isw_error error; /* why it could not be made */
} fixture;

/* What start and stop did, in order; emptied by fixture_init. */
extern char life[256];

/* Make a pipeline from the value of `middleware:` in YAML, in a file called "w.yaml".
 * Known are:
 *   mark: {as: NAME}       appends "NAME(" before and ")" after
 *   block                  appends "block" and does not call the rest
 *   again: {times: N}      calls the rest until it succeeds, N times at most
 *   count: {as: NAME}      appends its own invocation's counter, then its instance's
 *   teller: {as: NAME}     tells that NAME is a secret, and an origin that may call
 *   old: {as: NAME}        the same, of a release that had no `tell`: it is not asked
 *   live: {as: NAME, fail: BOOL}  appends "+NAME" and "-NAME" to `life` */
void fixture_init(fixture *f, const char *yaml);

/* Another list in the place of the first. On failure the first one stays. */
isw_status fixture_reload(fixture *f, const char *yaml);

void fixture_fini(fixture *f);

/* Run a function through its chain; returns the chain's status. */
isw_status run_function(fixture *f, isw_context *ctx, const isw_function *function);

/* Run "sample", triggered by http, and assert its trace. */
void assert_trace(fixture *f, const char *expected);

#endif
