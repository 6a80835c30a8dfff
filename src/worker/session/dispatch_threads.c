/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that run jobs. Invariant: while something waits and may run, a thread is on its way
 * to it, or somebody leads; and a leader that is followed by waiting jobs is watched.
 */
#include "base/clock.h"
#include "base/thread.h"
#include "worker/session/dispatch.h"

#include <time.h>

enum {
    SPREAD_NS = 50000000,
    GATHER_NS = 50000,
    QUICK_NS = 50000,   /* on average: to wake a thread for a function costs about as much */
    COUNTED_NS = 500000, /* as which one counts that took longer, perhaps for want of a core */
    WATCH_NS = 1000000,
    COLD_TICKS = 20 /* without a job for that long nobody watches */
};

/* -- One job; with the lock, which is open while it runs --------------------------------------- */

/* The first that waits; a helping thread leaves what is to run apart. NULL: there is none. */
static iswi_job *take(iswi_dispatch *dispatch, bool helping)
{
    iswi_job *before = NULL;
    iswi_job *job = dispatch->first;

    for (; job && helping && job->apart; job = job->next)
        before = job;
    if (!job)
        return NULL;
    if (before)
        before->next = job->next;
    else
        dispatch->first = job->next;
    if (dispatch->last == job)
        dispatch->last = before;
    job->helped = helping;
    dispatch->waiting--;
    dispatch->running++;
    return job;
}

static void put_back(iswi_dispatch *dispatch, iswi_job *job)
{
    dispatch->unanswered -= !job->answered;
    job->in_use = false;
    atomic_store(&job->ctx.cancelled, ISW_CANCEL_NONE); /* a late cancel is not for the next one */
    job->message = NULL;
    if (job->stream)
        iswi_stream_release(job->stream);
    job->stream = NULL;
    job->next = dispatch->free;
    dispatch->free = job;
    dispatch->running--;
}

static void learn(iswi_dispatch *dispatch, int64_t took_ns)
{
    if (took_ns > COUNTED_NS)
        took_ns = COUNTED_NS;
    dispatch->average_ns += (took_ns - dispatch->average_ns) / 16;
}

static bool call_thread(iswi_dispatch *dispatch);

/* Let the pool have a job that the helping thread took, as the next one. False: it has ended. */
static bool hand_on(iswi_dispatch *dispatch, iswi_job *job)
{
    job->passed = false;
    if (dispatch->stopping)
        return false;
    job->next = dispatch->first;
    dispatch->first = job;
    if (!dispatch->last)
        dispatch->last = job;
    dispatch->waiting++;
    dispatch->running--;
    job->apart = call_thread(dispatch);
    dispatch->alone = !job->apart;
    return true;
}

static void run_one(iswi_dispatch *dispatch, iswi_job *job)
{
    job->began_ns = iswi_now_ns();
    job->took_ns = 0;
    pthread_mutex_unlock(&dispatch->lock);
    dispatch->run(dispatch->user, job);
    if (job->passed) {
        pthread_mutex_lock(&dispatch->lock);
        if (hand_on(dispatch, job))
            return;
        pthread_mutex_unlock(&dispatch->lock);
    }
    iswi_message_release(job->message);
    pthread_mutex_lock(&dispatch->lock);
    learn(dispatch, job->took_ns ? job->took_ns : iswi_now_ns() - job->began_ns);
    put_back(dispatch, job);
    if (dispatch->running || dispatch->waiting)
        return;
    pthread_mutex_unlock(&dispatch->lock);
    dispatch->on_idle(dispatch->user);
    pthread_mutex_lock(&dispatch->lock);
}

static bool has_work(const iswi_dispatch *dispatch)
{
    return dispatch->first && dispatch->running < dispatch->concurrency && !dispatch->stopping;
}

/* -- Who runs them; with the lock -------------------------------------------------------------- */

/* Functions have taken long lately: each job is for the next free thread. */
static bool is_spread(iswi_dispatch *dispatch)
{
    if (dispatch->spread_until_ns && iswi_now_ns() >= dispatch->spread_until_ns)
        dispatch->spread_until_ns = 0;
    return dispatch->spread_until_ns != 0 || dispatch->average_ns > QUICK_NS;
}

static void *serve(void *user);

/* One that sleeps is to be signalled, now or when the lock is open again. False: none sleeps. */
static bool choose_sleeper(iswi_dispatch *dispatch)
{
    if (!dispatch->asleep || dispatch->stopping)
        return false;
    dispatch->asleep--;
    dispatch->called++;
    return true;
}

/* Have one more thread look. False when there is none at all. */
static bool call_thread(iswi_dispatch *dispatch)
{
    if (dispatch->stopping)
        return true;
    if (choose_sleeper(dispatch)) {
        pthread_cond_signal(&dispatch->work);
    } else if (dispatch->thread_count < dispatch->concurrency) {
        if (pthread_create(&dispatch->threads[dispatch->thread_count], NULL, serve, dispatch) != 0)
            return dispatch->thread_count > 0;
        dispatch->thread_count++;
        dispatch->starting++;
    } /* else all are awake, and look before they sleep */
    return true;
}

static unsigned coming(const iswi_dispatch *dispatch)
{
    return dispatch->called + dispatch->starting;
}

static bool has_more(const iswi_dispatch *dispatch)
{
    return dispatch->asleep || dispatch->thread_count < dispatch->concurrency;
}

static bool call_threads(iswi_dispatch *dispatch)
{
    bool ok = true;

    for (unsigned i = coming(dispatch); i < dispatch->waiting && ok && has_more(dispatch); i++)
        ok = call_thread(dispatch);
    return ok;
}

/* -- Answers that leave together: those of quick functions of which more wait -------------------
 * Only while somebody watches, who sends them off when the next function is not quick. */

static void begin_gathering(iswi_dispatch *dispatch)
{
    if (dispatch->gathering_ns || dispatch->waiting < 2 || !dispatch->watched || !dispatch->gather)
        return;
    dispatch->gathering_ns = iswi_now_ns();
    dispatch->gather(dispatch->user, true);
}

static void end_gathering(iswi_dispatch *dispatch)
{
    if (!dispatch->gathering_ns)
        return;
    dispatch->gathering_ns = 0;
    pthread_mutex_unlock(&dispatch->lock);
    dispatch->gather(dispatch->user, false);
    pthread_mutex_lock(&dispatch->lock);
}

static bool gathered_enough(iswi_dispatch *dispatch)
{
    return dispatch->gathering_ns && (!has_work(dispatch) || is_spread(dispatch) ||
                                      iswi_now_ns() - dispatch->gathering_ns > GATHER_NS);
}

void iswi_dispatch_spread(iswi_dispatch *dispatch)
{
    dispatch->leader = NULL;
    dispatch->spread_until_ns = iswi_now_ns() + SPREAD_NS;
    call_threads(dispatch);
    end_gathering(dispatch); /* of one who is held up */
}

/* Look at the leader now and then, until there is no traffic. */
static void watch(iswi_dispatch *dispatch)
{
    unsigned quiet = 0;

    dispatch->watched = true;
    while (quiet < COLD_TICKS && !dispatch->stopping && !is_spread(dispatch)) {
        uint64_t taken = dispatch->taken;
        int64_t at_ns = iswi_now_ns() + WATCH_NS;
        struct timespec at = { at_ns / 1000000000, at_ns % 1000000000 };

        pthread_cond_clockwait(&dispatch->tick, &dispatch->lock, CLOCK_MONOTONIC, &at);
        quiet = dispatch->taken == taken ? quiet + 1 : 0;
        if (quiet && dispatch->leader && dispatch->first)
            iswi_dispatch_spread(dispatch);
        else if (quiet && dispatch->leader)
            end_gathering(dispatch);
    }
    dispatch->watched = false;
}

static void sleep_until_called(iswi_dispatch *dispatch)
{
    dispatch->asleep++;
    pthread_cond_wait(&dispatch->work, &dispatch->lock);
    if (dispatch->called)
        dispatch->called--;
    else /* nobody called: it happens */
        dispatch->asleep--;
}

/* Run one job, as the leader unless there is or may be none. */
static void serve_one(iswi_dispatch *dispatch, const void *self)
{
    if (!dispatch->helped && !dispatch->leader && !is_spread(dispatch)) {
        dispatch->leader = self;
        dispatch->taken++;
        begin_gathering(dispatch);
        if (dispatch->waiting > 1 && !dispatch->watched && !coming(dispatch))
            call_thread(dispatch); /* to watch */
    }
    run_one(dispatch, take(dispatch, false));
    if (dispatch->leader == self) {
        dispatch->leader = NULL;
        if (gathered_enough(dispatch))
            end_gathering(dispatch);
        if (is_spread(dispatch)) /* functions are not quick any more */
            call_threads(dispatch);
    }
}

static void *serve(void *user)
{
    iswi_dispatch *dispatch = user;
    const void *self = &dispatch; /* an address of this thread's own */

    iswi_thread_name("isw:functions");
    pthread_mutex_lock(&dispatch->lock);
    dispatch->starting--;
    while (!dispatch->stopping) {
        if (has_work(dispatch) && (!dispatch->leader || is_spread(dispatch)))
            serve_one(dispatch, self);
        else if (dispatch->leader && dispatch->first && !dispatch->watched)
            watch(dispatch);
        else
            sleep_until_called(dispatch);
    }
    pthread_mutex_unlock(&dispatch->lock);
    return NULL;
}

/* -- From outside ------------------------------------------------------------------------------ */

isw_status iswi_dispatch_go(iswi_dispatch *dispatch)
{
    bool chosen = false;
    bool ok = true;

    pthread_mutex_lock(&dispatch->lock);
    if (is_spread(dispatch)) {
        ok = call_threads(dispatch);
    } else if (dispatch->first && !dispatch->helped && !coming(dispatch) &&
               (!dispatch->leader || !dispatch->watched)) { /* to lead, or to watch */
        chosen = choose_sleeper(dispatch);
        ok = chosen || call_thread(dispatch);
    }
    pthread_mutex_unlock(&dispatch->lock);
    if (chosen) /* which would otherwise wake up only to wait for the lock */
        pthread_cond_signal(&dispatch->work);
    return ok ? ISW_OK : ISW_E_NO_MEMORY;
}

void iswi_dispatch_expect_help(iswi_dispatch *dispatch)
{
    pthread_mutex_lock(&dispatch->lock);
    dispatch->helped = true;
    pthread_mutex_unlock(&dispatch->lock);
}

void iswi_dispatch_help(iswi_dispatch *dispatch)
{
    bool told = !dispatch->behind;
    iswi_job *job;

    pthread_mutex_lock(&dispatch->lock);
    while (has_work(dispatch) && !is_spread(dispatch) && (job = take(dispatch, true))) {
        dispatch->taken++;
        if (!told && dispatch->first) {
            told = true;
            dispatch->behind(dispatch->user);
        }
        run_one(dispatch, job);
    }
    if (dispatch->first) /* a pool that was full of us sleeps on it */
        call_threads(dispatch);
    pthread_mutex_unlock(&dispatch->lock);
}

bool iswi_dispatch_is_stuck(iswi_dispatch *dispatch)
{
    bool stuck;

    pthread_mutex_lock(&dispatch->lock);
    stuck = dispatch->taken == dispatch->taken_before;
    dispatch->taken_before = dispatch->taken;
    if (stuck)
        iswi_dispatch_spread(dispatch);
    pthread_mutex_unlock(&dispatch->lock);
    return stuck;
}

bool iswi_dispatch_pass(iswi_dispatch *dispatch, iswi_job *job)
{
    job->passed = job->helped && !dispatch->alone; /* which only the helping thread writes */
    return job->passed;
}

/* Messages go before the link does, in whose memory they may lie. */
static void drop_what_waits(iswi_dispatch *dispatch)
{
    for (iswi_job *job = dispatch->first; job; job = job->next) {
        iswi_message_release(job->message);
        job->message = NULL;
    }
}

void iswi_dispatch_stop(iswi_dispatch *dispatch)
{
    pthread_mutex_lock(&dispatch->lock);
    dispatch->stopping = true;
    pthread_cond_broadcast(&dispatch->work);
    pthread_cond_broadcast(&dispatch->tick);
    pthread_mutex_unlock(&dispatch->lock);
    for (unsigned i = 0; i < dispatch->thread_count; i++)
        pthread_join(dispatch->threads[i], NULL);
    dispatch->thread_count = 0;
    pthread_mutex_lock(&dispatch->lock);
    drop_what_waits(dispatch);
    pthread_mutex_unlock(&dispatch->lock);
}
