/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances and chains. Invariant: `when` is decided once for each function, when its chain is
 * made; an invocation tests nothing and only walks its array.
 */
#include "pipeline/chain.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdalign.h>
#include <stddef.h>

typedef struct when_options {
    const char *trigger;
    isw_option_strings functions;
    isw_option_strings except;
    isw_option_strings metadata;
    const char *header;
    bool on_request;
} when_options;

static const isw_option when_rows[] = {
    { .name = "trigger", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(when_options, trigger), .help = "only for triggers of this type" },
    { .name = "functions", .type = ISW_OPTION_STRINGS, .optional = true,
      .offset = offsetof(when_options, functions),
      .help = "only for functions whose name matches one of these (* and ?)" },
    { .name = "except", .type = ISW_OPTION_STRINGS, .optional = true,
      .offset = offsetof(when_options, except), .help = "but not for these" },
    { .name = "metadata", .type = ISW_OPTION_STRINGS, .optional = true,
      .offset = offsetof(when_options, metadata),
      .help = "only for functions with all of this metadata: \"name\" or \"name=pattern\"" },
    { .name = "header", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(when_options, header),
      .help = "only for requests that have this header" },
    { .name = "on_request", .type = ISW_OPTION_BOOL, .default_value = "false",
      .offset = offsetof(when_options, on_request),
      .help = "only for functions that ask for it (`with`)" },
    { 0 },
};

static const isw_option when_row = { .name = "when", .type = ISW_OPTION_GROUP, .optional = true,
                                     .group = when_rows, .group_size = sizeof(when_options),
                                     .help = "which invocations this entry is for" };

/* What the YAML gives for one entry: `when`, then the middleware's own options. */
typedef union entry_options {
    when_options when;
    max_align_t align;
} entry_options;

struct isw_instance {
    const isw_middleware *middleware;
    const when_options *when;
    const void *options;
    void *state;
    const char *where;
};

struct iswi_pipeline {
    isw_instance *instances;
    size_t count;
    size_t started;
};

/* -- Rows -------------------------------------------------------------------------------------- */

static const isw_option *entry_rows(const isw_middleware *middleware, iswi_arena *arena)
{
    size_t own = 0;
    isw_option *rows;

    while (middleware->options && middleware->options[own].name)
        own++;
    rows = iswi_arena_calloc(arena, own + 2, sizeof *rows);
    if (!rows)
        return NULL;
    rows[0] = when_row;
    for (size_t i = 0; i < own; i++) {
        rows[i + 1] = middleware->options[i];
        rows[i + 1].offset += sizeof(entry_options);
    }
    return rows;
}

const isw_option *iswi_pipeline_rows(const iswi_registry *registry, iswi_arena *arena)
{
    isw_option *rows = iswi_arena_calloc(arena, registry->count + 1, sizeof *rows);

    for (size_t i = 0; rows && i < registry->count; i++) {
        const isw_middleware *middleware = registry->items[i];

        rows[i] = (isw_option){ .name = middleware->name,
                                .type = ISW_OPTION_GROUP,
                                .group = entry_rows(middleware, arena),
                                .group_size = sizeof(entry_options) + middleware->options_size,
                                .help = middleware->summary };
        if (!rows[i].group)
            return NULL;
    }
    return rows;
}

/* -- Instances --------------------------------------------------------------------------------- */

static isw_status start_instance(isw_instance *self, isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    isw_status status;

    if (!self->middleware->start)
        return ISW_OK;
    status = self->middleware->start(self, &own);
    if (status == ISW_OK)
        return ISW_OK;
    return isw_error_set(error, status, "%s: middleware %s did not start: %s", self->where,
                         self->middleware->name,
                         *own.message ? own.message : isw_status_text(status));
}

static bool init_instance(isw_instance *self, const iswi_registry *registry, iswi_config *config,
                          const iswi_named_entry *entry)
{
    self->middleware = iswi_registry_find(registry, entry->row->name);
    self->when = &((const entry_options *)entry->options)->when;
    self->options = (const char *)entry->options + sizeof(entry_options);
    self->where = iswi_config_where(config, entry->node);
    self->state = iswi_calloc(1, self->middleware->instance_size);
    return self->state && self->where;
}

isw_status iswi_pipeline_create(const iswi_registry *registry, iswi_config *config,
                                const iswi_named_list *list, iswi_pipeline **out,
                                isw_error *error)
{
    iswi_pipeline *pipeline = iswi_calloc(1, sizeof *pipeline);
    isw_status status = ISW_OK;

    if (pipeline)
        pipeline->instances = iswi_calloc(list->count, sizeof *pipeline->instances);
    if (!pipeline || !pipeline->instances) {
        iswi_free(pipeline);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for middleware");
    }
    for (; status == ISW_OK && pipeline->count < list->count; pipeline->count++)
        if (!init_instance(&pipeline->instances[pipeline->count], registry, config,
                           &list->items[pipeline->count]))
            status = isw_error_set(error, ISW_E_NO_MEMORY, "no memory for middleware");
    while (status == ISW_OK && pipeline->started < pipeline->count) {
        status = start_instance(&pipeline->instances[pipeline->started], error);
        pipeline->started += status == ISW_OK;
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
    while (pipeline->started-- > 0) {
        isw_instance *self = &pipeline->instances[pipeline->started];

        if (self->middleware->stop)
            self->middleware->stop(self);
    }
    for (size_t i = 0; i < pipeline->count; i++)
        iswi_free(pipeline->instances[i].state);
    iswi_free(pipeline->instances);
    iswi_free(pipeline);
}

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

/* -- Chains ------------------------------------------------------------------------------------ */

static bool matches_any(const isw_option_strings *patterns, const char *name)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (iswi_glob_match(patterns->items[i], name))
            return true;
    return false;
}

/* "name" or "name=pattern". */
static bool has_metadata(const isw_function *function, const char *wanted)
{
    size_t size = strcspn(wanted, "=");

    for (const isw_property *at = function->metadata; at && at->name; at++)
        if (strlen(at->name) == size && strncmp(at->name, wanted, size) == 0)
            return !wanted[size] || iswi_glob_match(wanted + size + 1, at->value);
    return false;
}

static bool is_named(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static bool admits(const isw_instance *self, const isw_function *function)
{
    const when_options *when = self->when;

    if (is_named(function->without, self->middleware->name))
        return false;
    if (when->on_request && !is_named(function->with, self->middleware->name))
        return false;
    if (when->trigger && strcmp(when->trigger, function->trigger.type) != 0)
        return false;
    if (when->functions.count && !matches_any(&when->functions, function->name))
        return false;
    for (size_t i = 0; i < when->metadata.count; i++)
        if (!has_metadata(function, when->metadata.items[i]))
            return false;
    return !matches_any(&when->except, function->name);
}

/* "error_handling, logging"; "none". */
static const char *names_of(const iswi_pipeline *pipeline, iswi_arena *arena)
{
    const char *names = NULL;

    for (size_t i = 0; pipeline && i < pipeline->count; i++) {
        const char *name = pipeline->instances[i].middleware->name;

        names = names ? iswi_arena_printf(arena, "%s, %s", names, name) : name;
    }
    return names ? names : "none";
}

isw_status iswi_pipeline_knows(const iswi_pipeline *pipeline, const char *function,
                               const char *const *names, iswi_arena *arena, isw_error *error)
{
    for (; names && *names; names++) {
        bool known = false;

        for (size_t i = 0; pipeline && i < pipeline->count; i++)
            known = known || strcmp(pipeline->instances[i].middleware->name, *names) == 0;
        if (!known)
            return isw_error_set(error, ISW_E_CONFIG,
                                 "function %s names the middleware \"%s\", which is not in the "
                                 "chain; the chain has: %s",
                                 function, *names, names_of(pipeline, arena));
    }
    return ISW_OK;
}

static size_t aligned(size_t size)
{
    return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

isw_status iswi_pipeline_chain(const iswi_pipeline *pipeline, const isw_function *function,
                               iswi_ends ends, iswi_arena *arena, iswi_chain *out)
{
    size_t most = pipeline ? pipeline->count : 0;
    isw_next *steps = iswi_arena_calloc(arena, most + 1, sizeof *steps);
    size_t count = 0;
    size_t state_bytes = 0;

    if (!steps)
        return ISW_E_NO_MEMORY;
    for (size_t i = 0; i < most; i++) {
        isw_instance *self = &pipeline->instances[i];

        if (!admits(self, function))
            continue;
        steps[count++] = (isw_next){ .invoke = self->middleware->invoke,
                                     .self = self,
                                     .header = self->when->header,
                                     .has_header = ends.has_header,
                                     .state_offset = state_bytes,
                                     .state_size = self->middleware->invocation_size };
        state_bytes += aligned(self->middleware->invocation_size);
    }
    steps[count].invoke = ends.handler;
    *out = (iswi_chain){ .steps = steps, .count = count, .state_bytes = state_bytes };
    return ISW_OK;
}

const char *iswi_step_name(const isw_next *step)
{
    return step->self ? step->self->middleware->name : "handler";
}

void *isw_next_state(const isw_next *next, isw_context *ctx)
{
    return ((iswi_run *)ctx)->chain_state + next[-1].state_offset;
}

static isw_status run_step(const isw_next *step, isw_context *ctx)
{
    iswi_run *run = (iswi_run *)ctx;
    isw_status status;

    if (step->state_size)
        memset(run->chain_state + step->state_offset, 0, step->state_size);
    status = step->invoke(step->self, ctx, step + 1);
    if (status != ISW_OK && run->failure.status == ISW_OK)
        run->failure = (isw_failure){ .status = status,
                                      .message = isw_status_text(status),
                                      .type = "",
                                      .place = "",
                                      .user = true,
                                      .retriable = isw_status_retriable(status) };
    return status;
}

static isw_status run_recorded(const isw_next *step, isw_context *ctx, iswi_spans *spans)
{
    size_t at = iswi_spans_begin(spans, iswi_step_name(step));
    isw_status status = run_step(step, ctx);

    iswi_spans_end(spans, at, status);
    return status;
}

isw_status isw_next_run(const isw_next *next, isw_context *ctx)
{
    iswi_spans *spans = ((iswi_run *)ctx)->spans;

    while (next->header && !next->has_header(ctx, next->header))
        next++;
    return spans ? run_recorded(next, ctx, spans) : run_step(next, ctx);
}
