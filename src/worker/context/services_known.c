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

isw_status iswi_services_add(iswi_services *services, const isw_service *service, bool replace,
                             isw_error *error)
{
    const char *name = service->name ? service->name : "";
    iswi_service *known;

    if (!*name || !service->type || !service->create)
        return isw_error_set(error, ISW_E_INVALID, "service \"%s\" has no %s", name,
                             !*name ? "name" : service->type ? "create" : "type");
    known = iswi_services_find(services, name);
    if (replace && !known)
        return isw_error_set(error, ISW_E_NOT_FOUND, "there is no service \"%s\" to replace", name);
    if (!replace && known)
        return isw_error_set(error, ISW_E_CONFLICT, "there are two services named \"%s\"", name);
    if (known && strcmp(known->service->type, service->type) != 0)
        return isw_error_set(error, ISW_E_INVALID,
                             "service %s is of type %s and cannot be replaced by one of type %s",
                             name, known->service->type, service->type);
    if (!known) {
        if (!iswi_grow(&services->items, &services->capacity, services->count,
                       sizeof *services->items))
            return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for service %s", name);
        known = &services->items[services->count++];
        memset(known, 0, sizeof *known);
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

/* Walk down what a service needs. Within a singleton nothing may live for one invocation only. */
static isw_status walk(iswi_services *services, const path *at, bool in_singleton, isw_error *error)
{
    iswi_service *service = (iswi_service *)at->service;
    isw_status status = ISW_OK;

    if (service->mark == ON_THE_WAY)
        return refuse(at, "a service cannot need itself", error);
    if (in_singleton && service->service->lifetime == ISW_PER_INVOCATION)
        return refuse(at, "a singleton cannot need what lives for one invocation", error);
    if (service->mark == SEEN && !in_singleton)
        return ISW_OK;
    service->mark = ON_THE_WAY;
    for (const char *const *need = service->service->needs; status == ISW_OK && need && *need;
         need++) {
        path next = { iswi_services_find(services, *need), at };

        if (next.service)
            status = walk(services, &next,
                          in_singleton || service->service->lifetime == ISW_SINGLETON, error);
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
