/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring lane: two rings of shared memory beside a socket. Either the socket connects, says hello
 * and is left for the rings by an upgrade; or the session begins on the rings, and the socket only
 * tells that the other side is there. In both cases its end is the end, after what the ring holds.
 *
 * Who reads: threads of the lane's (ring_threads.c); or, of a host with a reactor and a worker that
 * begins on the ring, that reactor (ring_source.c). A worker that speaks on the socket first knows
 * of no descriptor to ring: its ring gets a thread with the upgrade.
 */
#include "base/alloc.h"
#include "link/ring_source.h"
#include "link/ring_threads.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

typedef struct ring_lane {
    iswi_link link;
    iswi_ring_end end;
    iswi_ring_threads threads;
    bool threaded; /* they were started; with the end's lock */
    int64_t spin_us;
    /* Of a host with a reactor: */
    iswi_reactor *reactor;
    iswi_ring_source source;
    int bell;          /* ours; -1: there is none */
    iswi_task to_threads; /* the upgrade of one that spoke on the socket */
    iswi_task ring;       /* wakes the worker for what was sent quietly; on the reactor's thread */
    bool will_ring;
    unsigned unrung; /* frames that were sent so since */
} ring_lane;

enum { UNRUNG_MOST = 8 };

/* -- Operations -------------------------------------------------------------------------------- */

static void run_ring(iswi_task *task)
{
    ring_lane *lane = (ring_lane *)((char *)task - offsetof(ring_lane, ring));

    lane->will_ring = false;
    lane->unrung = 0;
    iswi_ring_end_wake(&lane->end);
}

/* A worker that is woken for each of the calls that come at once is through with one, and asleep,
 * before the next is there: so they are rung for together, or a few at a time, as they wait so long. */
static bool may_be_quiet(ring_lane *lane)
{
    if (!iswi_reactor_goes_on(lane->reactor))
        return false;
    if (!lane->will_ring)
        iswi_reactor_defer(lane->reactor, &lane->ring);
    lane->will_ring = true;
    lane->unrung = (lane->unrung + 1) % UNRUNG_MOST;
    return lane->unrung != 0;
}

static isw_status lane_send_apart(iswi_link *link, const isw_bytes *pieces, unsigned count,
                                  unsigned apart)
{
    ring_lane *lane = (ring_lane *)link;
    bool quiet = false;

    if (lane->reactor) { /* before: whoever is woken may have answered when the wake returns */
        iswi_ring_source_expect(&lane->source);
        quiet = may_be_quiet(lane);
    }
    return iswi_ring_end_send(&lane->end, pieces, count, apart, quiet);
}

static isw_status lane_send(iswi_link *link, const isw_bytes *pieces, unsigned count)
{
    return lane_send_apart(link, pieces, count, count);
}

static void lane_gather(iswi_link *link, bool on)
{
    iswi_link_gather(((ring_lane *)link)->end.inner, on);
}

static size_t lane_backlog(iswi_link *link)
{
    iswi_ring_end *end = &((ring_lane *)link)->end;
    size_t bytes;

    pthread_mutex_lock(&end->lock);
    bytes = end->upgraded ? end->writer.outbox.bytes : iswi_link_backlog(end->inner);
    pthread_mutex_unlock(&end->lock);
    return bytes;
}

static iswi_peer lane_peer(iswi_link *link)
{
    return iswi_link_peer(((ring_lane *)link)->end.inner);
}

static int64_t lane_oldest_loan_ns(iswi_link *link)
{
    iswi_ring_end *end = &((ring_lane *)link)->end;
    int64_t oldest;

    pthread_mutex_lock(&end->lock);
    oldest = iswi_lender_oldest_ns(&end->writer.lender);
    pthread_mutex_unlock(&end->lock);
    return oldest;
}

static void lane_held_up(iswi_link *link)
{
    iswi_ring_threads_held_up(&((ring_lane *)link)->threads);
}

static void lane_more_waits(iswi_link *link)
{
    iswi_ring_threads_patrol(&((ring_lane *)link)->threads);
}

static void lane_mark(iswi_link *link, uint64_t id)
{
    const iswi_ring_end *end = &((ring_lane *)link)->end;

    if (atomic_load_explicit(&end->marks, memory_order_relaxed))
        iswi_ring_mark(&end->memory, id);
}

static bool lane_is_marked(iswi_link *link, uint64_t id)
{
    const iswi_ring_end *end = &((ring_lane *)link)->end;

    return !atomic_load(&end->marks) || iswi_ring_is_marked(&end->memory, id);
}

static void lane_close(iswi_link *link)
{
    iswi_ring_end *end = &((ring_lane *)link)->end;

    pthread_mutex_lock(&end->lock);
    end->closed = true;
    pthread_mutex_unlock(&end->lock);
    iswi_link_close(end->inner);
}

static bool lane_is_upgraded(iswi_link *link)
{
    iswi_ring_end *end = &((ring_lane *)link)->end;
    bool upgraded;

    pthread_mutex_lock(&end->lock);
    upgraded = end->upgraded;
    pthread_mutex_unlock(&end->lock);
    return upgraded;
}

static int lane_lifeline(iswi_link *link)
{
    return iswi_link_lifeline(((ring_lane *)link)->end.inner);
}

static void lane_lost(iswi_link *link)
{
    iswi_link_lost(((ring_lane *)link)->end.inner);
}

static unsigned lane_extras(iswi_link *link)
{
    return ISWI_LINK_APART | ISWI_LINK_BEGUN |
           (((ring_lane *)link)->end.memory.wide_base ? (unsigned)ISWI_LINK_WIDE : 0);
}

/* -- The upgrade ------------------------------------------------------------------------------- */

/* Have threads read; with the lock. */
static void start_threads(ring_lane *lane)
{
    if (lane->end.closed || lane->threaded)
        return;
    lane->threaded = true;
    if (!iswi_ring_threads_start(&lane->threads, &lane->end, lane->spin_us))
        iswi_link_close(lane->end.inner);
}

static void lane_read(iswi_link *link)
{
    ring_lane *lane = (ring_lane *)link;

    pthread_mutex_lock(&lane->end.lock);
    start_threads(lane);
    pthread_mutex_unlock(&lane->end.lock);
}

static void run_to_threads(iswi_task *task)
{
    ring_lane *lane = (ring_lane *)((char *)task - offsetof(ring_lane, to_threads));

    iswi_ring_source_stop(&lane->source);
    lane_read(&lane->link);
}

static void lane_upgrade(iswi_link *link, unsigned extras)
{
    ring_lane *lane = (ring_lane *)link;
    bool before;

    iswi_ring_end_agree(&lane->end, extras);
    pthread_mutex_lock(&lane->end.lock);
    before = lane->end.upgraded;
    lane->end.upgraded = before || !lane->end.closed;
    if (!before && !lane->reactor)
        start_threads(lane);
    pthread_mutex_unlock(&lane->end.lock);
    if (!before && lane->reactor)
        iswi_reactor_post(lane->reactor, &lane->to_threads);
}

/* -- Events of the socket ---------------------------------------------------------------------- */

static void on_inner_message(void *user, iswi_message *message)
{
    ring_lane *lane = user;
    iswi_ring_end *end = &lane->end;

    /* One that speaks here rings no bell: what comes on its ring waits for the upgrade's threads. */
    if (lane->reactor)
        iswi_ring_source_stop(&lane->source);
    pthread_mutex_lock(&end->reading);
    end->events.on_message(end->events.user, message);
    pthread_mutex_unlock(&end->reading);
}

/* On the reactor's thread. */
static void on_inner_connected(void *user)
{
    ring_lane *lane = user;

    if (!iswi_ring_source_begin(&lane->source, &lane->end, lane->reactor, lane->bell))
        iswi_link_close(lane->end.inner);
}

static void on_inner_closed(void *user)
{
    ring_lane *lane = user;
    iswi_ring_end *end = &lane->end;
    bool threads;

    pthread_mutex_lock(&end->lock);
    end->closed = true;
    atomic_store(&end->over, true);
    threads = lane->threaded;
    pthread_mutex_unlock(&end->lock);
    if (threads)
        iswi_ring_threads_end(&lane->threads);
    else if (lane->reactor)
        iswi_ring_source_end(&lane->source);
    else
        iswi_ring_end_tell_closed(end);
}

/* -- Begin and end ----------------------------------------------------------------------------- */

static void stop_source(void *user)
{
    iswi_ring_source_stop(&((ring_lane *)user)->source);
}

static void free_lane(iswi_ring_end *end)
{
    iswi_free((char *)end - offsetof(ring_lane, end));
}

static void lane_destroy(iswi_link *link)
{
    ring_lane *lane = (ring_lane *)link;

    if (lane->end.inner) {
        lane_close(link);
        if (lane->reactor) /* an upgrade that was posted has run then, too */
            iswi_reactor_call(lane->reactor, stop_source, lane);
        iswi_ring_threads_stop(&lane->threads); /* they use the socket until then */
        iswi_link_destroy(lane->end.inner);
        iswi_ring_end_tell_closed(&lane->end);
    }
    if (lane->bell >= 0)
        close(lane->bell);
    iswi_ring_end_fini(&lane->end);
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
    .extras = lane_extras,
    .is_upgraded = lane_is_upgraded,
    .gather = lane_gather,
    .oldest_loan_ns = lane_oldest_loan_ns,
    .held_up = lane_held_up,
    .more_waits = lane_more_waits,
    .mark = lane_mark,
    .is_marked = lane_is_marked,
    .lifeline = lane_lifeline,
    .lost = lane_lost,
    .read = lane_read,
};

static ring_lane *create(const iswi_ring_options *options, const iswi_link_events *events,
                         isw_error *error)
{
    ring_lane *lane = iswi_calloc(1, sizeof *lane);

    if (!lane) {
        isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a link");
        return NULL;
    }
    lane->link = (iswi_link){ &ops, *events };
    lane->spin_us = options->spin_us;
    lane->bell = -1;
    lane->source.end = &lane->end;
    lane->to_threads.run = run_to_threads;
    lane->ring.run = run_ring;
    iswi_ring_end_init(&lane->end, options, events, free_lane);
    return lane;
}

/* Memory and bell are the caller's again. */
static void discard(ring_lane *lane)
{
    lane->end.memory.base = lane->end.memory.wide_base = NULL;
    lane->bell = -1;
    lane_destroy(&lane->link);
}

static iswi_link_events inner_events(ring_lane *lane)
{
    return (iswi_link_events){ .on_message = on_inner_message,
                               .on_closed = on_inner_closed,
                               .user = lane };
}

isw_status iswi_ring_lane_dial(const char *url, const iswi_ring_options *options,
                               const iswi_link_events *events, iswi_link **out,
                               isw_error *error)
{
    ring_lane *lane = create(options, events, error);
    iswi_link_events inner = inner_events(lane);
    isw_status status;

    if (!lane)
        return error->status;
    *out = &lane->link; /* set before the first event */
    status = iswi_message_lane_dial(url, &inner, &lane->end.inner, error);
    if (status == ISW_OK)
        return ISW_OK;
    *out = NULL;
    lane->end.inner = NULL;
    discard(lane);
    return status;
}

isw_status iswi_ring_lane_serve(iswi_reactor *reactor, int bell, const char *url,
                                const iswi_ring_options *options, const iswi_link_events *events,
                                iswi_link **out, isw_error *error)
{
    ring_lane *lane = create(options, events, error);
    iswi_link_events inner = inner_events(lane);
    isw_status status;

    if (!lane)
        return error->status;
    lane->reactor = reactor;
    lane->bell = bell;
    inner.on_connected = on_inner_connected;
    inner.has_guest = events->has_guest;
    inner.guest = events->guest;
    *out = &lane->link; /* set before the first event */
    status = iswi_socket_lane_listen(reactor, url, &inner, &lane->end.inner, error);
    if (status == ISW_OK)
        return ISW_OK;
    *out = NULL;
    discard(lane);
    return status;
}

isw_status iswi_ring_lane_begin(int bell, const char *url, const iswi_ring_options *options,
                                const iswi_link_events *events, iswi_link **out, isw_error *error)
{
    ring_lane *lane = create(options, events, error);
    iswi_link_events inner = inner_events(lane);
    isw_status status;

    if (!lane)
        return error->status;
    lane->bell = lane->end.out->bell = bell;
    status = iswi_lifeline_dial(url, &inner, &lane->end.inner, error);
    if (status != ISW_OK) {
        discard(lane);
        return status;
    }
    *out = &lane->link;
    iswi_ring_end_upgrade(&lane->end); /* it is read once that is asked for */
    return ISW_OK;
}
