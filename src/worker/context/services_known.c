/* SPDX-License-Identifier: Apache-2.0 */
/* The services that a worker knows, and whether their needs can be met. */
#include "worker/context/services_known.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(((const iswi_service *)a)->service->name,
                  ((const iswi_service *)b)->service->name);
}

iswi_service *iswi_services_find(const iswi_services *services, const char *name)
{
    const isw_service named = { .name = name };
    const iswi_service key = { .service = &named };

    if (services->checked && services->count)
        return bsearch(&key, services->items, services->count, sizeof key, by_name);
    for (size_t i = 0; i < services->count; i++)
        if (strcmp(services->items[i].service->name, name) == 0)
            return &services->items[i];
    return NULL;
}

iswi_service *iswi_services_find_at(const iswi_services *services, size_t place)
{
    size_t i = 0;

    while (services->items[i].place != place)
        i++;
    return &services->items[i];
}

size_t iswi_services_count(const iswi_services *services)
{
    return services->count;
}

const isw_service *iswi_services_at(const iswi_services *services, size_t place)
{
    return iswi_services_find_at(services, place)->service;
}

/* NULL: nothing. */
static const char *what_lacks(const isw_service *service)
{
    if (!service->name || !*service->name)
        return "name";
    if (!service->type && !iswi_service_is_hook(service))
        return "type";
    if ((unsigned)service->lifetime > ISW_PRELOADED_SINGLETON)
        return "lifetime that this library knows";
    return service->create ? NULL : "create";
}

static bool is_same_type(const isw_service *a, const isw_service *b)
{
    return a->type && b->type ? strcmp(a->type, b->type) == 0 : a->type == b->type;
}

isw_status iswi_services_add(iswi_services *services, const isw_service *service, bool replace,
                             isw_error *error)
{
    const char *name = service->name ? service->name : "";
    const char *lacks = what_lacks(service);
    iswi_service *known;

    if (lacks)
        return isw_error_set(error, ISW_E_INVALID, "service \"%s\" has no %s", name, lacks);
    known = iswi_services_find(services, name);
    if (replace && !known)
        return isw_error_set(error, ISW_E_NOT_FOUND, "there is no service \"%s\" to replace", name);
    if (!replace && known)
        return isw_error_set(error, ISW_E_CONFLICT, "there are two services named \"%s\"", name);
    if (known && !is_same_type(known->service, service))
        return isw_error_set(error, ISW_E_INVALID,
                             "service %s is of type %s and cannot be replaced by one of type %s",
                             name, known->service->type ? known->service->type : "(none)",
                             service->type ? service->type : "(none)");
    if (!known) {
        if (!iswi_grow(&services->items, &services->capacity, services->count,
                       sizeof *services->items))
            return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for service %s", name);
        known = &services->items[services->count++];
        memset(known, 0, sizeof *known);
        known->place = services->count - 1;
    }
    known->service = service;
    return ISW_OK;
}

/* -- Checked ----------------------------------------------------------------------------------- */

enum { UNSEEN, ON_THE_WAY, SEEN };

/* The services from the root of a search to the one that is looked at. */
typedef struct path {
    const iswi_service *service;
    const struct path *from;
} path;

static void write_path(const path *at, iswi_buffer *out)
{
    if (at->from) {
        write_path(at->from, out);
        iswi_buffer_append_text(out, " needs ");
    }
    iswi_buffer_append_text(out, at->service->service->name);
}

static isw_status refuse(const path *at, const char *why, isw_error *error)
{
    iswi_buffer text = { 0 };
    isw_status status;

    write_path(at, &text);
    status = isw_error_set(error, ISW_E_CONFIG, "service %s: %s",
                           iswi_buffer_text(&text) ? iswi_buffer_text(&text) : "", why);
    iswi_buffer_fini(&text);
    return status;
}

/* Walk down what a service needs. Within a singleton or a check nothing may live for one invocation
 * only. */
static isw_status walk(iswi_services *services, const path *at, bool outlives, isw_error *error)
{
    iswi_service *service = (iswi_service *)at->service;
    isw_status status = ISW_OK;

    if (service->mark == ON_THE_WAY)
        return refuse(at, "a service cannot need itself", error);
    if (at->from && service->service->lifetime == ISW_HEALTH_CHECK)
        return refuse(at, "a health check is nothing that others can need", error);
    if (at->from && at->from->service->service->lifetime == ISW_PRELOADED_SINGLETON &&
        service->service->lifetime != ISW_PRELOADED_SINGLETON)
        return refuse(at, "what is made before a fork can need only what is, too "
                          "(ISW_PRELOADED_SINGLETON)", error);
    if (outlives && service->service->lifetime == ISW_PER_INVOCATION)
        return refuse(at, "a singleton or a health check cannot need what lives for one invocation",
                      error);
    if (service->mark == SEEN && !outlives)
        return ISW_OK;
    service->mark = ON_THE_WAY;
    for (const char *const *need = service->service->needs; status == ISW_OK && need && *need;
         need++) {
        path next = { iswi_services_find(services, *need), at };

        if (next.service)
            status = walk(services, &next,
                          outlives || service->service->lifetime == ISW_HEALTH_CHECK ||
                              iswi_service_is_singleton(service),
                          error);
        else
            status = isw_error_set(error, ISW_E_CONFIG,
                                   "service %s needs \"%s\", which is not there",
                                   service->service->name, *need);
    }
    service->mark = SEEN;
    return status;
}

isw_status iswi_services_check(iswi_services *services, isw_error *error)
{
    isw_status status = ISW_OK;

    if (services->checked)
        return ISW_OK;
    if (services->count)
        qsort(services->items, services->count, sizeof *services->items, by_name);
    for (size_t i = 0; i < services->count; i++)
        services->items[i].mark = UNSEEN;
    for (size_t i = 0; status == ISW_OK && i < services->count; i++) {
        path root = { &services->items[i], NULL };

        status = walk(services, &root, false, error);
    }
    if (status != ISW_OK)
        return status;
    for (size_t i = 0; i < services->count; i++)
        pthread_mutex_init(&services->items[i].lock, NULL);
    services->checked = true;
    return ISW_OK;
}
