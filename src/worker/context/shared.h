/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_SHARED_H
#define ISWI_WORKER_CONTEXT_SHARED_H

/* What all invocations of a worker share: its services, its metrics, and the gate that wakes who
 * sleeps. Made with the worker and ended with it. */
#include "base/arena.h"
#include "pipeline/store.h"
#include "wire/frame.h"

#include <isoworker/metric.h>
#include <isoworker/service.h>
#include <pthread.h>

typedef struct iswi_watch iswi_watch;

/* Wakes isw_context_sleep when something is cancelled. */
typedef struct iswi_gate {
    pthread_mutex_t lock;
    pthread_cond_t cancelled;
    iswi_watch *watch; /* limit.c; NULL: not needed so far */
} iswi_gate;

typedef struct iswi_services iswi_services;

/* What all invocations of a worker share. */
typedef struct iswi_shared {
    iswi_services *services;
    isw_metrics *metrics;
    iswi_gate gate;
} iswi_shared;

bool iswi_shared_init(iswi_shared *shared); /* false: no memory; to be ended all the same */
void iswi_shared_fini(iswi_shared *shared); /* destroys the singletons */

/* Whoever sleeps, in whatever invocation, looks whether it was cancelled. */
void iswi_shared_wake(iswi_shared *shared);

/* Services are added before the worker is configured, then checked; only the singletons change
 * afterwards, under their locks. Errors as isw_worker_add_service. */
isw_status iswi_services_add(iswi_services *services, const isw_service *service, bool replace,
                             isw_error *error);

/* Where their stores are, once that has begun; it outlives them. */
void iswi_services_set_stores(iswi_services *services, const iswi_store_place *stores);

/* Sort, and check needs and lifetimes. Errors: ISW_E_CONFIG. */
isw_status iswi_services_check(iswi_services *services, isw_error *error);

/* Those there are, in the order of registration, `place` from 0 up. */
size_t iswi_services_count(const iswi_services *services);
const isw_service *iswi_services_at(const iswi_services *services, size_t place);

/* Make what is to be there before the first call, in the order of registration; what is there
 * already stays. Once they are checked; blocks as long as create. Errors: those of create, with the
 * service's name. */
isw_status iswi_services_start(iswi_services *services, isw_error *error);

/* The same of that alone which may be there before a fork. */
isw_status iswi_services_preload(iswi_services *services, isw_error *error);

/* Make the health check at `place` once, and what it needs, and destroy it again. Any thread, as
 * long as services are there; blocks as long as create. Errors: those of create, with the check's
 * name. */
isw_status iswi_services_check_health(iswi_services *services, size_t place, isw_error *error);

/* metrics_memory.c: this process is a child that was forked from the one that began to count, and may
 * have been given memory of its own: what was counted so far is counted there, too. */
void iswi_metrics_forked(isw_metrics *metrics);

/* Where the telling of metrics is; zero it to begin. */
typedef struct iswi_metrics_at {
    struct iswi_family *family;
    isw_series *series;
    bool begun;
} iswi_metrics_at;

/* The next part of what has changed since it was told, no more than one frame may have. Its lists
 * lie in `arena`; it is told by that. Returns whether there may be more. What memory cannot be had
 * for is told the next time. Any thread. */
bool iswi_metrics_tell(isw_metrics *metrics, iswi_metrics_at *at, iswi_arena *arena,
                       iswi_wire_metrics *out);

#endif
