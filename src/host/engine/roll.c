/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rolls: all processes of a worker are replaced, with no call lost. Invariant: a process is sent
 * away only when its successor is ready, so that a program that cannot serve changes nothing.
 */
#include "host/engine/roll.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/engine.h"

#include <stdio.h>

enum { MS = 1000000, PARTS = 4 /* of the seats: so many at a time, once one was replaced */ };

isw_status iswi_roll_init(iswi_pool *pool, unsigned seats, isw_error *error)
{
    iswi_roll *roll = &pool->roll;

    pthread_mutex_init(&roll->lock, NULL);
    roll->steps = iswi_calloc(seats, sizeof *roll->steps);
    roll->steps_max = seats;
    roll->edition = 1;
    return roll->steps ? ISW_OK : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for processes");
}

void iswi_roll_fini(iswi_pool *pool)
{
    pthread_mutex_destroy(&pool->roll.lock);
    iswi_free(pool->roll.steps);
}

void iswi_roll_forget(iswi_pool *pool)
{
    pthread_mutex_lock(&pool->roll.lock);
    pool->roll.now = (iswi_roll_look){ .id = pool->roll.now.id };
    pthread_mutex_unlock(&pool->roll.lock);
    pool->roll.again_ns = 0;
}

/* -- Whom it is about -------------------------------------------------------------------------- */

static bool is_on_trial(const iswi_process *process)
{
    return process->trial;
}

/* One of the staff that is to be replaced; who waits to be started is started as it is to be. */
static bool is_old(iswi_process *process)
{
    const iswi_roll *roll = &process->pool->roll;
    bool rolls = roll->now.state == ISWI_ROLL_GOES_ON && process->edition != roll->edition;
    bool old;

    if (iswi_process_is_spare(process) || is_on_trial(process))
        return false;
    pthread_mutex_lock(&process->lock);
    old = !process->retiring && process->state != ISWI_PROCESS_WAITING && (rolls || process->due);
    pthread_mutex_unlock(&process->lock);
    return old;
}

static bool has_successor(const iswi_pool *pool, const iswi_process *process)
{
    for (unsigned i = 0; i < pool->count; i++)
        if (pool->processes[i].succeeds == process)
            return true;
    return false;
}

static unsigned count_successors(const iswi_pool *pool)
{
    unsigned count = 0;

    for (unsigned i = 0; i < pool->count; i++)
        count += is_on_trial(&pool->processes[i]);
    return count;
}

static bool is_ready(iswi_process *process)
{
    bool ready;

    pthread_mutex_lock(&process->lock);
    ready = process->state == ISWI_PROCESS_READY && process->credit;
    pthread_mutex_unlock(&process->lock);
    return ready;
}

/* -- Its course -------------------------------------------------------------------------------- */

static void set_state(iswi_roll *roll, iswi_roll_state state, const char *why)
{
    pthread_mutex_lock(&roll->lock);
    roll->now.state = state;
    roll->now.took_ms = (iswi_now_ns() - roll->now.begun_ns) / MS;
    snprintf(roll->now.why, sizeof roll->now.why, "%s", why);
    pthread_mutex_unlock(&roll->lock);
}

/* A worker that sleeps has one process started, so that its program is known to serve, and what. */
static void wake(iswi_pool *pool, int64_t now_ns, int64_t *next_ns)
{
    iswi_process *process = iswi_staff_place(pool, now_ns, next_ns);
    iswi_seat *seat = iswi_staff_free_seat(pool);

    if (!process || !seat)
        return;
    iswi_staff_appoint(process, seat);
    process->trial = true;
    process->succeeds = NULL;
    *next_ns = now_ns;
}

static void begin(iswi_pool *pool, unsigned asked, int64_t now_ns, int64_t *next_ns)
{
    iswi_roll *roll = &pool->roll;
    unsigned wanted = atomic_load(&pool->wanted);

    roll->seen = asked;
    roll->edition++;
    roll->again_ns = 0;
    pthread_mutex_lock(&roll->lock);
    roll->now = (iswi_roll_look){ .id = asked,
                                  .state = ISWI_ROLL_GOES_ON,
                                  .total = wanted ? wanted : 1,
                                  .begun_ns = iswi_now_ns() };
    pthread_mutex_unlock(&roll->lock);
    iswi_say(pool->processes->host, ISW_LOG_INFO, "worker %s: its processes are replaced",
             pool->settings->name);
    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process_retry(&pool->processes[i]);
        pool->processes[i].failures = 0;
    }
    if (!wanted)
        wake(pool, now_ns, next_ns);
}

static void stop(iswi_roll *roll, unsigned asked, const char *why)
{
    pthread_mutex_lock(&roll->lock);
    roll->now.id = roll->seen = asked;
    pthread_mutex_unlock(&roll->lock);
    set_state(roll, ISWI_ROLL_FAILED, why);
}

static void note_step(iswi_roll *roll, const iswi_process *before, const iswi_process *now)
{
    pthread_mutex_lock(&roll->lock);
    if (roll->now.state == ISWI_ROLL_GOES_ON && roll->now.done < roll->steps_max)
        roll->steps[roll->now.done++] =
            (iswi_roll_step){ .label = now->label,
                              .before = before ? before->os.pid : 0,
                              .now = now->os.pid,
                              .took_ms = (iswi_now_ns() - now->started_ns) / MS };
    pthread_mutex_unlock(&roll->lock);
}

/* There was nobody, or who was there went by itself, and it has that seat. */
static void wake_up(iswi_process *process)
{
    iswi_pool *pool = process->pool;

    if (!process->seat->holder)
        process->seat->holder = process;
    if (process->seat->holder != process) { /* a call has woken another meanwhile */
        pthread_mutex_lock(&process->lock);
        iswi_process_retire(process, "it is not needed");
        pthread_mutex_unlock(&process->lock);
    }
    if (!atomic_load(&pool->wanted))
        atomic_store(&pool->wanted, 1); /* until it has slept long enough */
    note_step(&pool->roll, NULL, process);
}

static void take_over(iswi_process *process)
{
    iswi_process *before = process->succeeds;

    process->trial = false;
    process->succeeds = NULL;
    if (!before) {
        wake_up(process);
        return;
    }
    process->seat->holder = process;
    iswi_say(process->host, ISW_LOG_INFO, "worker %s: pid %ld takes over from pid %ld%s%s",
             process->label, (long)process->os.pid, (long)before->os.pid,
             before->due ? ", since " : "", before->due ? before->due : "");
    note_step(&process->pool->roll, before, process);
    pthread_mutex_lock(&before->lock);
    if (!before->cause)
        before->cause = ISWI_END_REPLACED;
    iswi_process_retire(before, before->due ? before->due : "another process has taken over");
    pthread_mutex_unlock(&before->lock);
}

static bool start_one(iswi_process *before, int64_t now_ns, int64_t *next_ns)
{
    iswi_process *process = iswi_staff_place(before->pool, now_ns, next_ns);

    if (!process)
        return false;
    iswi_staff_appoint(process, before->seat);
    process->trial = true;
    process->succeeds = before;
    return true;
}

static void start_some(iswi_pool *pool, int64_t now_ns, int64_t *next_ns)
{
    unsigned most = pool->roll.now.done ? 1 + pool->seat_count / PARTS : 1;
    unsigned count = count_successors(pool);

    if (now_ns < pool->roll.again_ns) {
        if (pool->roll.again_ns < *next_ns)
            *next_ns = pool->roll.again_ns;
        return;
    }
    for (unsigned i = 0; i < pool->count && count < most; i++) {
        iswi_process *process = &pool->processes[i];

        if (!is_old(process) || has_successor(pool, process))
            continue;
        if (!start_one(process, now_ns, next_ns))
            return;
        count++;
        *next_ns = now_ns;
    }
}

/* One of the staff that is not ready; of those that failed one that says why. */
static bool look_at_staff(iswi_pool *pool, const iswi_process **failed)
{
    bool all = true;

    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];

        if (iswi_process_is_spare(process) || is_on_trial(process) ||
            iswi_process_retires(process))
            continue;
        if (!is_old(process) && is_ready(process))
            continue;
        all = false;
        if (process->edition == pool->roll.edition && process->failures)
            *failed = process;
    }
    return all;
}

static void fail(iswi_pool *pool, const char *why)
{
    iswi_say(pool->processes->host, ISW_LOG_ERROR, "worker %s: its restart has failed: %s",
             pool->settings->name, why);
    set_state(&pool->roll, ISWI_ROLL_FAILED, why);
}

static void conclude(iswi_pool *pool)
{
    const iswi_process *failed = NULL;
    bool all = look_at_staff(pool, &failed);

    if (failed && count_successors(pool) == 0) {
        fail(pool, failed->fault.message);
    } else if (all && count_successors(pool) == 0) {
        set_state(&pool->roll, ISWI_ROLL_DONE, "");
        iswi_say(pool->processes->host, ISW_LOG_INFO,
                 "worker %s: its processes were replaced, %u in %lld ms", pool->settings->name,
                 pool->roll.now.done, (long long)pool->roll.now.took_ms);
    }
}

void iswi_roll_tend(iswi_pool *pool, int64_t now_ns, int64_t *next_ns)
{
    iswi_roll *roll = &pool->roll;
    unsigned asked = atomic_load(&roll->asked);
    bool rolls = roll->now.state == ISWI_ROLL_GOES_ON;
    bool stops = atomic_load(&pool->processes->host->stops);

    if (stops || !iswi_pool_is(pool, ISWI_POOL_HERE)) {
        if (rolls || asked != roll->seen)
            stop(roll, asked, stops ? "the host stops" : "host.yaml does not name it any more");
        return;
    }
    if (asked != roll->seen)
        begin(pool, asked, now_ns, next_ns);
    for (unsigned i = 0; i < pool->count; i++)
        if (is_on_trial(&pool->processes[i]) && is_ready(&pool->processes[i]))
            take_over(&pool->processes[i]);
    start_some(pool, now_ns, next_ns);
    if (roll->now.state == ISWI_ROLL_GOES_ON)
        conclude(pool);
}

/* -- Successors -------------------------------------------------------------------------------- */

/* NULL: there is none of that name, or it cannot be run there. */
static const iswi_host_function *find(const iswi_process *process, const char *name)
{
    for (size_t i = 0; i < process->function_count; i++) {
        const iswi_host_function *function = process->functions[i];

        if (strcmp(function->name, name) == 0)
            return process->lacks[function->place] ? NULL : function;
    }
    return NULL;
}

bool iswi_roll_accepts(iswi_process *process)
{
    const iswi_process *before = process->succeeds;

    for (size_t i = 0; before && i < process->function_count; i++) {
        const char *name = process->functions[i]->name;

        if (find(process, name) || !find(before, name))
            continue;
        iswi_process_kill(process, "it cannot run function %s, which the process before it can",
                          name);
        return false;
    }
    return true;
}

void iswi_roll_follow(iswi_process *process)
{
    iswi_pool *pool = process->pool;

    if (pool->roll.now.state == ISWI_ROLL_GOES_ON)
        return;
    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *other = &pool->processes[i];

        if (other == process || iswi_process_is_spare(other) || other == process->succeeds ||
            is_on_trial(other) || iswi_process_retires(other))
            continue;
        process->edition = pool->roll.edition + 1;
        atomic_fetch_add(&pool->roll.asked, 1);
        return;
    }
}

void iswi_roll_refused(iswi_process *process)
{
    iswi_pool *pool = process->pool;
    const char *words = process->printing.words[1];
    bool told = !*words || strstr(process->fault.message, words);
    char why[sizeof pool->roll.now.why];

    snprintf(why, sizeof why, "the new process, pid %ld, did not become ready%s: %.600s%s%s",
             (long)process->os.pid, process->succeeds ? ", and the one before it goes on" : "",
             process->fault.message, told ? "" : "; its last words: ", told ? "" : words);
    if (pool->roll.now.state == ISWI_ROLL_GOES_ON)
        fail(pool, why);
    else
        iswi_say(process->host, ISW_LOG_ERROR, "worker %s: %s", process->label, why);
    pool->roll.again_ns = iswi_now_ns() + pool->settings->restart_delay_max_ms * MS;
    process->trial = false;
    process->succeeds = NULL;
    iswi_process_vacate(process);
}

void iswi_process_replace(iswi_process *process, const char *why)
{
    if (!process->due && iswi_launcher_is_parent(&process->pool->launcher))
        process->due = why;
    iswi_host_wake(process->host);
}
