/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services as they are asked for: made, shared, and destroyed. Invariant: needs have no cycle once
 * they were checked (services_known.c), so that the locks of singletons, which are taken along them,
 * cannot wait for each other.
 */
#include "worker/context/services_known.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "worker/context/failure.h"

#include <string.h>

/* For whom something is made, and who keeps it. */
typedef struct keeper {
    isw_context *ctx;   /* an invocation; else NULL */
    iswi_made **check;  /* else a health check, and what it has made; NULL: the worker */
} keeper;

struct isw_resolver {
    iswi_services *services;
    const keeper *keeper;
    const iswi_service *made;
    isw_error *error;
};

iswi_services *iswi_services_create(void)
{
    iswi_services *services = iswi_calloc(1, sizeof *services);

    if (services)
        pthread_mutex_init(&services->lock, NULL);
    return services;
}

/* Call create. What it fails with names the service. One that hands out nothing is there as its own
 * description. */
static void *make(iswi_services *services, const keeper *who, const iswi_service *service,
                  isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    isw_resolver from = { services, who, service, &own };
    void *instance = NULL;
    isw_status status = service->service->create(&from, service->service->user, &instance, &own);

    if (status == ISW_OK && (instance || !service->service->type))
        return instance ? instance : (void *)service;
    if (own.status != ISW_OK)
        status = own.status;
    if (status == ISW_OK)
        status = isw_error_set(&own, ISW_E_INTERNAL, "create gave nothing");
    isw_error_set(error, status, "%s %s: %s",
                  service->service->lifetime == ISW_HEALTH_CHECK ? "health check" : "service",
                  service->service->name, *own.message ? own.message : isw_status_text(status));
    return NULL;
}

static void *no_memory(const iswi_service *service, isw_error *error)
{
    isw_error_set(error, ISW_E_NO_MEMORY, "service %s: no memory for it", service->service->name);
    return NULL;
}

static void put_first(iswi_made **list, iswi_made *made)
{
    made->before = *list;
    *list = made;
}

/* Made for a singleton, or one itself; or for a health check. */
static void *make_on_heap(iswi_services *services, const keeper *who,
                          const iswi_service *service, isw_error *error)
{
    iswi_made *made = iswi_calloc(1, sizeof *made);

    if (!made)
        return no_memory(service, error);
    made->service = service;
    made->instance = make(services, who, service, error);
    if (!made->instance) {
        iswi_free(made);
        return NULL;
    }
    if (who->check) {
        put_first(who->check, made);
        return made->instance;
    }
    pthread_mutex_lock(&services->lock);
    put_first(&services->singletons, made);
    pthread_mutex_unlock(&services->lock);
    return made->instance;
}

static void *make_for_invocation(iswi_services *services, const keeper *who,
                                 const iswi_service *service, isw_error *error)
{
    isw_context *ctx = who->ctx;
    iswi_made *made = iswi_arena_alloc(&ctx->arena, sizeof *made);

    if (!made)
        return no_memory(service, error);
    made->service = service;
    made->instance = make(services, who, service, error);
    if (!made->instance)
        return NULL;
    put_first(&ctx->made, made); /* behind what it needed, which was made meanwhile */
    return made->instance;
}

static void *get_singleton(iswi_services *services, iswi_service *service, isw_error *error)
{
    void *instance = atomic_load_explicit(&service->singleton, memory_order_acquire);

    if (instance)
        return instance;
    pthread_mutex_lock(&service->lock);
    instance = atomic_load(&service->singleton);
    if (!instance) {
        instance = make_on_heap(services, &(keeper){ .ctx = NULL }, service, error);
        atomic_store_explicit(&service->singleton, instance, memory_order_release);
    }
    pthread_mutex_unlock(&service->lock);
    return instance;
}

static void *get(iswi_services *services, const keeper *who, iswi_service *service,
                 isw_error *error)
{
    if (iswi_service_is_singleton(service))
        return get_singleton(services, service, error);
    if (!who->ctx)
        return make_on_heap(services, who, service, error);
    if (service->service->lifetime == ISW_PER_INVOCATION)
        for (const iswi_made *at = who->ctx->made; at; at = at->before)
            if (at->service == service)
                return at->instance;
    return make_for_invocation(services, who, service, error);
}

/* The service that is asked for by name and type. */
static iswi_service *look_up(const iswi_services *services, const char *name, const char *type,
                             isw_error *error)
{
    iswi_service *service = iswi_services_find(services, name);
    iswi_buffer names = { 0 };

    if (service && service->service->lifetime == ISW_HEALTH_CHECK) {
        isw_error_set(error, ISW_E_NOT_FOUND, "service %s is a health check, for nobody to use",
                      name);
        return NULL;
    }
    if (service && service->service->type && strcmp(service->service->type, type) == 0)
        return service;
    if (service) {
        isw_error_set(error, ISW_E_NOT_FOUND, "service %s is of %s %s, not %s", name,
                      service->service->type ? "type" : "no",
                      service->service->type ? service->service->type : "type", type);
        return NULL;
    }
    for (size_t i = 0; i < services->count; i++)
        iswi_buffer_printf(&names, "%s%s", i ? ", " : "", services->items[i].service->name);
    isw_error_set(error, ISW_E_NOT_FOUND, "there is no service \"%s\"; known: %s", name,
                  names.size ? iswi_buffer_text(&names) : "none");
    iswi_buffer_fini(&names);
    return NULL;
}

void *isw_context_service(isw_context *ctx, const char *name, const char *type)
{
    ISWI_ALIVE(ctx);
    isw_error error = { ISW_OK, "" };
    const keeper invocation = { .ctx = ctx };
    iswi_service *service;
    void *instance;

    if (iswi_needs(ctx, __func__, "name", name) != ISW_OK ||
        iswi_needs(ctx, __func__, "type", type) != ISW_OK)
        return NULL;
    service = look_up(ctx->shared->services, name, type, &error);
    instance = service ? get(ctx->shared->services, &invocation, service, &error) : NULL;
    /* Whatever it is that lacks, it is not the caller's fault. */
    if (!instance && isw_status_http(error.status) < 500 && error.status != ISW_E_BUSY)
        iswi_misuse(ctx, error.status, "%s", error.message);
    else if (!instance)
        iswi_fail(ctx, error.status, "%s", error.message);
    return instance;
}

static bool is_needed(const isw_service *service, const char *name)
{
    for (const char *const *need = service->needs; need && *need; need++)
        if (strcmp(*need, name) == 0)
            return true;
    return false;
}

void *isw_resolver_service(isw_resolver *from, const char *name, const char *type)
{
    iswi_service *service;

    if (!is_needed(from->made->service, name)) {
        isw_error_set(from->error, ISW_E_INVALID, "it asks for \"%s\", which its `needs` lacks",
                      name);
        return NULL;
    }
    service = look_up(from->services, name, type, from->error);
    return service ? get(from->services, from->keeper, service, from->error) : NULL;
}

isw_context *isw_resolver_context(const isw_resolver *from)
{
    return from->keeper->ctx;
}

void iswi_services_set_stores(iswi_services *services, const iswi_store_place *stores)
{
    services->stores = stores;
}

isw_status isw_store_open_for(isw_resolver *from, const char *what,
                              const isw_store_options *options, isw_store **out, isw_error *error)
{
    char name[ISWI_STORE_NAME_BYTES];

    if (!iswi_service_is_singleton(from->made))
        return isw_error_set(error, ISW_E_INVALID, "a store is for singletons");
    iswi_store_name_of_service(from->made->service->name, what, name);
    return iswi_store_open(from->services->stores, name, options, out, error);
}

isw_status isw_service_user(isw_resolver *from, void *user, void **out, isw_error *error)
{
    (void)from;
    (void)error;
    *out = user;
    return ISW_OK;
}

/* -- The start --------------------------------------------------------------------------------- */

static isw_status make_early(iswi_services *services, bool all, isw_error *error)
{
    isw_error own = { ISW_OK, "" };

    for (size_t i = 0; i < services->count; i++) {
        iswi_service *service = iswi_services_find_at(services, i);

        bool early = service->service->lifetime == ISW_PRELOADED_SINGLETON ||
                     (all && service->service->lifetime == ISW_EAGER_SINGLETON);

        if (early && !get_singleton(services, service, &own))
            return isw_error_set(error, own.status, "%s", own.message);
    }
    return ISW_OK;
}

isw_status iswi_services_preload(iswi_services *services, isw_error *error)
{
    return make_early(services, false, error);
}

isw_status iswi_services_start(iswi_services *services, isw_error *error)
{
    return make_early(services, true, error);
}

/* -- The end ----------------------------------------------------------------------------------- */

static void destroy_all(iswi_made *made, bool on_heap)
{
    while (made) {
        iswi_made *before = made->before;
        const isw_service *service = made->service->service;

        if (service->destroy)
            service->destroy(made->instance == made->service ? NULL : made->instance,
                             service->user);
        if (on_heap)
            iswi_free(made);
        made = before;
    }
}

isw_status iswi_services_check_health(iswi_services *services, size_t place, isw_error *error)
{
    iswi_made *made = NULL;
    isw_error own = { ISW_OK, "" };

    if (!make_on_heap(services, &(keeper){ .check = &made },
                      iswi_services_find_at(services, place), &own))
        isw_error_set(error, own.status, "%s", own.message);
    destroy_all(made, true);
    return own.status;
}

void iswi_services_destroy(iswi_services *services)
{
    if (!services)
        return;
    destroy_all(services->singletons, true);
    for (size_t i = 0; services->checked && i < services->count; i++)
        pthread_mutex_destroy(&services->items[i].lock);
    iswi_free(services->items);
    pthread_mutex_destroy(&services->lock);
    iswi_free(services);
}

void iswi_services_end(iswi_made **made)
{
    destroy_all(*made, false);
    *made = NULL;
}
