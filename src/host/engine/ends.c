/* SPDX-License-Identifier: Apache-2.0 */
/* Why processes have ended. Invariant: each start has one end, which is counted under one cause. */
#include "host/engine/ends.h"

#include "host/engine/engine.h"

#include <stdio.h>
#include <sys/wait.h>
#include <sysexits.h>

const char *iswi_end_name(iswi_end_cause cause)
{
    static const char *const names[ISWI_ENDS] = {
        [ISWI_END_LEFT] = "left",         [ISWI_END_EXIT] = "exit",
        [ISWI_END_SIGNAL] = "signal",     [ISWI_END_REFUSED] = "refused",
        [ISWI_END_KILLED] = "killed",     [ISWI_END_MEMORY] = "memory_limit",
        [ISWI_END_RECYCLED] = "recycled", [ISWI_END_UNHEALTHY] = "unhealthy",
        [ISWI_END_REPLACED] = "replaced", [ISWI_END_STOPPED] = "stopped",
    };

    return names[cause];
}

void iswi_ends_init(iswi_pool *pool)
{
    pthread_mutex_init(&pool->ends.lock, NULL);
}

void iswi_ends_fini(iswi_pool *pool)
{
    pthread_mutex_destroy(&pool->ends.lock);
}

static bool was_sent_away(const iswi_process *process)
{
    return process->cause == ISWI_END_RECYCLED || process->cause == ISWI_END_UNHEALTHY ||
           process->cause == ISWI_END_REPLACED;
}

/* One that was to go and crashed on its way has crashed. */
void iswi_end_judge(iswi_process *process, int status)
{
    bool ours = process->signalled || process->fault.status != ISW_OK;

    if (process->cause && !was_sent_away(process))
        return;
    if (atomic_load(&process->host->stops) && (process->told_to_end || ours))
        process->cause = ISWI_END_STOPPED;
    else if (ours)
        process->cause = ISWI_END_KILLED;
    else if (!WIFEXITED(status))
        process->cause = ISWI_END_SIGNAL;
    else if (WEXITSTATUS(status) == EX_CONFIG)
        process->cause = ISWI_END_REFUSED;
    else if (WEXITSTATUS(status) != 0 || !process->goodbye)
        process->cause = ISWI_END_EXIT;
}

static void describe(const iswi_process *process, char why[ISWI_END_WHY_BYTES])
{
    const char *reason = process->fault.status != ISW_OK ? process->fault.message
                         : process->retiring             ? process->retiring
                                                         : "it left by itself";

    snprintf(why, ISWI_END_WHY_BYTES, "%.*s", ISWI_END_WHY_BYTES - 1, reason);
}

void iswi_end_note(iswi_process *process)
{
    iswi_ends *ends = &process->pool->ends;
    iswi_end_look end = { .cause = process->cause, .ended_ns = process->ended_ns };

    pthread_mutex_lock(&process->lock);
    end.pid = process->os.pid;
    describe(process, end.why);
    pthread_mutex_unlock(&process->lock);
    pthread_mutex_lock(&ends->lock);
    ends->counts[end.cause]++;
    ends->cpu_ns += process->bounds.cpu_ns;
    ends->throttled_ns += process->bounds.throttled_ns;
    process->seat->last = end;
    pthread_mutex_unlock(&ends->lock);
    process->bounds.cpu_ns = process->bounds.throttled_ns = 0;
}

/* -- Questions; any thread --------------------------------------------------------------------- */

void iswi_process_last_end(iswi_process *process, iswi_end_look *out)
{
    iswi_ends *ends = &process->pool->ends;
    const iswi_seat *seat;

    pthread_mutex_lock(&process->lock);
    seat = process->seat;
    pthread_mutex_unlock(&process->lock);
    pthread_mutex_lock(&ends->lock);
    *out = seat->last;
    pthread_mutex_unlock(&ends->lock);
}

void iswi_host_worker_ends(const iswi_host *host, size_t worker, uint64_t counts[ISWI_ENDS])
{
    iswi_ends *ends = &host->pools[worker].ends;

    pthread_mutex_lock(&ends->lock);
    memcpy(counts, ends->counts, sizeof ends->counts);
    pthread_mutex_unlock(&ends->lock);
}

int64_t iswi_host_worker_cpu_ns(const iswi_host *host, size_t worker, int64_t *throttled_ns)
{
    iswi_pool *pool = &host->pools[worker];
    iswi_usage_look usage;
    int64_t throttled;
    int64_t sum;

    pthread_mutex_lock(&pool->ends.lock);
    sum = pool->ends.cpu_ns;
    throttled = pool->ends.throttled_ns;
    pthread_mutex_unlock(&pool->ends.lock);
    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process_usage(&pool->processes[i], &usage);
        sum += usage.cpu_ns;
        throttled += usage.throttled_ns;
    }
    if (throttled_ns)
        *throttled_ns = throttled;
    return sum;
}
