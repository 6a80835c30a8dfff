/* SPDX-License-Identifier: Apache-2.0 */
/* Which process of a pool takes a call. */
#include "host/engine/engine.h"

/* The process of the pool with the least to do, the first of several: one that was used just now is
 * awake and warm. NULL when none is ready. */
static iswi_process *choose(iswi_pool *pool, const iswi_process *avoid)
{
    unsigned least = UINT32_MAX;
    iswi_process *best = NULL;

    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];
        unsigned load = atomic_load_explicit(&process->load, memory_order_relaxed);

        if (load < least && (process != avoid || pool->count == 1)) {
            least = load;
            best = process;
        }
    }
    return best;
}

/* Nobody takes it, and nobody will. */
static void explain(iswi_pool *pool, bool lacks, isw_error *failure)
{
    iswi_process *first = &pool->processes[0];

    pthread_mutex_lock(&first->lock);
    if (lacks)
        isw_error_set(failure, ISW_E_UNAVAILABLE,
                      "no process of worker %s can run the function", pool->settings->name);
    else if (atomic_load(&first->host->stops))
        isw_error_set(failure, ISW_E_UNAVAILABLE, "the host stops");
    else
        isw_error_set(failure, ISW_E_UNAVAILABLE, "worker %s was given up: %s",
                      pool->settings->name, first->fault.message);
    pthread_mutex_unlock(&first->lock);
}

/* Any process but `best`, which had no place for it. */
static iswi_placing place_anywhere(iswi_pool *pool, const iswi_process *best, iswi_placing placing,
                                   iswi_call *call, isw_error *failure)
{
    bool lacks = placing == ISWI_PLACE_LACKS;
    bool wait = best && !lacks; /* one of them may take it later */

    for (unsigned i = 0; i < pool->count; i++) {
        if (&pool->processes[i] == best)
            continue;
        placing = iswi_process_invoke(&pool->processes[i], call, failure);
        if (placing == ISWI_PLACED || placing == ISWI_PLACE_REFUSED)
            return placing;
        lacks = lacks || placing == ISWI_PLACE_LACKS;
        wait = wait || placing == ISWI_PLACE_FULL || placing == ISWI_PLACE_CLOSED;
    }
    if (wait)
        return lacks ? ISWI_PLACE_LACKS : ISWI_PLACE_FULL;
    explain(pool, lacks, failure);
    return ISWI_PLACE_REFUSED;
}

iswi_placing iswi_pool_place(iswi_pool *pool, iswi_call *call, isw_error *failure)
{
    iswi_process *best = choose(pool, call->avoid);
    iswi_placing placing = ISWI_PLACE_CLOSED;

    failure->status = ISW_OK; /* clearing 1 KiB each time shows */
    if (best)
        placing = iswi_process_invoke(best, call, failure);
    if (placing == ISWI_PLACED || placing == ISWI_PLACE_REFUSED)
        return placing;
    return place_anywhere(pool, best, placing, call, failure);
}
