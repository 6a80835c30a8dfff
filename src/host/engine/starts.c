/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of several processes that start, the first is to be ready, and to serve, before the last one is
 * begun: each takes time of the supervisor, which hears nobody meanwhile, and of a processor. So
 * there is one in a turn at most, in one without news unless all have some, and no more at the same
 * time than there are processors. What is not ready after a while waits for something else.
 */
#include "host/engine/starts.h"

#include "host/engine/engine.h"

#include <sched.h>

enum { MS = 1000000, BUSY_MS = 10, NEWS_FIRST = 8, PROCESSORS_MIN = 2 };

static unsigned count_processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : PROCESSORS_MIN;

    return count > PROCESSORS_MIN ? (unsigned)count : PROCESSORS_MIN;
}

/* 0: it does not, or not any more. */
static int64_t starts_until(iswi_process *process, int64_t now_ns)
{
    int64_t until_ns = 0;

    pthread_mutex_lock(&process->lock);
    if (process->state == ISWI_PROCESS_STARTING || process->state == ISWI_PROCESS_LOADING)
        until_ns = process->started_ns + (int64_t)BUSY_MS * MS;
    pthread_mutex_unlock(&process->lock);
    return until_ns > now_ns ? until_ns : 0;
}

/* How many do, and until when the first of them does at most. */
static unsigned count_starts(const iswi_pool *pool, int64_t now_ns, int64_t *first_ns)
{
    unsigned count = 0;

    for (unsigned i = 0; i < pool->count; i++) {
        int64_t until_ns = iswi_process_is_spare(&pool->processes[i])
                               ? 0
                               : starts_until(&pool->processes[i], now_ns);

        count += until_ns != 0;
        if (until_ns && until_ns < *first_ns)
            *first_ns = until_ns;
    }
    return count;
}

static bool has_processor(iswi_host *host, int64_t now_ns, int64_t *next_ns)
{
    unsigned busy = 0;
    int64_t first_ns = INT64_MAX;

    if (!host->starts.processors)
        host->starts.processors = count_processors();
    for (size_t i = 0; i < host->pool_count; i++)
        busy += count_starts(&host->pools[i], now_ns, &first_ns);
    if (busy < host->starts.processors)
        return true;
    if (first_ns < *next_ns)
        *next_ns = first_ns;
    return false;
}

bool iswi_starts_one(iswi_host *host, int64_t now_ns, int64_t *next_ns)
{
    unsigned long long turn = atomic_load(&host->loop.turns);

    if (turn - host->starts.turn < (host->loop.news ? NEWS_FIRST : 1)) {
        *next_ns = now_ns;
        return false;
    }
    if (!has_processor(host, now_ns, next_ns))
        return false;
    host->starts.turn = turn;
    return true;
}
