/* SPDX-License-Identifier: Apache-2.0 */
/* A generation is made: the YAML read, and a chain for each function. */
#include "worker/registry/generation.h"

#include "base/alloc.h"
#include "worker/registry/worker.h"

enum { ARENA_BYTES = 16 * 1024 };

/* The chain of one function. */
static isw_status bind_one(iswi_generation *generation, iswi_bound *bound, isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    isw_status status = iswi_generation_adjust(generation, &bound->function, &own);

    if (status == ISW_OK &&
        iswi_pipeline_chain(generation->pipeline, bound->function, iswi_context_ends,
                            &generation->arena, &bound->chain) != ISW_OK)
        status = isw_error_set(&own, ISW_E_NO_MEMORY, "no memory for functions");
    if (status != ISW_OK)
        iswi_faults_add(iswi_config_faults(generation->config), own.message);
    return status == ISW_OK ? ISW_OK : isw_error_set(error, status, "%s", own.message);
}

/* Those of all. */
static isw_status bind(isw_worker *worker, iswi_generation *generation, isw_error *error)
{
    size_t count = worker->function_count;
    isw_status status = ISW_OK;

    generation->functions =
        iswi_arena_calloc(&generation->arena, count + 1, sizeof *generation->functions);
    if (!generation->functions)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for functions");
    for (size_t i = 0; i < count; i++) {
        generation->functions[i].function = worker->sorted[i];
        if (!iswi_faults_go_on(iswi_config_faults(generation->config),
                               bind_one(generation, &generation->functions[i], error), &status))
            break;
    }
    return status;
}

isw_status iswi_generation_create(isw_worker *worker, const iswi_generation *old,
                                  iswi_faults *faults, iswi_generation **out, isw_error *error)
{
    iswi_generation *generation = iswi_calloc(1, sizeof *generation);
    iswi_registry *registry = &worker->registry;
    size_t known = registry->count;
    size_t modules = registry->module_count;
    isw_status status;

    if (!generation)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for the configuration");
    atomic_init(&generation->users, 1);
    iswi_arena_init(&generation->arena, ARENA_BYTES);
    status = iswi_generation_read(worker, generation, old, faults, error);
    if (status == ISW_OK)
        status = bind(worker, generation, error);
    if (generation->config)
        iswi_config_told(generation->config);
    if (status == ISW_OK) {
        *out = generation;
        return ISW_OK;
    }
    iswi_generation_drop(generation);
    iswi_free(generation);
    iswi_registry_trim(registry, known, modules); /* the next try may name others */
    return status;
}
