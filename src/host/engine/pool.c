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

void iswi_process_set_alarm(iswi_process *process)
{
    const iswi_pool *pool = process->pool;
    double most = pool->settings->processes.target * process->credit;

    process->alarm = pool->scale.on && process->credit ? (unsigned)most + 1 : 0;
}

void iswi_pool_ring(iswi_pool *pool)
{
    if (pool->scale.on && !atomic_exchange(&pool->scale.rung, true))
        iswi_host_wake(pool->processes->host);
}
