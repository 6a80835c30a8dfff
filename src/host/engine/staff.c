/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is to be there: seats are filled, and who leaves them finishes what it has. Invariant: a
 * process that is not spare has a seat or retires, and a seat has one holder at most.
 */
#include "host/engine/staff.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/engine.h"

#include <stdio.h>

enum {
    MS = 1000000,
    SPARES_MIN = 4,     /* places beside the seats */
    HURRY_MS = 2000     /* that others have to finish when nobody serves, and none can start */
};

/* -- Making ------------------------------------------------------------------------------------ */

static void init_process(iswi_host *host, iswi_pool *pool, unsigned index)
{
    iswi_process *process = &pool->processes[index];

    process->host = host;
    process->pool = pool;
    process->index = index;
    process->os.output = process->os.errors = -1;
    process->seat = &pool->seats[0];
    process->label = process->seat->label;
    pthread_mutex_init(&process->lock, NULL);
    iswi_printing_init(&process->printing);
    atomic_init(&process->load, UINT32_MAX);
    atomic_init(&process->spare, true);
    process->state = ISWI_PROCESS_SPARE;
}

static unsigned places_for(unsigned seats)
{
    return seats + (seats < SPARES_MIN ? SPARES_MIN : seats);
}

isw_status iswi_staff_init(iswi_host *host, iswi_pool *pool, unsigned wanted, unsigned most,
                           isw_error *error)
{
    pool->seats_max = pool->launcher.apart ? ISWI_WORKER_PROCESSES_MAX : most;
    pool->seats = iswi_calloc(pool->seats_max, sizeof *pool->seats);
    pool->places_max = places_for(pool->seats_max);
    pool->processes = iswi_calloc(pool->places_max, sizeof *pool->processes);
    if (!pool->seats || !pool->processes)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for processes");
    iswi_staff_widen(host, pool, most);
    atomic_init(&pool->wanted, wanted);
    return ISW_OK;
}

void iswi_staff_widen(iswi_host *host, iswi_pool *pool, unsigned most)
{
    const char *name = pool->settings->name;
    bool alone = pool->seat_count == 0 && most == 1;

    for (; pool->seat_count < most; pool->seat_count++)
        snprintf(pool->seats[pool->seat_count].label, sizeof pool->seats[0].label,
                 alone ? "%s" : "%s[%u]", name, pool->seat_count);
    for (unsigned i = pool->count; i < places_for(pool->seat_count); i++) {
        init_process(host, pool, i);
        atomic_store(&pool->count, i + 1);
    }
}

void iswi_host_debug_worker(iswi_host *host, size_t worker)
{
    iswi_pool *pool = &host->pools[worker];

    pool->debugged = true;
    while (pool->count > 1) {
        iswi_process *last = &pool->processes[--pool->count];

        pthread_mutex_destroy(&last->lock);
        iswi_printing_fini(&last->printing);
    }
    pool->seat_count = 1;
    atomic_store(&pool->scale.on, false); /* nor is it sent away when there is nothing to do */
    atomic_store(&pool->wanted, 1);
}

/* -- Coming ------------------------------------------------------------------------------------ */

static iswi_process *find_spare(iswi_pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++)
        if (atomic_load(&pool->processes[i].spare))
            return &pool->processes[i];
    return NULL;
}

iswi_seat *iswi_staff_free_seat(iswi_pool *pool)
{
    for (unsigned i = 0; i < pool->seat_count; i++)
        if (!pool->seats[i].holder)
            return &pool->seats[i];
    return NULL;
}

void iswi_staff_appoint(iswi_process *process, iswi_seat *seat)
{
    pthread_mutex_lock(&process->lock);
    process->seat = seat;
    process->label = seat->label;
    process->starts = seat->starts;
    process->ended_calls = process->failed_calls = 0;
    process->retiring = process->due = NULL;
    process->seen_off = false;
    process->failures = 0;
    process->start_at_ns = 0;
    iswi_process_set_state(process, ISWI_PROCESS_WAITING);
    atomic_store(&process->spare, false);
    pthread_mutex_unlock(&process->lock);
}

/* -- Going ------------------------------------------------------------------------------------- */

bool iswi_process_see_off(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    bool ends;

    pthread_mutex_lock(&process->lock);
    ends = process->state == ISWI_PROCESS_READY && process->in_flight == 0;
    if (ends) {
        int64_t grace_ms = process->pool->settings->stop_timeout_ms;

        iswi_process_tell_to_end(process, grace_ms);
        process->state_until_ns = now_ns + grace_ms * MS;
    }
    pthread_mutex_unlock(&process->lock);
    if (!ends && now_ns >= process->state_until_ns) { /* make_room */
        iswi_process_kill(process, "it did not end what was cancelled so that another can start");
        return true;
    }
    if (process->state_until_ns < *next_ns)
        *next_ns = process->state_until_ns;
    return ends;
}

void iswi_process_vacate(iswi_process *process)
{
    iswi_seat *seat = process->seat;

    pthread_mutex_lock(&process->lock);
    if (seat->holder == process)
        seat->holder = NULL;
    atomic_fetch_add(&seat->ended, process->ended_calls);
    atomic_fetch_add(&seat->failed, process->failed_calls);
    process->ended_calls = process->failed_calls = 0;
    process->retiring = NULL;
    iswi_process_set_state(process, ISWI_PROCESS_SPARE);
    atomic_store(&process->spare, true);
    pthread_mutex_unlock(&process->lock);
    process->state_until_ns = INT64_MAX;
    iswi_host_wake(process->host);
}

/* 0: it does not, or is not ready. */
static int64_t retires_since(iswi_process *process)
{
    int64_t since_ns;

    pthread_mutex_lock(&process->lock);
    since_ns = process->retiring && process->state == ISWI_PROCESS_READY ? process->retired_ns : 0;
    pthread_mutex_unlock(&process->lock);
    return since_ns;
}

static bool somebody_serves(const iswi_pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++)
        if (iswi_process_serves(&pool->processes[i]))
            return true;
    return false;
}

/* How long one may take to finish before its place is taken from it. */
static int64_t patience_ns(const iswi_pool *pool)
{
    int64_t grace_ms = pool->processes->host->settings->host.shutdown_grace_ms;

    return (grace_ms < HURRY_MS || somebody_serves(pool) ? grace_ms : HURRY_MS) * MS;
}

/* Somebody is to start, and there is no place: what the one has that retires for the longest time
 * is cancelled, once it has had its time. */
static void make_room(iswi_pool *pool, int64_t now_ns, int64_t *next_ns)
{
    int64_t due_ns;

    iswi_process *longest = NULL;

    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];
        int64_t since_ns = retires_since(process);

        if (process->seen_off)
            return; /* one is on its way out */
        if (since_ns && (!longest || since_ns < longest->retired_ns))
            longest = process;
    }
    if (!longest)
        return;
    due_ns = longest->retired_ns + patience_ns(pool);
    if (now_ns < due_ns) {
        *next_ns = due_ns < *next_ns ? due_ns : *next_ns;
        return;
    }
    longest->seen_off = true;
    longest->state_until_ns = now_ns + longest->host->settings->host.cancel_grace_ms * MS;
    iswi_say(longest->host, ISW_LOG_WARNING,
             "worker %s: pid %ld has not finished since it was to end (%s), and its place is needed: "
             "%u invocation%s cancelled", longest->label, (long)longest->os.pid, longest->retiring,
             longest->in_flight, longest->in_flight == 1 ? " is" : "s are");
    iswi_shutdown_tell(longest);
}

iswi_process *iswi_staff_place(iswi_pool *pool, int64_t now_ns, int64_t *next_ns)
{
    iswi_process *process = find_spare(pool);

    if (!process)
        make_room(pool, now_ns, next_ns);
    return process;
}

/* -- As many as are wanted --------------------------------------------------------------------- */

/* Who was to take its place anyway has it now; NULL: nobody. */
static iswi_process *successor_of(iswi_pool *pool, const iswi_process *process)
{
    for (unsigned i = 0; i < pool->count; i++)
        if (pool->processes[i].succeeds == process) {
            pool->processes[i].succeeds = NULL;
            return &pool->processes[i];
        }
    return NULL;
}

/* Seats of those who retire are free for others. Returns how many are taken. */
static unsigned clear_seats(iswi_pool *pool)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < pool->seat_count; i++) {
        iswi_seat *seat = &pool->seats[i];
        char who[32];

        if (!seat->holder)
            continue;
        if (!iswi_process_retires(seat->holder)) {
            taken++;
            continue;
        }
        snprintf(who, sizeof who, seat->holder->os.pid ? "pid %ld" : "a remote process",
                 (long)seat->holder->os.pid);
        iswi_say(seat->holder->host, pool->scale.on ? ISW_LOG_DEBUG : ISW_LOG_INFO,
                 "worker %s: %s gets no more calls: %s", seat->label, who,
                 seat->holder->retiring);
        seat->holder = successor_of(pool, seat->holder);
        taken += seat->holder != NULL;
    }
    return taken;
}

/* NULL: nobody of the staff was given up. */
static iswi_process *find_gone(iswi_pool *pool)
{
    for (unsigned i = 0; i < pool->seat_count; i++) {
        iswi_process *process = pool->seats[i].holder;
        bool gone;

        if (!process)
            continue;
        pthread_mutex_lock(&process->lock);
        gone = process->state == ISWI_PROCESS_GONE;
        pthread_mutex_unlock(&process->lock);
        if (gone)
            return process;
    }
    return NULL;
}

/* False: nobody can be. */
static bool dismiss(iswi_pool *pool)
{
    iswi_process *gone = find_gone(pool);
    iswi_process *process = gone ? gone : iswi_scale_idlest(pool);

    if (!process)
        return false;
    process->seat->starts = 0; /* who comes there next is started, and not started again */
    if (gone) {
        iswi_process_vacate(gone);
        return true;
    }
    pthread_mutex_lock(&process->lock);
    iswi_process_retire(process, "it is not needed");
    pthread_mutex_unlock(&process->lock);
    return true;
}

void iswi_staff_tend(iswi_pool *pool, int64_t now_ns, int64_t *next_ns)
{
    unsigned taken = clear_seats(pool);
    unsigned wanted = atomic_load(&pool->wanted);

    if (atomic_load(&pool->processes->host->stops))
        return;
    for (; taken > wanted; taken--)
        if (!dismiss(pool))
            break;
    for (; taken < wanted; taken++) {
        iswi_process *process = iswi_staff_place(pool, now_ns, next_ns);
        iswi_seat *seat = iswi_staff_free_seat(pool);

        if (!process || !seat)
            return;
        iswi_staff_appoint(process, seat);
        seat->holder = process;
        *next_ns = now_ns;
    }
}
