/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that wait for a place. Invariant: with the lock free, the queue is empty, or the last try
 * to place what is next in it found no room, and whoever makes room comes to serve it. That is so
 * because a call counts as waiting before the processes are looked at, each with its lock, and room
 * is made with that lock before the count is looked at.
 */
#include "base/clock.h"
#include "host/engine/engine.h"

#include <stdio.h>

enum { SAY_EVERY_MS = 10000 };

#define MS INT64_C(1000000)

void iswi_queue_init(iswi_queue *queue, unsigned limit, int64_t wait_ms)
{
    pthread_mutex_init(&queue->lock, NULL);
    atomic_init(&queue->waiting, 0);
    atomic_init(&queue->due_ns, INT64_MAX);
    queue->limit = limit;
    queue->wait_ms = wait_ms;
}

void iswi_queue_fini(iswi_queue *queue)
{
    pthread_mutex_destroy(&queue->lock);
}

/* -- With the lock ----------------------------------------------------------------------------- */

static void count(iswi_queue *queue, int by)
{
    unsigned waiting = atomic_load_explicit(&queue->waiting, memory_order_relaxed);

    atomic_store_explicit(&queue->waiting, waiting + (unsigned)by, memory_order_relaxed);
}

static void take_out(iswi_queue *queue, iswi_call *call)
{
    iswi_lines_remove(&queue->lines, call);
    count(queue, -1);
}

/* -- Serving ----------------------------------------------------------------------------------- */

/* Calls that are to be answered once no lock is held, by `wait.behind`. */
typedef struct failed {
    iswi_call *first;
    isw_error why; /* of all */
    bool moved;
} failed;

static void answer_failed(iswi_host *host, failed *all)
{
    while (all->first) {
        iswi_call *call = all->first;

        all->first = call->wait.behind;
        if (all->moved)
            iswi_call_move(host, call, &all->why);
        else
            iswi_call_refuse(host, call, iswi_refusal_of(all->why.status), all->why.status,
                             all->why.message);
    }
}

static void fail_later(failed *all, iswi_call *call)
{
    call->wait.behind = all->first;
    all->first = call;
}

static void count_wait(iswi_queue_counts *counts, int64_t waited_ns)
{
    static const double bounds_ms[ISWI_WAITS - 1] = ISWI_WAIT_BOUNDS_MS;
    size_t i = 0;

    while (i < ISWI_WAITS - 1 && (double)waited_ns > bounds_ms[i] * MS)
        i++;
    counts->waits[i]++;
    counts->waited++;
    counts->waited_us += (uint64_t)waited_ns / 1000;
}

/* Place the first of a line, which has had its turn then. Else it waits on where it was, or nobody
 * takes it, and it is among the failed, to be answered before the next. */
static iswi_placing serve_one(iswi_pool *pool, iswi_line *line, failed *all)
{
    iswi_queue *queue = &pool->queue;
    iswi_call *call = line->first;
    int64_t now_ns = iswi_now_ns();
    int64_t waited_ns = now_ns - call->wait.since_ns;
    iswi_placing placing;

    call->placed_ns = now_ns;

    /* Once it is placed, it may be answered at any time, and gone. */
    iswi_lines_lift(&queue->lines, call);
    placing = iswi_pool_place(pool, call, &all->why);
    if (placing == ISWI_PLACE_FULL || placing == ISWI_PLACE_LACKS) {
        iswi_lines_add(&queue->lines, call, true);
        return placing;
    }
    iswi_lines_settle(&queue->lines, line);
    count(queue, -1);
    if (placing == ISWI_PLACE_REFUSED || placing == ISWI_PLACE_MOVED) {
        all->moved = placing == ISWI_PLACE_MOVED;
        fail_later(all, call);
    } else {
        count_wait(&queue->counts, waited_ns);
    }
    return placing;
}

/* With the lock. True: nobody takes one, which is in `all` now. */
static bool serve(iswi_pool *pool, failed *all)
{
    const iswi_host *host = pool->processes->host;
    iswi_line *line = pool->queue.lines.first;

    while (line && !atomic_load(&host->ending)) { /* else the supervisor answers them */
        iswi_line *next = line->next;
        iswi_placing placing = serve_one(pool, line, all);

        if (placing == ISWI_PLACED)
            line = pool->queue.lines.first;
        else if (placing == ISWI_PLACE_LACKS)
            line = next; /* who is ready cannot run this function, but perhaps others */
        else
            return placing != ISWI_PLACE_FULL;
    }
    return false;
}

/* Takes the lock over, and gives it back. */
static void serve_and_unlock(iswi_pool *pool)
{
    iswi_host *host = pool->processes->host;
    failed all = { .first = NULL };

    while (serve(pool, &all)) {
        pthread_mutex_unlock(&pool->queue.lock);
        answer_failed(host, &all);
        pthread_mutex_lock(&pool->queue.lock);
    }
    pthread_mutex_unlock(&pool->queue.lock);
}

void iswi_queue_serve(iswi_pool *pool)
{
    pthread_mutex_lock(&pool->queue.lock);
    serve_and_unlock(pool);
}

/* -- Coming ------------------------------------------------------------------------------------ */

static bool serves(iswi_pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++)
        if (iswi_process_serves(&pool->processes[i]))
            return true;
    return false;
}

/* Whether to say something of the queue now, which is done once in a while. With the lock. */
static bool may_say(iswi_queue *queue, int64_t now_ns)
{
    if (queue->said_ns && now_ns - queue->said_ns < SAY_EVERY_MS * MS)
        return false;
    queue->said_ns = now_ns;
    return true;
}

static void refuse(iswi_host *host, iswi_call *call, bool say)
{
    iswi_pool *pool = call->function->pool;
    unsigned limit = pool->queue.limit;

    if (say)
        iswi_say(host, ISW_LOG_WARNING,
                 "worker %s: its queue is full: %u call%s for a process, and further ones get 503; "
                 "queue.limit allows more, while more processes, or more max_in_flight in its own "
                 "YAML, shorten it", pool->settings->name, limit, limit == 1 ? " waits" : "s wait");
    iswi_call_refuse(host, call, ISWI_REFUSED_FULL, ISW_E_UNAVAILABLE,
                     limit ? "as many calls as may wait for the worker do already"
                           : "no process of the worker takes it now, and none may wait");
}

/* Until when it may wait. */
static int64_t patience_of(const iswi_host *host, const iswi_call *call, int64_t wait_ms)
{
    int64_t until_ns = call->patience_ns ? call->patience_ns : call->wait.since_ns + wait_ms * MS;

    if (iswi_pool_is_patient(host, call->function->pool))
        until_ns = INT64_MAX; /* somebody is at a breakpoint */
    return call->deadline_ns && call->deadline_ns < until_ns ? call->deadline_ns : until_ns;
}

/* With the lock. */
static void wait(iswi_host *host, iswi_call *call, bool front)
{
    iswi_pool *pool = call->function->pool;

    call->wait.id = iswi_host_next_id(host, 0);
    call->wait.until_ns = patience_of(host, call, pool->queue.wait_ms);
    if (call->events && call->events->waits)
        call->events->waits(call->user, pool->processes, call->wait.id);
    iswi_lines_add(&pool->queue.lines, call, front);
    count(&pool->queue, 1);
    iswi_pool_ring(pool);
    if (call->wait.until_ns < atomic_load(&pool->queue.due_ns))
        atomic_store(&pool->queue.due_ns, call->wait.until_ns);
}

/* Who goes when it is full: the last of the function with most, so that one function does not keep
 * all others out; the call itself where its own has as many. With the lock. */
static iswi_call *take_superfluous(iswi_queue *queue, iswi_call *call)
{
    iswi_line *longest = iswi_lines_longest(&queue->lines);
    iswi_call *last;

    queue->counts.refused++;
    if (!longest || longest->count <= call->function->line.count + 1)
        return call;
    last = longest->last;
    take_out(queue, last);
    return last;
}

void iswi_queue_add(iswi_host *host, iswi_call *call, bool admitted)
{
    iswi_pool *pool = call->function->pool;
    iswi_queue *queue = &pool->queue;
    iswi_call *refused = NULL;
    int64_t until_ns = INT64_MAX;
    bool say = false;
    bool awaited;

    pthread_mutex_lock(&queue->lock);
    call->wait.since_ns = iswi_now_ns();
    if (!admitted && atomic_load(&queue->waiting) >= queue->limit) {
        say = queue->limit && may_say(queue, call->wait.since_ns);
        refused = take_superfluous(queue, call);
    }
    if (refused != call) {
        wait(host, call, admitted);
        until_ns = call->wait.until_ns;
    }
    awaited = refused != call && pool->patient && !serves(pool) &&
              may_say(queue, call->wait.since_ns);
    serve_and_unlock(pool);
    iswi_host_wake_by(host, until_ns);
    if (awaited)
        iswi_say(host, ISW_LOG_INFO, "worker %s: calls wait until its process has been started",
                 pool->settings->name);
    if (refused)
        refuse(host, refused, say);
}

/* -- Going ------------------------------------------------------------------------------------- */

bool iswi_queue_leave(iswi_pool *pool, uint64_t id)
{
    iswi_queue *queue = &pool->queue;
    iswi_call *call;

    pthread_mutex_lock(&queue->lock);
    call = iswi_lines_find(&queue->lines, id);
    if (call) {
        take_out(queue, call);
        call->wait.behind = queue->left;
        queue->left = call;
        atomic_store(&queue->due_ns, 0);
    }
    pthread_mutex_unlock(&queue->lock);
    if (call) /* it is not answered here: whoever leaves may hold a lock that its answer takes */
        iswi_host_wake(pool->processes->host);
    return call != NULL;
}

uint64_t iswi_queue_find(iswi_pool *pool, const char *invocation_id)
{
    const iswi_call *call;
    uint64_t id;

    pthread_mutex_lock(&pool->queue.lock);
    call = iswi_lines_find_named(&pool->queue.lines, invocation_id);
    id = call ? call->wait.id : 0;
    pthread_mutex_unlock(&pool->queue.lock);
    return id;
}

isw_status iswi_queue_take_chunk(iswi_pool *pool, uint64_t id, const iswi_chunk *chunk)
{
    bool over = chunk->end || chunk->status.code;
    iswi_call *call;

    pthread_mutex_lock(&pool->queue.lock);
    call = iswi_lines_find(&pool->queue.lines, id);
    if (call && over && !chunk->bytes.size) {
        call->body_over = chunk->end;
        call->body_broken = chunk->status.code != 0;
    }
    pthread_mutex_unlock(&pool->queue.lock);
    if (!call)
        return ISW_E_NOT_FOUND;
    return over && !chunk->bytes.size ? ISW_OK : ISW_E_BUSY;
}

static iswi_call *take_left(iswi_queue *queue)
{
    iswi_call *left = queue->left;

    queue->left = NULL;
    return left;
}

static void answer_due(iswi_host *host, iswi_call *due, int64_t now_ns, const char *why)
{
    while (due) {
        iswi_call *call = due;
        bool in_time = !call->deadline_ns || call->deadline_ns > now_ns;
        char text[160];

        due = call->wait.behind;
        snprintf(text, sizeof text, "%s for %lld ms", why,
                 (long long)((now_ns - call->wait.since_ns) / MS));
        iswi_call_refuse(host, call, ISWI_REFUSED_LATE,
                         in_time ? ISW_E_UNAVAILABLE : ISW_E_TIMEOUT, text);
    }
}

static void expire(iswi_pool *pool, int64_t now_ns)
{
    iswi_host *host = pool->processes->host;
    iswi_queue *queue = &pool->queue;
    const char *why = serves(pool) ? "the worker had as many invocations as it takes"
                                   : "no process of the worker was ready";
    iswi_call *due;
    iswi_call *left;
    int64_t next_ns;
    unsigned expired = 0;
    bool say;

    pthread_mutex_lock(&queue->lock);
    due = iswi_lines_take_due(&queue->lines, now_ns, &next_ns);
    left = take_left(queue);
    atomic_store(&queue->due_ns, next_ns);
    for (const iswi_call *at = due; at; at = at->wait.behind)
        expired++;
    count(queue, -(int)expired);
    queue->counts.expired += expired;
    say = expired && may_say(queue, now_ns);
    pthread_mutex_unlock(&queue->lock);
    if (say)
        iswi_say(host, ISW_LOG_WARNING,
                 "worker %s: %u call%s answered without it, since %s for as long as queue.wait or "
                 "%s own time allows", pool->settings->name, expired,
                 expired == 1 ? " is" : "s are", why, expired == 1 ? "its" : "their");
    answer_due(host, due, now_ns, why);
    while (left) {
        iswi_call *call = left;

        left = call->wait.behind;
        iswi_call_refuse(host, call, ISWI_REFUSED_LEFT, ISW_E_CANCELLED, "its caller left");
    }
}

void iswi_queue_tend(iswi_pool *pool, int64_t now_ns, int64_t *next_ns)
{
    iswi_queue *queue = &pool->queue;
    int64_t due_ns;

    if (now_ns >= atomic_load(&queue->due_ns))
        expire(pool, now_ns);
    if (atomic_load(&queue->waiting) && atomic_load(&pool->processes->host->ending))
        iswi_queue_lose(pool);
    else if (atomic_load(&queue->waiting) && iswi_pool_is_over(pool))
        iswi_queue_serve(pool); /* which answers them */
    due_ns = atomic_load(&queue->due_ns);
    if (due_ns < *next_ns)
        *next_ns = due_ns;
}

void iswi_queue_lose(iswi_pool *pool)
{
    failed all = { .why = { ISW_E_UNAVAILABLE, "the host stops" } };
    int64_t next_ns;

    pthread_mutex_lock(&pool->queue.lock);
    all.first = iswi_lines_take_due(&pool->queue.lines, INT64_MAX, &next_ns);
    atomic_store(&pool->queue.waiting, 0);
    pthread_mutex_unlock(&pool->queue.lock);
    answer_failed(pool->processes->host, &all);
}
