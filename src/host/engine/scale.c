/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load of a worker as a number of processes. Invariant: what makes more of them wanted is an
 * event that wakes the supervisor, and what makes fewer wanted is time alone.
 */
#include "host/engine/scale.h"

#include "base/clock.h"
#include "host/engine/engine.h"

#define MS INT64_C(1000000)

enum {
    PART_MIN_MS = 2,
    CALM_MS = 1 /* between two looks that calls ask for, so that many cost no more than a few */
};

static void set_bounds(iswi_pool *pool)
{
    const iswi_worker_settings *settings = pool->settings;
    iswi_scale *scale = &pool->scale;

    scale->least = iswi_worker_least(settings);
    scale->most = iswi_worker_most(settings);
    atomic_store(&scale->on, settings->processes.max && scale->least < scale->most);
    scale->part_ns = settings->processes.keep_ms * MS / ISWI_SCALE_PARTS;
    if (scale->part_ns < PART_MIN_MS * MS)
        scale->part_ns = PART_MIN_MS * MS;
}

unsigned iswi_scale_init(iswi_pool *pool)
{
    set_bounds(pool);
    pool->scale.needs[0] = 1;
    return pool->scale.least ? pool->scale.least : 1;
}

void iswi_scale_renew(iswi_pool *pool)
{
    const iswi_scale *scale = &pool->scale;
    unsigned wanted = atomic_load(&pool->wanted);

    set_bounds(pool);
    if (wanted < scale->least)
        atomic_store(&pool->wanted, scale->least);
    if (wanted > scale->most)
        atomic_store(&pool->wanted, scale->most);
    for (unsigned i = 0; i < pool->count; i++) {
        pthread_mutex_lock(&pool->processes[i].lock);
        iswi_process_set_alarm(&pool->processes[i]);
        pthread_mutex_unlock(&pool->processes[i].lock);
    }
}

/* -- What is needed ---------------------------------------------------------------------------- */

typedef struct load {
    unsigned calls;     /* the most at once since the last look, and those that wait, also elsewhere */
    unsigned in_flight; /* now */
    unsigned credits;   /* of those who serve */
} load;

static void add_process(iswi_pool *pool, iswi_process *process, load *all)
{
    pthread_mutex_lock(&process->lock);
    if (!process->retiring) {
        all->calls += process->peak;
        all->in_flight += process->in_flight;
        process->peak = process->in_flight;
    }
    if (process->state == ISWI_PROCESS_READY && process->credit) {
        all->credits += process->credit;
        pool->scale.credit = process->credit;
        pool->scale.start_ns = process->ready_ns - process->started_ns;
    }
    pthread_mutex_unlock(&process->lock);
}

void iswi_function_backlog(iswi_host_function *function, size_t calls)
{
    size_t before = atomic_exchange(&function->backlog, calls);

    if (calls > before && atomic_load(&function->pool->scale.on))
        iswi_host_wake(function->pool->processes->host);
}

/* What triggers would begin if there was room, of all functions of the pool. */
static unsigned backlog_of(const iswi_pool *pool)
{
    const iswi_host *host = pool->processes->host;
    size_t count = 0;

    for (size_t i = 0; i < host->function_count; i++)
        if (host->functions[i]->pool == pool)
            count += atomic_load(&host->functions[i]->backlog);
    return count < UINT16_MAX ? (unsigned)count : UINT16_MAX;
}

static load measure(iswi_pool *pool)
{
    load all = { .calls = 0 };
    unsigned waiting = atomic_load(&pool->queue.waiting) + backlog_of(pool);

    for (unsigned i = 0; i < pool->count; i++)
        if (!iswi_process_is_spare(&pool->processes[i]))
            add_process(pool, &pool->processes[i], &all);
    all.calls += waiting;
    all.in_flight += waiting;
    return all;
}

/* Of processes, for so many calls at once. */
static unsigned processes_for(const iswi_pool *pool, unsigned calls)
{
    const iswi_scale *scale = &pool->scale;
    double each = pool->settings->processes.target * (scale->credit ? scale->credit : 1);
    double exact = calls / each;
    unsigned needed = exact < scale->most ? (unsigned)exact : scale->most;

    if (needed < exact && needed < scale->most)
        needed++;
    return needed > scale->least ? needed : scale->least;
}

static unsigned most_of(const iswi_scale *scale)
{
    unsigned most = 0;

    for (unsigned i = 0; i < ISWI_SCALE_PARTS; i++)
        if (scale->needs[i] > most)
            most = scale->needs[i];
    return most;
}

static void turn(iswi_scale *scale, int64_t now_ns)
{
    for (unsigned i = ISWI_SCALE_PARTS - 1; i; i--)
        scale->needs[i] = scale->needs[i - 1];
    scale->needs[0] = 0;
    scale->turn_ns = now_ns + scale->part_ns;
}

/* 0: none does. */
static int64_t waiting_since(iswi_queue *queue)
{
    int64_t since_ns;

    if (!atomic_load(&queue->waiting))
        return 0;
    pthread_mutex_lock(&queue->lock);
    since_ns = iswi_lines_oldest_ns(&queue->lines);
    pthread_mutex_unlock(&queue->lock);
    return since_ns;
}

/* Whether calls wait longer than another process takes to start, or will. */
static bool is_short(iswi_pool *pool, const load *now, int64_t now_ns, int64_t *next_ns)
{
    int64_t since_ns = waiting_since(&pool->queue);
    int64_t due_ns = since_ns + pool->scale.start_ns;

    if (now->in_flight > pool->settings->processes.target * now->credits)
        return true;
    if (!since_ns)
        return false;
    if (now_ns >= due_ns)
        return true;
    if (due_ns < *next_ns)
        *next_ns = due_ns;
    return false;
}

/* -- Wanting ----------------------------------------------------------------------------------- */

static void want(iswi_pool *pool, unsigned count)
{
    unsigned before = atomic_exchange(&pool->wanted, count);

    iswi_say(pool->processes->host, ISW_LOG_DEBUG, "worker %s: %u processes are wanted, %u were",
             pool->settings->name, count, before);
}

/* A part of the time is over: one fewer, if all of the parts could have done with fewer. */
static void want_fewer(iswi_pool *pool, int64_t now_ns)
{
    iswi_scale *scale = &pool->scale;
    unsigned wanted = atomic_load(&pool->wanted);
    unsigned needed = processes_for(pool, most_of(scale));

    if (needed < wanted && pool->indexed && !iswi_pool_is_over(pool) &&
        pool->roll.now.state != ISWI_ROLL_GOES_ON)
        want(pool, wanted - 1);
    turn(scale, now_ns);
}

/* Calls may ask for the next look, but not at once: one is due without that. */
static void calm_down(iswi_scale *scale, int64_t now_ns, int64_t *next_ns)
{
    if (!atomic_load(&scale->rung))
        return;
    if (now_ns < scale->calm_ns) {
        if (scale->calm_ns < *next_ns)
            *next_ns = scale->calm_ns;
        return;
    }
    scale->calm_ns = now_ns + CALM_MS * MS;
    atomic_store(&scale->rung, false);
}

void iswi_scale_tend(iswi_pool *pool, int64_t now_ns, int64_t *next_ns)
{
    iswi_scale *scale = &pool->scale;
    unsigned wanted = atomic_load(&pool->wanted);
    unsigned needed;
    load now;

    if (!scale->on)
        return;
    calm_down(scale, now_ns, next_ns);
    now = measure(pool);
    if (now.calls > scale->needs[0])
        scale->needs[0] = now.calls;
    needed = processes_for(pool, now.in_flight);
    if (needed > wanted && is_short(pool, &now, now_ns, next_ns))
        want(pool, needed);
    else if (now_ns >= scale->turn_ns)
        want_fewer(pool, now_ns);
    if (atomic_load(&pool->wanted) > scale->least && scale->turn_ns < *next_ns)
        *next_ns = scale->turn_ns;
}

/* -- Who goes ---------------------------------------------------------------------------------- */

/* Less is idler: those that are unhealthy, those with nothing in flight by when the last one ended,
 * then the others by how much they have. */
static int64_t rank_of(iswi_process *process)
{
    int64_t rank = INT64_MAX;

    pthread_mutex_lock(&process->lock);
    if (!process->retiring && process->state == ISWI_PROCESS_READY && process->health.keeps_out)
        rank = -1;
    else if (!process->retiring && process->state != ISWI_PROCESS_GONE && process->in_flight)
        rank = INT64_MAX - 1 - UINT16_MAX + process->in_flight;
    else if (!process->retiring && process->state != ISWI_PROCESS_GONE)
        rank = process->ended_ns_of[0];
    pthread_mutex_unlock(&process->lock);
    return rank;
}

iswi_process *iswi_scale_idlest(iswi_pool *pool)
{
    iswi_process *idlest = NULL;
    int64_t least = INT64_MAX;

    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];
        int64_t rank = iswi_process_is_spare(process) || process->trial ? INT64_MAX
                                                                        : rank_of(process);

        if (rank < least) {
            least = rank;
            idlest = process;
        }
    }
    return idlest;
}
