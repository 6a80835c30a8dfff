/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_SERVICES_KNOWN_H
#define ISWI_WORKER_CONTEXT_SERVICES_KNOWN_H

/* What services are made of. Inside services.c and services_known.c. */
#include "pipeline/store.h"
#include "worker/context/services.h"

typedef struct iswi_service {
    const isw_service *service;
    pthread_mutex_t lock;      /* held while a singleton is made */
    _Atomic(void *) singleton; /* NULL: not made yet; of one that hands out nothing: itself */
    size_t place;              /* in the order of registration */
    unsigned char mark;        /* of the search for cycles */
} iswi_service;

/* One for the whole worker. */
static inline bool iswi_service_is_singleton(const iswi_service *service)
{
    isw_lifetime lifetime = service->service->lifetime;

    return lifetime == ISW_SINGLETON || lifetime == ISW_EAGER_SINGLETON ||
           lifetime == ISW_PRELOADED_SINGLETON;
}

/* What nobody need ask for, and may thus be without a type. */
static inline bool iswi_service_is_hook(const isw_service *service)
{
    return service->lifetime == ISW_EAGER_SINGLETON || service->lifetime == ISW_HEALTH_CHECK ||
           service->lifetime == ISW_PRELOADED_SINGLETON;
}

/* One that was made, and has to be destroyed. Those of an invocation lie in its arena. */
struct iswi_made {
    const iswi_service *service;
    void *instance;
    iswi_made *before;
};

struct iswi_services {
    iswi_service *items; /* sorted by name once checked */
    size_t count, capacity;
    bool checked;
    pthread_mutex_t lock; /* guards singletons */
    iswi_made *singletons; /* the youngest first; on the heap */
    const iswi_store_place *stores;
};

/* By name; NULL: there is none. By its place, which is one of theirs. */
iswi_service *iswi_services_find(const iswi_services *services, const char *name);
iswi_service *iswi_services_find_at(const iswi_services *services, size_t place);

#endif
