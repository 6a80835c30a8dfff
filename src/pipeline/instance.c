/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances: one for each entry of the list, started in its order. Invariant: a pipeline has only
 * such as have started, and an instance stops with the last pipeline that has it; so one whose
 * entry stays as it was lives on, with its state, when the configuration is read again.
 */
#include "pipeline/instance.h"

#include "base/alloc.h"

#include <string.h>

static isw_status start(isw_instance *self, isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    isw_status status = ISW_OK;

    if (self->middleware->start)
        status = self->middleware->start(self, &own);
    if (status == ISW_OK)
        return ISW_OK;
    return isw_error_set(error, status, "%s: middleware %s did not start: %s", self->where,
                         self->middleware->name,
                         *own.message ? own.message : isw_status_text(status));
}

static void destroy(isw_instance *self)
{
    iswi_config_close(self->config);
    iswi_free(self->state);
    iswi_free(self);
}

/* The first of its numbers that is nobody's in the pipeline. */
static void name_store(const iswi_pipeline *pipeline, const iswi_named_entry *entry,
                       isw_instance *self)
{
    size_t taken = 0;

    iswi_store_name(self->middleware->name, entry->node, 0, self->store_name);
    for (unsigned number = 1; taken < pipeline->count; taken++)
        if (strcmp(pipeline->members[taken].instance->store_name, self->store_name) == 0) {
            iswi_store_name(self->middleware->name, entry->node, number++, self->store_name);
            taken = (size_t)-1; /* from the first again */
        }
}

static isw_status create(const isw_middleware *middleware, const iswi_pipeline *pipeline,
                         const iswi_named_entry *entry, isw_instance **out, isw_error *error)
{
    iswi_config *config = pipeline->config;
    isw_instance *self = iswi_calloc(1, sizeof *self);
    isw_status status;

    if (!self)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for middleware");
    atomic_init(&self->users, 1);
    self->middleware = middleware;
    self->stores = pipeline->stores;
    name_store(pipeline, entry, self);
    self->options = iswi_entry_options(entry);
    self->config = iswi_config_hold(config);
    self->where = iswi_config_where(config, entry->node);
    self->state = iswi_calloc(1, middleware->instance_size);
    if (self->state && self->where)
        status = start(self, error);
    else
        status = isw_error_set(error, ISW_E_NO_MEMORY, "no memory for middleware");
    if (status == ISW_OK)
        *out = self;
    else
        destroy(self);
    return status;
}

static void release(isw_instance *self)
{
    if (atomic_fetch_sub(&self->users, 1) != 1)
        return;
    if (self->middleware->stop)
        self->middleware->stop(self);
    destroy(self);
}

/* -- Pipelines --------------------------------------------------------------------------------- */

static bool has(const iswi_pipeline *pipeline, const isw_instance *self)
{
    for (size_t i = 0; i < pipeline->count; i++)
        if (pipeline->members[i].instance == self)
            return true;
    return false;
}

/* That of `old` which says what `entry` says and is not in `pipeline` yet, or NULL. */
static isw_instance *find_same(const iswi_pipeline *old, const iswi_pipeline *pipeline,
                               const isw_middleware *middleware, const iswi_named_entry *entry)
{
    for (size_t i = 0; old && i < old->count; i++) {
        isw_instance *self = old->members[i].instance;

        if (self->middleware == middleware && !has(pipeline, self) &&
            iswi_config_equal(middleware->options, self->options, iswi_entry_options(entry)))
            return self;
    }
    return NULL;
}

static isw_status add(iswi_pipeline *pipeline, const iswi_registry *registry,
                      const iswi_pipeline *old, const iswi_named_entry *entry, isw_error *error)
{
    const isw_middleware *middleware = iswi_registry_find(registry, entry->row->name);
    isw_instance *self = find_same(old, pipeline, middleware, entry);
    isw_status status = ISW_OK;

    if (self)
        atomic_fetch_add(&self->users, 1);
    else
        status = create(middleware, pipeline, entry, &self, error);
    if (status == ISW_OK)
        pipeline->members[pipeline->count++] = (iswi_member){
            .instance = self,
            .when = iswi_entry_when(entry),
            .where = iswi_config_where(pipeline->config, entry->node),
        };
    return status;
}

isw_status iswi_pipeline_create(const iswi_registry *registry, iswi_config *config,
                                const iswi_named_list *list, const iswi_store_place *stores,
                                const iswi_pipeline *old, iswi_pipeline **out, isw_error *error)
{
    iswi_pipeline *pipeline = iswi_calloc(1, sizeof *pipeline);
    iswi_faults *faults = iswi_config_faults(config);
    isw_status status = ISW_OK;

    if (pipeline)
        pipeline->members = iswi_calloc(list->count, sizeof *pipeline->members);
    if (!pipeline || !pipeline->members) {
        iswi_free(pipeline);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for middleware");
    }
    pipeline->config = iswi_config_hold(config);
    pipeline->stores = stores;
    for (size_t i = 0; i < list->count; i++) {
        isw_error own = { ISW_OK, "" };
        isw_status one = add(pipeline, registry, old, &list->items[i], &own);

        if (one != ISW_OK) {
            isw_error_set(error, one, "%s", own.message);
            iswi_faults_add(faults, own.message);
        }
        if (!iswi_faults_go_on(faults, one, &status))
            break;
    }
    if (status == ISW_OK)
        *out = pipeline;
    else
        iswi_pipeline_destroy(pipeline);
    return status;
}

void iswi_pipeline_destroy(iswi_pipeline *pipeline)
{
    if (!pipeline)
        return;
    while (pipeline->count > 0)
        release(pipeline->members[--pipeline->count].instance);
    iswi_config_close(pipeline->config);
    iswi_free(pipeline->members);
    iswi_free(pipeline);
}

const char *iswi_pipeline_where(const iswi_pipeline *pipeline, const isw_instance *self)
{
    for (size_t i = 0; i < pipeline->count; i++)
        if (pipeline->members[i].instance == self)
            return pipeline->members[i].where;
    return self->where;
}

const isw_instance *iswi_pipeline_entry(const iswi_pipeline *pipeline, size_t at, bool *may_wait)
{
    if (at >= pipeline->count)
        return NULL;
    *may_wait = iswi_when_may_wait(pipeline->members[at].when);
    return pipeline->members[at].instance;
}

const char *iswi_instance_name(const isw_instance *self)
{
    return self->middleware->name;
}

/* -- For its middleware ------------------------------------------------------------------------ */

const void *isw_instance_options(const isw_instance *self)
{
    return self->options;
}

void *isw_instance_state(isw_instance *self)
{
    return self->state;
}

const char *isw_instance_where(const isw_instance *self)
{
    return self->where;
}
