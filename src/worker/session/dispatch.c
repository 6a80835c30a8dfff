/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs; dispatch_threads.c runs them. Invariant: a job is free, waiting or running; only its thread
 * touches the rest of a running one, but for the cancelled flag. */
#include "worker/session/dispatch.h"

#include "base/alloc.h"
#include "base/clock.h"

enum { COPIED_MOST_BYTES = 16 * 1024 }; /* a larger frame is not copied if it can be held */

isw_status iswi_dispatch_init(iswi_dispatch *dispatch, unsigned concurrency, unsigned limit)
{
    dispatch->concurrency = concurrency;
    dispatch->limit = limit;
    dispatch->threads = iswi_calloc(concurrency, sizeof *dispatch->threads);
    if (!dispatch->threads)
        return ISW_E_NO_MEMORY;
    pthread_mutex_init(&dispatch->lock, NULL);
    pthread_cond_init(&dispatch->work, NULL);
    pthread_cond_init(&dispatch->tick, NULL);
    return ISW_OK;
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

/* Have the frame outlive the event: small ones in memory of the job that stays warm. */
static bool take_frame(iswi_job *job, iswi_message *message, isw_bytes frame)
{
    iswi_buffer_reset(&job->copy);
    job->frame = frame;
    if (frame.size > COPIED_MOST_BYTES) {
        job->message = iswi_message_keep(message, &job->frame);
        return job->message != NULL;
    }
    if (!iswi_buffer_append(&job->copy, frame.data, frame.size))
        return false;
    job->frame.data = job->copy.data;
    return true;
}

/* With the lock. */
static void enqueue(iswi_dispatch *dispatch, iswi_job *job)
{
    job->in_use = true;
    job->answered = false;
    job->apart = false;
    job->next = NULL;
    if (dispatch->last)
        dispatch->last->next = job;
    else
        dispatch->first = job;
    dispatch->last = job;
    dispatch->waiting++;
    dispatch->unanswered++;
}

isw_status iswi_dispatch_submit(iswi_dispatch *dispatch, iswi_message *message, isw_bytes frame,
                                uint64_t id)
{
    int64_t now = iswi_now_ns();
    isw_status status = ISW_OK;
    iswi_job *job = NULL;

    pthread_mutex_lock(&dispatch->lock);
    if (dispatch->unanswered >= dispatch->limit)
        status = ISW_E_BUSY;
    else if (!dispatch->stopping && !(job = get_job(dispatch)))
        status = ISW_E_NO_MEMORY;
    if (job && take_frame(job, message, frame)) {
        job->id = id;
        job->arrived_ns = now;
        enqueue(dispatch, job);
    } else if (job) {
        job->next = dispatch->free;
        dispatch->free = job;
        status = ISW_E_NO_MEMORY;
    }
    pthread_mutex_unlock(&dispatch->lock);
    return status;
}

void iswi_dispatch_answer(iswi_dispatch *dispatch, iswi_job *job)
{
    pthread_mutex_lock(&dispatch->lock);
    dispatch->unanswered -= !job->answered;
    job->answered = true;
    pthread_mutex_unlock(&dispatch->lock);
}

bool iswi_dispatch_cancel(iswi_dispatch *dispatch, uint64_t id, isw_cancel_reason reason)
{
    bool found = false;

    pthread_mutex_lock(&dispatch->lock);
    for (iswi_job *job = dispatch->jobs; job; job = job->next_job) {
        if (job->in_use && (job->id == id || id == 0)) {
            iswi_context_cancel(&job->ctx, reason);
            if (job->stream)
                iswi_stream_wake(job->stream);
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

void iswi_dispatch_fini(iswi_dispatch *dispatch)
{
    while (dispatch->jobs) {
        iswi_job *next = dispatch->jobs->next_job;

        iswi_context_fini(&dispatch->jobs->ctx);
        iswi_stream_release(dispatch->jobs->stream);
        iswi_buffer_fini(&dispatch->jobs->copy);
        iswi_free(dispatch->jobs);
        dispatch->jobs = next;
    }
    iswi_free(dispatch->threads);
    pthread_cond_destroy(&dispatch->tick);
    pthread_cond_destroy(&dispatch->work);
    pthread_mutex_destroy(&dispatch->lock);
}
