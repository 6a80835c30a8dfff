/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which process of a pool takes a call. To wake a process costs more than most functions do: if
 * calls in flight alternate between processes, each falls asleep and is woken for every call. So
 * calls are packed onto the first process while what it has in flight takes it no longer than a
 * few wakes, by what its functions took lately; then the next one is used. Slow functions spread by
 * the same rule, since one of them is more than that, and so do those whose cost nobody tells.
 */
#include "host/engine/engine.h"

enum {
    ENOUGH_NS = 100000,   /* in flight at a process, for the next one to be worth its wake */
    COUNTED_NS = 500000,  /* as which one counts that took longer, perhaps for want of a core */
    HELD_UP_NS = 1000000, /* without a word, and something is slower than it used to be */
    WEIGHT = 16           /* one in so many, of the last one in the average */
};

/* -- What calls cost --------------------------------------------------------------------------- */

void iswi_function_learn(iswi_host_function *function, int64_t took_ns)
{
    int64_t known_ns = atomic_load_explicit(&function->cost_ns, memory_order_relaxed);
    int64_t counted_ns = took_ns < COUNTED_NS ? took_ns : COUNTED_NS;
    int64_t cost_ns = known_ns ? known_ns + (counted_ns - known_ns) / WEIGHT : counted_ns;

    /* Two at a time lose one: it is an average. */
    if (cost_ns != known_ns)
        atomic_store_explicit(&function->cost_ns, (unsigned)cost_ns, memory_order_relaxed);
}

static uint32_t cost_of(const iswi_host_function *function)
{
    unsigned cost_ns = atomic_load_explicit(&function->cost_ns, memory_order_relaxed);

    return cost_ns ? cost_ns : ENOUGH_NS;
}

/* -- Choosing ---------------------------------------------------------------------------------- */

static bool is_held_up(const iswi_process *process, int64_t now_ns)
{
    int64_t heard_ns = atomic_load_explicit(&process->heard_ns, memory_order_relaxed);
    int64_t busy_ns = atomic_load_explicit(&process->busy_ns, memory_order_relaxed);

    return now_ns - heard_ns > HELD_UP_NS && now_ns - busy_ns > HELD_UP_NS;
}

/* Whether it may have one more before others are used. */
static bool has_time(const iswi_process *process, unsigned load, int64_t now_ns)
{
    if (!load)
        return true;
    return atomic_load_explicit(&process->due_ns, memory_order_relaxed) < ENOUGH_NS &&
           !is_held_up(process, now_ns);
}

/* The first process of the pool that has time for a call, else the one with the least in flight.
 * NULL when none is ready. */
static iswi_process *choose(iswi_pool *pool, const iswi_call *call)
{
    unsigned least = UINT32_MAX;
    iswi_process *best = NULL;

    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];
        unsigned load = atomic_load_explicit(&process->load, memory_order_relaxed);

        if (load == UINT32_MAX || (process == call->avoid && pool->count > 1))
            continue;
        if (has_time(process, load, call->placed_ns))
            return process;
        if (load < least) {
            least = load;
            best = process;
        }
    }
    return best;
}

/* -- Placing ----------------------------------------------------------------------------------- */

/* Its program is another now, and does not have it, or nobody runs it any more. */
static void explain_over(const iswi_host_function *function, isw_error *failure)
{
    const char *worker = function->pool->settings->name;

    if (!iswi_pool_is(function->pool, ISWI_POOL_HERE))
        isw_error_set(failure, ISW_E_NOT_FOUND, "worker %s, which had function %s, is no more",
                      worker, function->name);
    else if (iswi_host_find(function->pool->processes->host, function->name))
        isw_error_set(failure, ISW_E_UNAVAILABLE,
                      "worker %s runs another program now, where function %s is another; try again",
                      worker, function->name);
    else
        isw_error_set(failure, ISW_E_NOT_FOUND,
                      "worker %s runs another program now, without function %s", worker,
                      function->name);
}

/* No process that has the function took it. What nobody had begun does not wait for one of those
 * that are left: where the function is another, it goes to that. */
static bool is_over(const iswi_call *call, bool none_can)
{
    const iswi_host_function *function = call->function;

    if (atomic_load(&function->over))
        return true;
    return !atomic_load(&function->current) && (none_can || !call->tries);
}

/* Nobody takes it, and nobody will. */
static void explain(iswi_pool *pool, bool lacks, isw_error *failure)
{
    iswi_process *first = iswi_pool_first(pool);

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
    bool some = best;           /* is there at all; else one will be */

    for (unsigned i = 0; i < pool->count; i++) {
        if (&pool->processes[i] == best || iswi_process_is_spare(&pool->processes[i]))
            continue;
        some = true;
        placing = iswi_process_invoke(&pool->processes[i], call, failure);
        if (placing == ISWI_PLACED || placing == ISWI_PLACE_REFUSED)
            return placing;
        lacks = lacks || placing == ISWI_PLACE_LACKS;
        wait = wait || placing == ISWI_PLACE_FULL || placing == ISWI_PLACE_CLOSED;
    }
    if (is_over(call, lacks && !wait)) {
        explain_over(call->function, failure);
        return call->tries ? ISWI_PLACE_REFUSED : ISWI_PLACE_MOVED;
    }
    if (wait || !some)
        return lacks ? ISWI_PLACE_LACKS : ISWI_PLACE_FULL;
    explain(pool, lacks, failure);
    return ISWI_PLACE_REFUSED;
}

iswi_placing iswi_pool_place(iswi_pool *pool, iswi_call *call, isw_error *failure)
{
    iswi_process *best = choose(pool, call);
    iswi_placing placing = ISWI_PLACE_CLOSED;

    call->cost_ns = cost_of(call->function);
    failure->status = ISW_OK; /* clearing 1 KiB each time shows */
    if (best)
        placing = iswi_process_invoke(best, call, failure);
    if (placing == ISWI_PLACED || placing == ISWI_PLACE_REFUSED)
        return placing;
    return place_anywhere(pool, best, placing, call, failure);
}
