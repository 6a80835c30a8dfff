/* SPDX-License-Identifier: Apache-2.0 */
/* Rolls as those outside wish for them, and see them. Any thread. */
#include "host/engine/engine.h"

isw_status iswi_host_restart(iswi_host *host, size_t worker, unsigned *id, isw_error *error)
{
    iswi_pool *pool = &host->pools[worker];

    if (!iswi_pool_is(pool, ISWI_POOL_HERE))
        return isw_error_set(error, ISW_E_NOT_FOUND, "worker %s is no more: host.yaml does not name "
                             "it", pool->settings->name);
    if (!pool->launcher.apart)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "worker %s runs in the host's own process "
                             "(isolation: none); it starts again with the host",
                             pool->settings->name);
    if (pool->debugged)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "worker %s is being debugged",
                             pool->settings->name);
    if (iswi_pool_waits(pool))
        return isw_error_set(error, ISW_E_UNSUPPORTED, "worker %s is remote: it is started again "
                             "where it runs", pool->settings->name);
    *id = atomic_fetch_add(&pool->roll.asked, 1) + 1;
    iswi_host_wake(host);
    return ISW_OK;
}

bool iswi_host_rolls(const iswi_host *host)
{
    for (size_t i = 0; i < host->pool_count; i++) {
        const iswi_roll *roll = &host->pools[i].roll;

        if (roll->now.state == ISWI_ROLL_GOES_ON || atomic_load(&roll->asked) != roll->seen)
            return true;
    }
    return false;
}

void iswi_worker_roll_look_at(iswi_host *host, size_t worker, iswi_roll_look *out)
{
    iswi_roll *roll = &host->pools[worker].roll;

    pthread_mutex_lock(&roll->lock);
    *out = roll->now;
    pthread_mutex_unlock(&roll->lock);
}

bool iswi_worker_roll_step(iswi_host *host, size_t worker, unsigned index, iswi_roll_step *out)
{
    iswi_roll *roll = &host->pools[worker].roll;
    bool there;

    pthread_mutex_lock(&roll->lock);
    there = index < roll->now.done;
    if (there)
        *out = roll->steps[index];
    pthread_mutex_unlock(&roll->lock);
    return there;
}
