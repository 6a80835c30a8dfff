/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_REGISTRY_GENERATION_H
#define ISWI_WORKER_REGISTRY_GENERATION_H

/*
 * What one reading of the YAML came to: functions as it adjusts them, with their chains. A worker
 * has one in force; an invocation keeps to the one that it began with, and a generation that is
 * replaced ends with the last invocation that uses it.
 */
#include "base/arena.h"
#include "config/config.h"
#include "pipeline/chain.h"
#include "store/driver.h"
#include "worker/context/context.h"

#include <isoworker/worker.h>

typedef struct iswi_settings {
    int64_t concurrency;
    int64_t max_in_flight; /* 0: four times concurrency */
    bool crash_report;
} iswi_settings;

struct iswi_generation {
    atomic_size_t users; /* invocations, and the worker while it is in force; 0: ended for good */
    struct iswi_generation *older;
    iswi_config *config;
    iswi_settings settings;
    iswi_store_settings stores; /* what it says of them; those of the first one hold */
    isw_option_list function_settings;
    iswi_named_list middleware; /* as the YAML has it */
    iswi_pipeline *pipeline;
    iswi_arena arena;
    iswi_bound *functions; /* by the number of the worker's entry */
};

/* chains.c: read the YAML for `worker`, whose entries are made, and start what `old` (NULL: there
 * is none) does not have already. *out is the caller's, for one user. `faults` (may be NULL) gets
 * all that is wrong. Blocks as long as a middleware's start. Errors: as isw_worker_configure. */
isw_status iswi_generation_create(isw_worker *worker, const iswi_generation *old,
                                  iswi_faults *faults, iswi_generation **out, isw_error *error);

/* The one in force, for one more user. Any thread. */
iswi_generation *iswi_generation_take(isw_worker *worker);

/* One user less; the last one ends it. Any thread. NULL is allowed. */
void iswi_generation_drop(iswi_generation *generation);

#endif
