/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for workers. Invariant: what is looked at needs processes' locks, and so not ours; the
 * count of turns says whether to look again. */
#include "host/library/library.h"

#include "base/clock.h"
#include "host/engine/look.h"

#include <stdio.h>
#include <time.h>

bool iswi_library_is_given_up(iswi_host *engine, size_t worker)
{
    iswi_process_look look;
    bool some = false;

    for (unsigned i = 0; i < iswi_host_worker_places(engine, worker); i++) {
        iswi_process_look_at(iswi_host_process(engine, worker, i), &look, NULL);
        if (look.state != ISWI_PROCESS_GONE && look.state != ISWI_PROCESS_SPARE)
            return false;
        some = some || look.state == ISWI_PROCESS_GONE;
    }
    return some;
}

void iswi_library_explain(iswi_host *engine, size_t worker, isw_error *error)
{
    const char *name = iswi_host_worker_name(engine, worker);
    bool given_up = iswi_library_is_given_up(engine, worker);
    iswi_process_look look;

    iswi_process_look_at(iswi_host_first_process(engine, worker), &look, NULL);
    if (iswi_host_phase(engine) == ISWI_PHASE_STOPPING)
        isw_error_set(error, ISW_E_UNAVAILABLE, "the host stops");
    else if (given_up)
        isw_error_set(error, ISW_E_UNAVAILABLE, "worker %s was given up: %s", name,
                      look.fault.message);
    else if (look.fault.status != ISW_OK)
        isw_error_set(error, ISW_E_TIMEOUT, "worker %s is not ready: %s", name,
                      look.fault.message);
    else if (look.unhealthy)
        isw_error_set(error, ISW_E_TIMEOUT, "worker %s is not ready: it is unhealthy: %s", name,
                      look.why_unhealthy);
    else
        isw_error_set(error, ISW_E_TIMEOUT, "worker %s is not ready: it is being started", name);
}

static bool serves(iswi_host *engine, size_t worker)
{
    if (iswi_host_worker_processes(engine, worker) == 0)
        return true; /* as soon as there is a call */
    for (unsigned i = 0; i < iswi_host_worker_places(engine, worker); i++)
        if (iswi_process_serves(iswi_host_process(engine, worker, i)))
            return true;
    return false;
}

/* ISW_OK: all serve. ISW_E_TIMEOUT: one does not yet. */
static isw_status look_at_all(iswi_host *engine, isw_error *error)
{
    isw_status status = ISW_OK;

    for (size_t i = 0; i < iswi_host_worker_count(engine); i++) {
        isw_error own = { ISW_OK, "" };

        if (!iswi_host_needs_worker(engine, i) || serves(engine, i))
            continue;
        iswi_library_explain(engine, i, &own);
        if (own.status == ISW_E_TIMEOUT && status != ISW_OK)
            continue;
        *error = own;
        status = own.status;
        if (status == ISW_E_UNAVAILABLE)
            break;
    }
    return status;
}

/* False: the time is over. */
static bool wait_for_turn(isw_host *host, uint64_t seen, int64_t until_ns)
{
    struct timespec until = { .tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000 };
    int failed = 0;

    pthread_mutex_lock(&host->lock);
    while (host->turn == seen && !host->ended && !failed)
        failed = until_ns == INT64_MAX ? pthread_cond_wait(&host->turned, &host->lock)
                                       : pthread_cond_timedwait(&host->turned, &host->lock, &until);
    pthread_mutex_unlock(&host->lock);
    return !failed;
}

static uint64_t turn_of(isw_host *host, bool *ended)
{
    uint64_t turn;

    pthread_mutex_lock(&host->lock);
    turn = host->turn;
    *ended = host->ended;
    pthread_mutex_unlock(&host->lock);
    return turn;
}

isw_status isw_host_wait_ready(isw_host *host, int timeout_ms, isw_error *error)
{
    int64_t until_ns =
        timeout_ms < 0 ? INT64_MAX : iswi_now_ns() + (int64_t)timeout_ms * 1000000;
    iswi_host *engine = atomic_load(&host->engine);

    if (!engine)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "the host is not started");
    for (;;) {
        bool ended;
        uint64_t seen = turn_of(host, &ended);
        isw_error own = { ISW_OK, "" };
        isw_status status = look_at_all(engine, &own);

        if (ended && host->end.status != ISW_OK)
            return isw_error_set(error, ISW_E_UNAVAILABLE, "%s", host->end.message);
        if (ended)
            return isw_error_set(error, ISW_E_UNAVAILABLE, "the host has ended");
        if (status == ISW_OK)
            return ISW_OK;
        if (status != ISW_E_TIMEOUT || !wait_for_turn(host, seen, until_ns))
            return isw_error_set(error, status, "%s", own.message);
    }
}
