/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a pool as a whole. */
#include "host/engine/engine.h"

bool iswi_pool_is_over(iswi_pool *pool)
{
    bool some = false;

    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];
        bool gone;

        if (atomic_load(&process->spare))
            continue;
        pthread_mutex_lock(&process->lock);
        gone = process->state == ISWI_PROCESS_GONE;
        pthread_mutex_unlock(&process->lock);
        if (!gone)
            return false;
        some = true;
    }
    return some;
}

iswi_process *iswi_pool_first(const iswi_pool *pool)
{
    iswi_process *first = NULL;
    const iswi_seat *lowest = NULL;

    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];

        const iswi_seat *seat;

        if (atomic_load(&process->spare))
            continue;
        pthread_mutex_lock(&process->lock);
        seat = process->seat;
        pthread_mutex_unlock(&process->lock);
        if (!lowest || seat < lowest) {
            first = process;
            lowest = seat;
        }
    }
    return first ? first : &pool->processes[0];
}
