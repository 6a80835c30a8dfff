/* SPDX-License-Identifier: Apache-2.0 */
/* The thread pool, and a thread of a lane that helps. Invariant: a job is free, waiting or running;
 * only its thread touches the rest of a running one, but for the cancelled flag. */
#include "worker/dispatch.h"

#include "base/alloc.h"
#include "base/clock.h"

enum { POOL_FOR_NS = 50000000 }; /* after a function that took long */

isw_status iswi_dispatch_init(iswi_dispatch *dispatch, unsigned concurrency, unsigned limit)
{
    dispatch->concurrency = concurrency;
    dispatch->limit = limit;
    dispatch->threads = iswi_calloc(concurrency, sizeof *dispatch->threads);
    if (!dispatch->threads)
        return ISW_E_NO_MEMORY;
    pthread_mutex_init(&dispatch->lock, NULL);
    pthread_cond_init(&dispatch->work, NULL);
    return ISW_OK;
}

/* With the lock. */
static void count_as_answered(iswi_dispatch *dispatch, iswi_job *job)
{
    dispatch->unanswered -= !job->answered;
    job->answered = true;
}

static void finish(iswi_dispatch *dispatch, iswi_job *job)
{
    iswi_message_release(job->message);
    pthread_mutex_lock(&dispatch->lock);
    count_as_answered(dispatch, job);
    job->in_use = false;
    atomic_store(&job->ctx.cancelled, false); /* a late cancel is not for the next one */
    job->message = NULL;
    job->next = dispatch->free;
    dispatch->free = job;
    dispatch->running--;
}

static iswi_job *take(iswi_dispatch *dispatch)
{
    iswi_job *job = dispatch->first;

    dispatch->first = job->next;
    if (!dispatch->first)
        dispatch->last = NULL;
    dispatch->waiting--;
    dispatch->running++;
    return job;
}

static void *serve(void *user)
{
    iswi_dispatch *dispatch = user;
    iswi_buffer scratch = { 0 };

    pthread_mutex_lock(&dispatch->lock);
    for (;;) {
        iswi_job *job;

        while ((!dispatch->first || dispatch->running >= dispatch->concurrency) &&
               !dispatch->stopping) {
            dispatch->idle_count++;
            pthread_cond_wait(&dispatch->work, &dispatch->lock);
            dispatch->idle_count--;
        }
        if (dispatch->stopping)
            break;
        job = take(dispatch);
        pthread_mutex_unlock(&dispatch->lock);
        dispatch->run(dispatch->user, job, &scratch);
        finish(dispatch, job); /* takes the lock */
        if (!dispatch->running && !dispatch->waiting) {
            pthread_mutex_unlock(&dispatch->lock);
            dispatch->on_idle(dispatch->user);
            pthread_mutex_lock(&dispatch->lock);
        }
    }
    pthread_mutex_unlock(&dispatch->lock);
    iswi_buffer_fini(&scratch);
    return NULL;
}

/* A free job, or a new one while the limit allows. With the lock. */
static iswi_job *get_job(iswi_dispatch *dispatch)
{
    iswi_job *job = dispatch->free;

    if (job) {
        dispatch->free = job->next;
        return job;
    }
    job = iswi_calloc(1, sizeof *job);
    if (!job)
        return NULL;
    iswi_context_init(&job->ctx);
    job->next_job = dispatch->jobs;
    dispatch->jobs = job;
    return job;
}

/* See to it that a thread will take what waits. With the lock. */
static isw_status wake_thread(iswi_dispatch *dispatch)
{
    if (dispatch->stopping)
        return ISW_OK;
    if (dispatch->idle_count >= dispatch->waiting ||
        dispatch->thread_count == dispatch->concurrency) {
        pthread_cond_signal(&dispatch->work);
        return ISW_OK;
    }
    if (pthread_create(&dispatch->threads[dispatch->thread_count], NULL, serve, dispatch) != 0)
        return dispatch->thread_count ? ISW_OK : ISW_E_NO_MEMORY;
    dispatch->thread_count++;
    return ISW_OK;
}

isw_status iswi_dispatch_submit(iswi_dispatch *dispatch, iswi_message *message, isw_bytes frame,
                                uint64_t id)
{
    isw_status status = ISW_OK;
    iswi_job *job = NULL;

    pthread_mutex_lock(&dispatch->lock);
    if (dispatch->unanswered >= dispatch->limit)
        status = ISW_E_BUSY;
    else if (!dispatch->stopping && !(job = get_job(dispatch)))
        status = ISW_E_NO_MEMORY;
    if (job) {
        job->message = iswi_message_hold(message);
        job->frame = frame;
        job->id = id;
        job->arrived_ns = iswi_now_ns();
        job->in_use = true;
        job->answered = false;
        job->next = NULL;
        if (dispatch->last)
            dispatch->last->next = job;
        else
            dispatch->first = job;
        dispatch->last = job;
        dispatch->waiting++;
        dispatch->unanswered++;
        if (!dispatch->helped || dispatch->pool_until_ns)
            status = wake_thread(dispatch);
    }
    pthread_mutex_unlock(&dispatch->lock);
    return status;
}

void iswi_dispatch_answer(iswi_dispatch *dispatch, iswi_job *job)
{
    pthread_mutex_lock(&dispatch->lock);
    count_as_answered(dispatch, job);
    pthread_mutex_unlock(&dispatch->lock);
}

void iswi_dispatch_expect_help(iswi_dispatch *dispatch)
{
    pthread_mutex_lock(&dispatch->lock);
    dispatch->helped = true;
    pthread_mutex_unlock(&dispatch->lock);
}

/* With the lock. */
static bool may_help(iswi_dispatch *dispatch)
{
    if (dispatch->pool_until_ns && iswi_now_ns() >= dispatch->pool_until_ns)
        dispatch->pool_until_ns = 0;
    return dispatch->first && !dispatch->pool_until_ns && !dispatch->stopping &&
           dispatch->running < dispatch->concurrency;
}

void iswi_dispatch_help(iswi_dispatch *dispatch, iswi_buffer *scratch)
{
    pthread_mutex_lock(&dispatch->lock);
    while (may_help(dispatch)) {
        iswi_job *job = take(dispatch);
        bool idle;

        dispatch->taken++;
        pthread_mutex_unlock(&dispatch->lock);
        dispatch->run(dispatch->user, job, scratch);
        finish(dispatch, job); /* takes the lock */
        idle = !dispatch->running && !dispatch->waiting;
        if (idle) {
            pthread_mutex_unlock(&dispatch->lock);
            dispatch->on_idle(dispatch->user);
            pthread_mutex_lock(&dispatch->lock);
        }
    }
    if (dispatch->first && !dispatch->stopping) /* a pool that was full of us sleeps on it */
        wake_thread(dispatch);
    pthread_mutex_unlock(&dispatch->lock);
}

bool iswi_dispatch_is_stuck(iswi_dispatch *dispatch)
{
    bool stuck;

    pthread_mutex_lock(&dispatch->lock);
    stuck = dispatch->taken == dispatch->taken_before;
    dispatch->taken_before = dispatch->taken;
    if (stuck) {
        dispatch->pool_until_ns = iswi_now_ns() + POOL_FOR_NS;
        for (unsigned i = 0; i < dispatch->waiting; i++)
            wake_thread(dispatch);
    }
    pthread_mutex_unlock(&dispatch->lock);
    return stuck;
}

bool iswi_dispatch_cancel(iswi_dispatch *dispatch, uint64_t id)
{
    bool found = false;

    pthread_mutex_lock(&dispatch->lock);
    for (iswi_job *job = dispatch->jobs; job; job = job->next_job) {
        if (job->in_use && (job->id == id || id == 0)) {
            iswi_context_cancel(&job->ctx);
            found = true;
        }
    }
    pthread_mutex_unlock(&dispatch->lock);
    return found;
}

void iswi_dispatch_count(iswi_dispatch *dispatch, unsigned *running, unsigned *waiting)
{
    pthread_mutex_lock(&dispatch->lock);
    *running = dispatch->running;
    *waiting = dispatch->waiting;
    pthread_mutex_unlock(&dispatch->lock);
}

void iswi_dispatch_stop(iswi_dispatch *dispatch)
{
    pthread_mutex_lock(&dispatch->lock);
    dispatch->stopping = true;
    pthread_cond_broadcast(&dispatch->work);
    pthread_mutex_unlock(&dispatch->lock);
    for (unsigned i = 0; i < dispatch->thread_count; i++)
        pthread_join(dispatch->threads[i], NULL);
}

void iswi_dispatch_fini(iswi_dispatch *dispatch)
{
    while (dispatch->jobs) {
        iswi_job *next = dispatch->jobs->next_job;

        iswi_message_release(dispatch->jobs->message);
        iswi_context_fini(&dispatch->jobs->ctx);
        iswi_free(dispatch->jobs);
        dispatch->jobs = next;
    }
    iswi_free(dispatch->threads);
    pthread_cond_destroy(&dispatch->work);
    pthread_mutex_destroy(&dispatch->lock);
}
