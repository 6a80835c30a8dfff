/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iswi_host_run: one thread that waits for ends, output, deadlines and wishes, and tends every
 * process. Invariant: it sleeps until the nearest time that anything asked for, so that an idle
 * host does nothing between heartbeats.
 */
#include "base/clock.h"
#include "host/engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#define LOOK_AGAIN_NS INT64_C(10000000)

static void on_event(iswi_host *host, uint64_t key)
{
    uint64_t count;
    iswi_process *process;

    if (key == ISWI_KEY_WAKE) {
        if (read(host->loop.wake, &count, sizeof count) < 0)
            return;
        return;
    }
    if (key == ISWI_KEY_CHANGES) {
        if (iswi_reload_look(host))
            iswi_renew_look(host);
        iswi_rebuilt_look(host);
        return;
    }
    if (key == ISWI_KEY_GUARD) {
        iswi_guard_ended(host);
        return;
    }
    if ((key & 3) == ISWI_EVENT_OF_TEMPLATE) {
        iswi_template_event(&host->pools[key >> 32], (unsigned)((key & 0xffffffff) >> 2));
        return;
    }
    process = &host->pools[key >> 32].processes[(key & 0xffffffff) >> 2];
    if (!process->running)
        return;
    if ((key & 3) == 0)
        iswi_process_ended(process);
    else
        iswi_printing_read(process, (key & 3) == 2);
}

static void wait_for_events(iswi_host *host, int64_t until_ns)
{
    struct epoll_event events[32];
    int64_t left_ms = until_ns == INT64_MAX ? -1 : (until_ns - iswi_now_ns() + 999999) / 1000000;
    int timeout = left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
    int count;

    if (until_ns != INT64_MAX && timeout < 0)
        timeout = 0;
    count = epoll_wait(host->loop.epoll, events, 32, timeout);
    host->loop.news = count > 0;
    for (int i = 0; i < count; i++)
        on_event(host, events[i].data.u64);
}

/* -- Looking at everything --------------------------------------------------------------------- */

typedef struct overview {
    unsigned here;    /* pools, without those that leave; of them: */
    unsigned settled; /* pools that are indexed, or whose processes all failed once */
    unsigned indexed;
    unsigned awaited; /* pools that are not, and may be */
    unsigned over;    /* pools that nobody serves any more */
    unsigned running; /* processes, and templates */
    int64_t next_ns;
} overview;

static bool pool_settled(const iswi_pool *pool)
{
    if (pool->indexed || iswi_pool_waits(pool))
        return true;
    for (unsigned i = 0; i < pool->count; i++)
        if (!iswi_process_is_spare(&pool->processes[i]) && pool->processes[i].failures == 0)
            return false;
    return true;
}

static bool pool_ready(iswi_pool *pool)
{
    for (unsigned i = 0; i < pool->count && !iswi_pool_waits(pool); i++) {
        iswi_process *process = &pool->processes[i];

        if (!iswi_process_is_spare(process) && !iswi_process_serves(process) &&
            process->failures == 0 && !iswi_process_is_unhealthy(process))
            return false;
    }
    return true;
}

static void tend_process(iswi_process *process, int64_t now_ns, overview *seen)
{
    int64_t next_ns = iswi_process_check_deadlines(process, now_ns);

    if (next_ns < seen->next_ns)
        seen->next_ns = next_ns;
    iswi_printing_tend(process, now_ns, &seen->next_ns);
    iswi_process_tend(process, now_ns, &seen->next_ns);
    pthread_mutex_lock(&process->lock);
    seen->running += process->running || process->link;
    pthread_mutex_unlock(&process->lock);
}

static void tend_pool(iswi_pool *pool, int64_t now_ns, overview *seen)
{
    if (iswi_pool_is(pool, ISWI_POOL_LEAVES))
        iswi_pools_tend(pool);
    iswi_scale_tend(pool, now_ns, &seen->next_ns);
    iswi_roll_tend(pool, now_ns, &seen->next_ns);
    iswi_staff_tend(pool, now_ns, &seen->next_ns);
    for (unsigned i = 0; i < pool->count; i++)
        if (!iswi_process_is_spare(&pool->processes[i]))
            tend_process(&pool->processes[i], now_ns, seen);
    seen->running += iswi_template_tend(pool, now_ns, &seen->next_ns);
    iswi_functions_tend(pool);
    iswi_queue_tend(pool, now_ns, &seen->next_ns);
}

static void count_pool(iswi_pool *pool, overview *seen)
{
    bool over = iswi_pool_is_over(pool);

    seen->here++;
    seen->over += over;
    seen->indexed += pool->indexed;
    seen->awaited += !pool->indexed && !over;
    seen->settled += pool_settled(pool) && pool_ready(pool);
}

static overview look(iswi_host *host)
{
    overview seen = { .next_ns = INT64_MAX };
    int64_t now_ns = iswi_now_ns();

    atomic_fetch_add(&host->loop.turns, 1);
    /* While we look, whoever has something sooner writes a wake that ends the next wait. */
    atomic_store(&host->loop.wake_at_ns, INT64_MAX);
    iswi_gathers_widen(host);
    iswi_renew_tend(host, now_ns, &seen.next_ns);
    for (size_t i = 0; i < host->pool_count; i++) {
        iswi_pool *pool = &host->pools[i];

        if (!iswi_pool_is(pool, ISWI_POOL_GONE))
            tend_pool(pool, now_ns, &seen);
        if (iswi_pool_is(pool, ISWI_POOL_HERE))
            count_pool(pool, &seen);
    }
    iswi_rebuilt_tend(host, now_ns, &seen.next_ns);
    iswi_guard_tend(host, now_ns, &seen.next_ns);
    iswi_triggers_tend(host, now_ns, &seen.next_ns);
    iswi_observe_turn(host, now_ns, &seen.next_ns);
    return seen;
}

/* -- Phases ------------------------------------------------------------------------------------ */

/* What triggers know. */
typedef struct publication {
    unsigned indexed;
    iswi_more more;
} publication;

static void publish(iswi_host *host, const overview *seen, publication *last)
{
    const publication now = { .indexed = seen->indexed,
                              .more = seen->indexed == seen->here ? ISWI_MORE_NONE
                                      : seen->awaited                   ? ISWI_MORE_SOON
                                                                        : ISWI_MORE_LOST };

    if (now.indexed != last->indexed || (host->triggers.published && now.more != last->more) ||
        host->loop.changed) {
        iswi_triggers_publish(host, now.more);
        host->loop.shown = host->loop.shown && now.indexed <= last->indexed;
        *last = now;
        if (host->loop.changed)
            iswi_attention_match(host);
        host->loop.changed = false;
    }
    if (host->loop.shown || seen->settled < seen->here)
        return;
    host->loop.shown = true;
    if (!host->triggers.published) {
        iswi_triggers_publish(host, now.more);
        *last = now;
    }
    atomic_store(&host->settled, true);
    iswi_attention_match(host);
    iswi_observe_settled(host);
}

/* All workers are given up: what each said, and whether another start is of any use. */
static isw_status explain(iswi_host *host, isw_error *error)
{
    isw_status status = ISW_E_CONFIG;

    for (size_t i = 0; i < host->pool_count; i++)
        if (iswi_pool_is(&host->pools[i], ISWI_POOL_HERE) &&
            !iswi_pool_first(&host->pools[i])->hopeless)
            status = ISW_E_UNAVAILABLE;
    for (size_t i = 0; i < host->pool_count; i++) {
        const iswi_process *process = iswi_pool_first(&host->pools[i]);
        isw_error own = { ISW_OK, "" };

        if (!iswi_pool_is(&host->pools[i], ISWI_POOL_HERE))
            continue;
        isw_error_set(&own, status, "no worker could be brought to serve: worker %s: %s",
                      process->label, process->fault.message);
        iswi_faults_add(host->faults, own.message);
        isw_error_set(error, status, "%s", own.message);
    }
    return status;
}

static isw_status serve(iswi_host *host, isw_error *error)
{
    publication published = { .indexed = 0 };

    iswi_guard_watch(host);
    iswi_reload_watch(host);
    iswi_renew_begin(host);
    iswi_rebuilt_begin(host);
    while (!atomic_load(&host->stops)) {
        overview seen;

        iswi_reload_heed(host);
        seen = look(host);
        if (seen.over == seen.here && !atomic_load(&host->stops))
            return explain(host, error);
        publish(host, &seen, &published);
        if (host->replacing.refused.status != ISW_OK)
            return isw_error_set(error, host->replacing.refused.status, "%s",
                                 host->replacing.refused.message);
        if (iswi_replace_tend(host, iswi_now_ns(), &seen.next_ns))
            break;
        atomic_store(&host->loop.wake_at_ns, seen.next_ns);
        wait_for_events(host, seen.next_ns);
    }
    return ISW_OK;
}

/* Nobody is woken when a request has come in, or its answer has gone out, without a call. */
static int64_t next_look(iswi_host *host, int64_t next_ns, int64_t until_ns)
{
    int64_t soon_ns = iswi_now_ns() + LOOK_AGAIN_NS;

    if (!atomic_load(&host->calls) && soon_ns < next_ns)
        next_ns = soon_ns;
    return next_ns < until_ns ? next_ns : until_ns;
}

/* Wait until nothing is on its way, the time is over, or we were asked `stops` times. */
static void wait_for_answers(iswi_host *host, int64_t ms, int stops)
{
    int64_t until_ns = iswi_now_ns() + ms * 1000000;

    while (iswi_host_in_flight(host) && iswi_now_ns() < until_ns &&
           atomic_load(&host->stops) < stops) {
        overview seen = look(host);

        if (atomic_load(&host->ending))
            iswi_shutdown_cancel(host);
        seen.next_ns = next_look(host, seen.next_ns, until_ns);
        atomic_store(&host->loop.wake_at_ns, seen.next_ns);
        wait_for_events(host, seen.next_ns);
    }
}

/* First what is in flight may end as it would, then it is told, then it is lost. Each wish to stop
 * goes one step on. */
static void drain(iswi_host *host)
{
    unsigned calls = atomic_load(&host->calls);

    iswi_triggers_quiesce(&host->triggers);
    if (calls)
        iswi_say(host, ISW_LOG_INFO,
                 "waiting for %u invocation%s in flight; Ctrl-C again cancels %s", calls,
                 calls == 1 ? "" : "s", calls == 1 ? "it" : "them");
    wait_for_answers(host, iswi_replace_grace_ms(host), 2);
    calls = atomic_load(&host->calls);
    if (!calls && iswi_host_in_flight(host))
        iswi_say(host, ISW_LOG_WARNING,
                 "%zu request%s cut off: not all of it had come in, or its answer not gone out",
                 iswi_host_in_flight(host), iswi_host_in_flight(host) == 1 ? " is" : "s are");
    if (!calls)
        return;
    iswi_say(host, ISW_LOG_INFO,
             "cancelling %u invocation%s %lld ms to answer; Ctrl-C again does not wait", calls,
             calls == 1 ? ", which has" : "s, which have",
             (long long)host->settings->host.cancel_grace_ms);
    iswi_shutdown_cancel(host);
    wait_for_answers(host, host->settings->host.cancel_grace_ms, 3);
    iswi_shutdown_lose(host);
}

static void terminate(iswi_process *process, int64_t grace_ms)
{
    bool starting;

    pthread_mutex_lock(&process->lock);
    starting = process->state == ISWI_PROCESS_STARTING;
    if (process->state == ISWI_PROCESS_READY || process->state == ISWI_PROCESS_LOADING)
        iswi_process_tell_to_end(process, grace_ms);
    else if (process->state == ISWI_PROCESS_WAITING)
        iswi_process_set_state(process, ISWI_PROCESS_GONE);
    pthread_mutex_unlock(&process->lock);
    process->state_until_ns = iswi_now_ns() + grace_ms * 1000000;
    if (starting && process->running)
        iswi_process_kill(process, "the host stops");
}

static void end_processes(iswi_host *host)
{
    bool at_once = atomic_load(&host->stops) > 2;

    for (size_t i = 0; i < host->pool_count; i++)
        for (unsigned j = 0; j < host->pools[i].count; j++)
            terminate(&host->pools[i].processes[j],
                      at_once ? 0 : host->pools[i].settings->stop_timeout_ms);
    for (;;) {
        overview seen = look(host);

        if (!seen.running)
            return;
        atomic_store(&host->loop.wake_at_ns, seen.next_ns);
        wait_for_events(host, seen.next_ns);
    }
}

isw_status iswi_host_run(iswi_host *host, isw_error *error)
{
    isw_status status = serve(host, error);

    if (!atomic_load(&host->stops)) /* it is its own end */
        atomic_fetch_add(&host->stops, 1);
    drain(host);
    end_processes(host);
    if (status == ISW_OK)
        iswi_say(host, ISW_LOG_INFO, "stopped");
    return status;
}
