/* SPDX-License-Identifier: Apache-2.0 */
/* What all invocations of a worker share. */
#include "worker/context/limit.h"
#include "worker/context/metrics.h"
#include "worker/context/services.h"

static void init_gate(iswi_gate *gate)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&gate->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&gate->cancelled, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool iswi_shared_init(iswi_shared *shared)
{
    init_gate(&shared->gate);
    shared->services = iswi_services_create();
    shared->metrics = iswi_metrics_create();
    return shared->services && shared->metrics;
}

void iswi_shared_fini(iswi_shared *shared)
{
    iswi_services_destroy(shared->services);
    iswi_metrics_destroy(shared->metrics);
    iswi_watch_destroy(shared->gate.watch);
    pthread_cond_destroy(&shared->gate.cancelled);
    pthread_mutex_destroy(&shared->gate.lock);
}

void iswi_shared_wake(iswi_shared *shared)
{
    pthread_mutex_lock(&shared->gate.lock);
    pthread_cond_broadcast(&shared->gate.cancelled);
    pthread_mutex_unlock(&shared->gate.lock);
}
