/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_SERVICES_H
#define ISWI_WORKER_CONTEXT_SERVICES_H

/* The services of a worker. Filled before it is configured, then sorted and checked; only the
 * singletons change afterwards, under their locks. */
#include "base/arena.h"

#include <isoworker/service.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef struct iswi_service {
    const isw_service *service;
    pthread_mutex_t lock;      /* held while a singleton is made */
    _Atomic(void *) singleton; /* NULL: not made yet */
    unsigned char mark;        /* of the search for cycles */
} iswi_service;

/* One that was made, and has to be destroyed. Those of an invocation lie in its arena. */
typedef struct iswi_made {
    const iswi_service *service;
    void *instance;
    struct iswi_made *before;
} iswi_made;

typedef struct iswi_services {
    iswi_service *items; /* sorted by name once checked */
    size_t count, capacity;
    bool checked;
    pthread_mutex_t lock; /* guards singletons */
    iswi_made *singletons; /* the youngest first; on the heap */
} iswi_services;

void iswi_services_init(iswi_services *services);
void iswi_services_fini(iswi_services *services); /* destroys the singletons */

/* Errors as isw_worker_add_service. */
isw_status iswi_services_add(iswi_services *services, const isw_service *service, bool replace,
                             isw_error *error);

/* Sort, and check needs and lifetimes. Errors: ISW_E_CONFIG. */
isw_status iswi_services_check(iswi_services *services, isw_error *error);

/* Destroy what was made for an invocation. */
void iswi_services_end(iswi_made **made);

#endif
