/* SPDX-License-Identifier: Apache-2.0 */
/* Generations. Invariant: one that has ended is never used again, and its struct stays until the
 * worker is destroyed; so whoever finds it too late can tell, and looks for the next. */
#include "worker/registry/generation.h"

#include "worker/registry/worker.h"

static void end(iswi_generation *generation)
{
    iswi_pipeline_destroy(generation->pipeline);
    iswi_config_close(generation->config);
    iswi_arena_fini(&generation->arena);
}

static bool take(iswi_generation *generation)
{
    size_t users = atomic_load(&generation->users);

    while (users && !atomic_compare_exchange_weak(&generation->users, &users, users + 1))
        ;
    return users > 0;
}

iswi_generation *iswi_generation_take(isw_worker *worker)
{
    iswi_generation *generation = atomic_load(&worker->generation);

    while (!take(generation))
        generation = atomic_load(&worker->generation);
    return generation;
}

void iswi_generation_drop(iswi_generation *generation)
{
    if (generation && atomic_fetch_sub(&generation->users, 1) == 1)
        end(generation);
}
