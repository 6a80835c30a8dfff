/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariant: while something can be read, a thread leads, or one that sleeps on the bell is about to
 * be woken; and while the leader works, the other one patrols, or the bell is rung for it.
 */
#include "link/ring_threads.h"

#include "base/clock.h"
#include "base/thread.h"
#include "link/futex.h"

#include <errno.h>
#include <time.h>

enum {
    PATROL_NS = 1000000,
    COLD_NS = 20000000 /* without traffic for that long nobody patrols */
};

/* -- The leader -------------------------------------------------------------------------------- */

/* Have the other thread woken when something comes from here on, unless it looks in anyway. */
static bool be_minded(iswi_ring_threads *self)
{
    if (atomic_load_explicit(&self->patrolled, memory_order_relaxed))
        return false;
    iswi_ring_set_sleeps(self->end->in, true);
    if (iswi_ring_ready(self->end->in))
        iswi_ring_wake_always(self->end->in);
    return true;
}

static void work(iswi_ring_threads *self)
{
    const iswi_link_events *events = &self->end->events;
    bool minded;

    iswi_ring_end_note_work(self->end);
    if (!events->on_turn)
        return;
    if (atomic_load(&self->alone)) { /* nobody would stand in: leave all work to others */
        events->is_stuck(events->user);
        return;
    }
    atomic_store_explicit(&self->working, true, memory_order_release);
    minded = be_minded(self);
    events->on_turn(events->user);
    atomic_store_explicit(&self->working, false, memory_order_release);
    if (minded)
        iswi_ring_stay_awake(self->end->in);
}

static bool has_input(void *user)
{
    return iswi_ring_ready(((iswi_ring_threads *)user)->end->in);
}

/* Read and work until nothing came for a while. Returns what the bell was before the last look. */
static uint32_t lead(iswi_ring_threads *self)
{
    iswi_ring_end *end = self->end;
    uint32_t seen = iswi_ring_bell(end->in);

    iswi_ring_stay_awake(end->in);
    while (!atomic_load_explicit(&self->stopping, memory_order_relaxed)) {
        bool last = atomic_load(&end->over);
        size_t got;

        seen = iswi_ring_bell(end->in);
        got = iswi_ring_end_take(end);
        self->left -= last ? (int64_t)got : 0;
        if (got || atomic_exchange(&self->again, false))
            work(self);
        if (last && (!got || self->left <= 0)) {
            iswi_ring_end_tell_closed(end);
            break;
        }
        if (got)
            continue;
        iswi_ring_end_flush(end);
        if (!iswi_spin_until_ready(&self->spin, has_input, self, &self->stopping))
            break;
    }
    return seen;
}

/* Nobody leads from here on. `seen` is the bell from before the last look, so that none rung since
 * is missed. */
static void sleep_on_bell(iswi_ring_threads *self, uint32_t seen)
{
    iswi_ring *in = self->end->in;
    bool sleep;

    iswi_ring_set_sleeps(in, true);
    sleep = !iswi_ring_ready(in) && !atomic_load(&self->stopping) && !atomic_load(&self->end->over);
    atomic_store(&self->led, false);
    if (sleep)
        iswi_ring_sleep(in, seen, -1);
}

/* -- The other one ----------------------------------------------------------------------------- */

static bool is_held_up(iswi_ring_threads *self)
{
    const iswi_link_events *events = &self->end->events;

    return atomic_load_explicit(&self->working, memory_order_acquire) &&
           events->is_stuck(events->user);
}

/* Read and write while the leader is held up, and have others do the work. */
static void stand_in(iswi_ring_threads *self)
{
    iswi_ring_end *end = self->end;
    bool took = false;

    while (atomic_load_explicit(&self->working, memory_order_acquire) &&
           !atomic_load(&self->stopping)) {
        uint32_t seen = iswi_ring_bell(end->in);
        bool last = atomic_load(&end->over);
        size_t got = iswi_ring_end_take(end);

        took = took || got;
        iswi_ring_end_flush(end);
        end->events.is_stuck(end->events.user);
        if (last && !got)
            iswi_ring_end_tell_closed(end);
        if (got)
            continue;
        iswi_ring_set_sleeps(end->in, true);
        if (!iswi_ring_end_has_input(end))
            iswi_ring_sleep(end->in, seen, PATROL_NS / 1000);
    }
    if (!took)
        return;
    atomic_store(&self->again, true);
    iswi_ring_wake_always(end->in);
}

/* Whether there is traffic, or was just now. */
static bool is_warm(const iswi_ring_threads *self)
{
    return iswi_now_ns() - atomic_load(&self->end->busy_ns) < COLD_NS;
}

/* Look in now and then, until there is no traffic. After it was said that nobody does comes one look
 * more: the leader may have begun to work before it saw that, and without asking to be minded. */
static void patrol(iswi_ring_threads *self)
{
    bool warm = true;

    while (!atomic_load(&self->stopping)) {
        atomic_store(&self->patrolled, warm);
        if (is_held_up(self))
            stand_in(self);
        iswi_futex_wait(&self->tick, 0, PATROL_NS, 0);
        if (!warm && !atomic_load(&self->working))
            return;
        warm = !warm || is_warm(self);
    }
}

static void *run(void *user)
{
    iswi_ring_threads *self = user;

    iswi_thread_name("isw:ring");
    while (!atomic_load(&self->stopping) && !iswi_ring_end_is_told(self->end)) {
        uint32_t seen = iswi_ring_bell(self->end->in);

        if (!atomic_exchange(&self->led, true))
            sleep_on_bell(self, lead(self));
        else if (atomic_load(&self->working))
            patrol(self);
        else
            iswi_ring_sleep(self->end->in, seen, -1);
    }
    return NULL;
}

/* -- From outside ------------------------------------------------------------------------------ */

bool iswi_ring_threads_start(iswi_ring_threads *threads, iswi_ring_end *end, int64_t spin_us)
{
    unsigned wanted = end->events.on_turn ? 2 : 1;

    threads->end = end;
    threads->left = ISWI_RING_BYTES;
    iswi_spin_init(&threads->spin, spin_us);
    while (threads->count < wanted &&
           pthread_create(&threads->threads[threads->count], NULL, run, threads) == 0)
        threads->count++;
    atomic_store(&threads->alone, threads->count < wanted);
    return threads->count > 0;
}

/* The other side can undo a ring of the bell before a thread sleeps on it, even when its process
 * has ended, if it left a child: ring until that was heard. */
static void join(iswi_ring_threads *threads, pthread_t thread)
{
    struct timespec soon;

    do {
        iswi_ring_wake_all(threads->end->in);
        iswi_futex_wake(&threads->tick, 1, 0);
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_nsec += PATROL_NS;
        soon.tv_sec += soon.tv_nsec / 1000000000;
        soon.tv_nsec %= 1000000000;
    } while (pthread_timedjoin_np(thread, NULL, &soon) == ETIMEDOUT);
}

void iswi_ring_threads_stop(iswi_ring_threads *threads)
{
    atomic_store(&threads->stopping, true);
    while (threads->count)
        join(threads, threads->threads[--threads->count]);
}

void iswi_ring_threads_end(iswi_ring_threads *threads)
{
    if (threads->end)
        iswi_ring_wake_all(threads->end->in);
}

void iswi_ring_threads_patrol(iswi_ring_threads *threads)
{
    if (!atomic_load(&threads->patrolled))
        iswi_ring_wake_always(threads->end->in);
}

void iswi_ring_threads_held_up(iswi_ring_threads *threads)
{
    iswi_ring_threads_patrol(threads);
    iswi_futex_wake(&threads->tick, 1, 0); /* one that is about to sleep looks within its patrol */
}
