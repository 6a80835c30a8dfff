/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring lane: two rings of shared memory beside a message lane, which connects, says hello and
 * notices death. After the upgrade frames travel on the rings alone.
 *
 * Two threads read. The first takes in what is there, hands it up, and then does the work that came
 * with it (on_turn): no thread is woken between a frame and its function. The second only looks in
 * once a millisecond while there is traffic; when the first is held up by its work (is_stuck), it
 * reads in its stead. A side without on_turn has the first thread only.
 *
 * Invariant: what is read is read under `reading`, so that events come one at a time; on_closed
 * comes last, from the first thread once the upgrade is done, else from the message lane.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "link/futex.h"
#include "link/link.h"
#include "link/ring_writer.h"
#include "link/sp.h"
#include "reactor/spin.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

enum {
    PATROL_NS = 1000000,
    TRIM_NS = 100000000, /* of silence, before we look for memory to give back */
    COLD_NS = 20000000 /* without traffic for that long the patrol sleeps */
};

typedef struct ring_lane {
    iswi_link link;
    iswi_link *inner;
    iswi_ring_memory memory;
    iswi_ring *in, *out;
    int64_t spin_us;

    pthread_mutex_t lock; /* guards what follows: the writing side */
    iswi_ring_writer writer;
    bool upgraded, closed;
    bool apart; /* it was agreed that long bytes may lie apart */

    pthread_mutex_t reading; /* guards the reader and the in ring */
    iswi_sp_reader reader;
    iswi_borrower borrower;
    bool broken;
    bool told; /* on_closed was raised */

    pthread_t first, second;
    bool has_first;
    atomic_bool has_second;
    atomic_bool inner_closed; /* on_closed of the message lane came */
    atomic_bool working;      /* the first thread is in on_turn */
    atomic_bool again;        /* the second thread has left work for the first */
    atomic_bool stopping;
    atomic_llong busy_ns;  /* when something last came */
    _Atomic uint32_t patrol; /* futex of the second thread: 1 while it is to look in */
} ring_lane;

/* -- Writing ----------------------------------------------------------------------------------- */

/* With the lock. */
static void end_if_broken(ring_lane *lane)
{
    if (lane->writer.broken)
        iswi_link_close(lane->inner);
}

/* `apart` is the piece that may lie apart; `count`: none. */
static isw_status lane_send_apart(iswi_link *link, const isw_bytes *pieces, unsigned count,
                                  unsigned apart)
{
    ring_lane *lane = (ring_lane *)link;
    isw_status status;

    pthread_mutex_lock(&lane->lock);
    if (!lane->upgraded) {
        status = iswi_link_send_pieces(lane->inner, pieces, count);
    } else if (lane->closed) {
        status = ISW_E_CLOSED;
    } else {
        status = lane->apart && apart < count
                     ? iswi_ring_writer_send_apart(&lane->writer, pieces, count, apart)
                     : iswi_ring_writer_send(&lane->writer, pieces, count);
        end_if_broken(lane);
    }
    pthread_mutex_unlock(&lane->lock);
    return status;
}

static isw_status lane_send(iswi_link *link, const isw_bytes *pieces, unsigned count)
{
    return lane_send_apart(link, pieces, count, count);
}

/* What found no room earlier. */
static void write_waits(ring_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    if (!lane->closed && iswi_ring_writer_waits(&lane->writer)) {
        iswi_ring_writer_flush(&lane->writer);
        end_if_broken(lane);
    }
    pthread_mutex_unlock(&lane->lock);
}

static void lane_gather(iswi_link *link, bool on)
{
    iswi_link_gather(((ring_lane *)link)->inner, on);
}

static size_t lane_backlog(iswi_link *link)
{
    ring_lane *lane = (ring_lane *)link;
    size_t bytes;

    pthread_mutex_lock(&lane->lock);
    bytes = lane->upgraded ? lane->writer.outbox.bytes : iswi_link_backlog(lane->inner);
    pthread_mutex_unlock(&lane->lock);
    return bytes;
}

/* -- Reading ----------------------------------------------------------------------------------- */

/* Read once, as much as there is; returns how many bytes. */
static size_t take_in(ring_lane *lane)
{
    const iswi_link_events *events = &lane->link.events;
    bool cramped = false;
    size_t got = 0;
    void *at;
    size_t room;

    pthread_mutex_lock(&lane->reading);
    if (!lane->broken && !lane->told) {
        lane->broken = iswi_sp_reader_space(&lane->reader, &at, &room) != ISW_OK;
        if (!lane->broken)
            got = iswi_ring_read(lane->in, at, room, &cramped, &lane->broken);
        if (got)
            lane->broken = iswi_sp_reader_deliver(&lane->reader, got, events->on_message,
                                                  events->user) != ISW_OK;
        if (lane->broken)
            iswi_link_close(lane->inner);
    }
    pthread_mutex_unlock(&lane->reading);
    if (cramped)
        iswi_ring_wake_always(lane->out);
    return got;
}

static bool has_input(ring_lane *lane)
{
    bool ready;

    pthread_mutex_lock(&lane->reading);
    ready = !lane->broken && iswi_ring_ready(lane->in);
    pthread_mutex_unlock(&lane->reading);
    return ready;
}

/* Tell of the end, once; nothing is delivered after it. */
static void tell_closed(ring_lane *lane)
{
    pthread_mutex_lock(&lane->reading);
    if (!lane->told)
        lane->link.events.on_closed(lane->link.events.user);
    lane->told = true;
    pthread_mutex_unlock(&lane->reading);
}

/* -- Waiting ----------------------------------------------------------------------------------- */

static bool something_came(void *user)
{
    return iswi_ring_ready(((ring_lane *)user)->in);
}

/* `seen` is the bell from before we looked for work, so that none rung since is missed. */
static void sleep_on_bell(ring_lane *lane, uint32_t seen)
{
    iswi_ring_set_sleeps(lane->in, true);
    if (!iswi_ring_ready(lane->in) && !atomic_load(&lane->stopping) &&
        !atomic_load(&lane->inner_closed))
        iswi_ring_sleep(lane->in, seen, -1);
    iswi_ring_set_sleeps(lane->in, false);
}

/* -- The two threads --------------------------------------------------------------------------- */

static void wake_second(ring_lane *lane)
{
    iswi_futex_wake(&lane->patrol, 1, 0);
}

/* Have the second thread look in from now on. */
static void warm_up(ring_lane *lane)
{
    if (atomic_load(&lane->patrol))
        return;
    atomic_store(&lane->patrol, 1);
    wake_second(lane);
}

/* Memory of large messages that were long ago; `before_ns` is when something came before now. */
static void trim(ring_lane *lane, int64_t before_ns, int64_t now_ns)
{
    if (now_ns - before_ns < TRIM_NS)
        return;
    pthread_mutex_lock(&lane->lock);
    iswi_lender_trim(&lane->writer.lender, now_ns);
    pthread_mutex_unlock(&lane->lock);
}

static void do_the_work(ring_lane *lane)
{
    int64_t now = iswi_now_ns();

    trim(lane, atomic_exchange(&lane->busy_ns, now), now);
    if (!lane->link.events.on_turn)
        return;
    if (!lane->has_second) { /* nobody would stand in: leave all work to others */
        lane->link.events.is_stuck(lane->link.events.user);
        return;
    }
    warm_up(lane);
    atomic_store_explicit(&lane->working, true, memory_order_release);
    lane->link.events.on_turn(lane->link.events.user);
    atomic_store_explicit(&lane->working, false, memory_order_release);
}

static void *run_first(void *user)
{
    ring_lane *lane = user;
    int64_t left = ISWI_RING_BYTES; /* to read after the socket's end */
    iswi_spin spin;

    iswi_thread_name("isw:ring");
    iswi_spin_init(&spin, lane->spin_us);
    while (!atomic_load_explicit(&lane->stopping, memory_order_relaxed)) {
        uint32_t seen = iswi_ring_bell(lane->in);
        bool last = atomic_load(&lane->inner_closed);
        size_t got = take_in(lane);

        left -= last ? (int64_t)got : 0;
        if (got || atomic_exchange(&lane->again, false))
            do_the_work(lane);
        if (last && (!got || left <= 0))
            break;
        if (got)
            continue;
        write_waits(lane);
        if (!iswi_spin_until_ready(&spin, something_came, lane, &lane->stopping))
            sleep_on_bell(lane, seen);
    }
    /* A stop may come before the message lane's word, which comes last of all. */
    while (!atomic_load(&lane->inner_closed))
        iswi_ring_sleep(lane->in, iswi_ring_bell(lane->in), PATROL_NS / 1000);
    tell_closed(lane);
    return NULL;
}

/* Read and write while the first thread is held up, and have others do the work. */
static void stand_in(ring_lane *lane)
{
    bool took = false;

    while (atomic_load_explicit(&lane->working, memory_order_acquire) &&
           !atomic_load(&lane->stopping)) {
        uint32_t seen = iswi_ring_bell(lane->in);
        bool last = atomic_load(&lane->inner_closed);
        size_t got = take_in(lane);

        took = took || got;
        write_waits(lane);
        lane->link.events.is_stuck(lane->link.events.user);
        if (last && !got)
            tell_closed(lane);
        if (got)
            continue;
        iswi_ring_set_sleeps(lane->in, true);
        if (!has_input(lane))
            iswi_ring_sleep(lane->in, seen, PATROL_NS / 1000);
    }
    if (!took)
        return;
    atomic_store(&lane->again, true);
    iswi_ring_wake_always(lane->in);
}

/* Stop looking in; but not if traffic came just now and took us for awake. */
static void cool_down(ring_lane *lane)
{
    atomic_store(&lane->patrol, 0);
    if (atomic_load(&lane->working) || iswi_now_ns() - atomic_load(&lane->busy_ns) < COLD_NS)
        atomic_store(&lane->patrol, 1);
}

static void *run_second(void *user)
{
    ring_lane *lane = user;

    iswi_thread_name("isw:patrol");
    while (!atomic_load(&lane->stopping)) {
        uint32_t patrol = atomic_load(&lane->patrol);

        iswi_futex_wait(&lane->patrol, patrol, patrol ? PATROL_NS : -1, 0);
        if (!patrol)
            continue;
        if (atomic_load_explicit(&lane->working, memory_order_acquire) &&
            lane->link.events.is_stuck(lane->link.events.user))
            stand_in(lane);
        else if (iswi_now_ns() - atomic_load(&lane->busy_ns) > COLD_NS)
            cool_down(lane);
    }
    return NULL;
}

/* -- Events of the message lane ---------------------------------------------------------------- */

static void on_inner_message(void *user, iswi_message *message)
{
    ring_lane *lane = user;

    pthread_mutex_lock(&lane->reading);
    lane->link.events.on_message(lane->link.events.user, message);
    pthread_mutex_unlock(&lane->reading);
}

static void on_inner_closed(void *user)
{
    ring_lane *lane = user;
    bool upgraded;

    pthread_mutex_lock(&lane->lock);
    lane->closed = true;
    upgraded = lane->upgraded;
    atomic_store(&lane->inner_closed, true);
    pthread_mutex_unlock(&lane->lock);
    if (upgraded)
        iswi_ring_wake_always(lane->in);
    else
        lane->link.events.on_closed(lane->link.events.user);
}

/* -- Operations -------------------------------------------------------------------------------- */

static void lane_upgrade(iswi_link *link, bool apart)
{
    ring_lane *lane = (ring_lane *)link;

    pthread_mutex_lock(&lane->lock);
    if (!lane->upgraded && !lane->closed) {
        lane->apart = apart && !lane->borrower.copies;                       /* a worker sends so, */
        lane->reader.takes_apart = apart && lane->borrower.copies; /* a host takes it in */
        lane->has_first = pthread_create(&lane->first, NULL, run_first, lane) == 0;
        lane->has_second = lane->has_first && lane->link.events.on_turn &&
                           pthread_create(&lane->second, NULL, run_second, lane) == 0;
        lane->upgraded = lane->has_first;
    }
    if (!lane->upgraded)
        iswi_link_close(lane->inner);
    pthread_mutex_unlock(&lane->lock);
}

static iswi_peer lane_peer(iswi_link *link)
{
    return iswi_link_peer(((ring_lane *)link)->inner);
}

static int64_t lane_oldest_loan_ns(iswi_link *link)
{
    ring_lane *lane = (ring_lane *)link;
    int64_t oldest;

    pthread_mutex_lock(&lane->lock);
    oldest = iswi_lender_oldest_ns(&lane->writer.lender);
    pthread_mutex_unlock(&lane->lock);
    return oldest;
}

static void lane_held_up(iswi_link *link)
{
    wake_second((ring_lane *)link); /* one that is about to sleep looks within its patrol */
}

static void lane_close(iswi_link *link)
{
    ring_lane *lane = (ring_lane *)link;

    pthread_mutex_lock(&lane->lock);
    lane->closed = true;
    pthread_mutex_unlock(&lane->lock);
    iswi_link_close(lane->inner);
}

/* The other side can undo a ring of the bell before the first thread sleeps on it, even when its
 * process has ended, if it left a child: ring until that was heard. */
static void join_first(ring_lane *lane)
{
    struct timespec soon;

    do {
        iswi_ring_wake_always(lane->in);
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_nsec += PATROL_NS;
        soon.tv_sec += soon.tv_nsec / 1000000000;
        soon.tv_nsec %= 1000000000;
    } while (pthread_timedjoin_np(lane->first, NULL, &soon) == ETIMEDOUT);
}

static void stop_threads(ring_lane *lane)
{
    atomic_store(&lane->stopping, true);
    if (lane->has_first)
        join_first(lane);
    if (lane->has_second) {
        atomic_store(&lane->patrol, 2);
        wake_second(lane);
        iswi_ring_wake_always(lane->in);
        pthread_join(lane->second, NULL);
    }
}

/* The lane is destroyed, and nothing that lies in its memory is held any more. */
static void free_lane(iswi_borrower *borrower)
{
    ring_lane *lane = (ring_lane *)((char *)borrower - offsetof(ring_lane, borrower));

    iswi_ring_memory_unmap(&lane->memory);
    iswi_free(lane);
}

static void lane_destroy(iswi_link *link)
{
    ring_lane *lane = (ring_lane *)link;

    if (lane->inner) {
        lane_close(link);
        stop_threads(lane); /* they use the message lane until then */
        iswi_link_destroy(lane->inner);
    }
    iswi_ring_writer_fini(&lane->writer);
    iswi_sp_reader_fini(&lane->reader);
    pthread_mutex_destroy(&lane->reading);
    pthread_mutex_destroy(&lane->lock);
    iswi_borrower_release(&lane->borrower);
}

static const iswi_link_ops ops = {
    .name = "ring",
    .send = lane_send,
    .send_apart = lane_send_apart,
    .backlog = lane_backlog,
    .peer = lane_peer,
    .close = lane_close,
    .destroy = lane_destroy,
    .upgrade = lane_upgrade,
    .gather = lane_gather,
    .oldest_loan_ns = lane_oldest_loan_ns,
    .held_up = lane_held_up,
};

typedef isw_status (*open_fn)(const char *url, const iswi_link_events *events, iswi_link **out,
                              isw_error *error);

static void set_ways(ring_lane *lane, bool is_host)
{
    iswi_ring_memory *memory = &lane->memory;

    lane->in = is_host ? &memory->up : &memory->down;
    lane->out = lane->writer.ring = is_host ? &memory->down : &memory->up;
    lane->writer.lender.arena = is_host ? memory->down_arena : memory->up_arena;
    lane->borrower.arena = is_host ? memory->up_arena : memory->down_arena;
    lane->borrower.copies = is_host;
    lane->borrower.end = free_lane;
    atomic_init(&lane->borrower.holders, 1);
    lane->reader.borrower = &lane->borrower;
    lane->reader.greeted = true;
}

static isw_status open_lane(open_fn open_inner, const char *url, const iswi_ring_options *options,
                            const iswi_link_events *events, iswi_link **out, isw_error *error)
{
    ring_lane *lane = iswi_calloc(1, sizeof *lane);
    iswi_link_events inner = { .on_message = on_inner_message,
                               .on_closed = on_inner_closed,
                               .user = lane };
    isw_status status;

    if (!lane)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a link");
    lane->link = (iswi_link){ &ops, *events };
    lane->memory = options->memory;
    set_ways(lane, options->is_host);
    lane->spin_us = options->spin_us;
    pthread_mutex_init(&lane->lock, NULL);
    pthread_mutex_init(&lane->reading, NULL);
    *out = &lane->link; /* set before the first event */
    status = open_inner(url, &inner, &lane->inner, error);
    if (status == ISW_OK)
        return ISW_OK;
    *out = NULL;
    lane->memory.base = NULL; /* still the caller's */
    lane->inner = NULL;
    lane_destroy(&lane->link);
    return status;
}

isw_status iswi_ring_lane_listen(const char *url, const iswi_ring_options *options,
                                 const iswi_link_events *events, iswi_link **out,
                                 isw_error *error)
{
    return open_lane(iswi_message_lane_listen, url, options, events, out, error);
}

isw_status iswi_ring_lane_dial(const char *url, const iswi_ring_options *options,
                               const iswi_link_events *events, iswi_link **out,
                               isw_error *error)
{
    return open_lane(iswi_message_lane_dial, url, options, events, out, error);
}
