/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of jobs: found by what comes for them, and opened by who runs them. Invariant: a job
 * that is answered gets none, so that nothing of one invocation reaches the next. */
#include "worker/session/dispatch.h"

/* With the lock. */
static iswi_job *find(iswi_dispatch *dispatch, uint64_t id)
{
    iswi_job *job = dispatch->stopping ? NULL : dispatch->jobs;

    while (job && (job->id != id || !job->in_use || job->answered))
        job = job->next_job;
    return job;
}

isw_status iswi_dispatch_stream(iswi_dispatch *dispatch, uint64_t id, bool make, iswi_stream **out)
{
    isw_status status = ISW_E_NOT_FOUND;
    iswi_job *job;

    pthread_mutex_lock(&dispatch->lock);
    job = find(dispatch, id);
    if (job && !job->stream && make) {
        job->stream = iswi_stream_create();
        status = ISW_E_NO_MEMORY;
    }
    if (job && job->stream) {
        *out = iswi_stream_hold(job->stream);
        status = ISW_OK;
    }
    pthread_mutex_unlock(&dispatch->lock);
    return status;
}

iswi_stream *iswi_dispatch_open_stream(iswi_dispatch *dispatch, iswi_job *job)
{
    iswi_stream *stream;

    pthread_mutex_lock(&dispatch->lock);
    if (!job->stream)
        job->stream = iswi_stream_create();
    stream = job->stream;
    if (job->helped || dispatch->leader)
        iswi_dispatch_spread(dispatch);
    if (job->helped)
        dispatch->taken_before = dispatch->taken; /* it is stuck, whoever asks */
    pthread_mutex_unlock(&dispatch->lock);
    return stream;
}

void iswi_dispatch_lose_streams(iswi_dispatch *dispatch)
{
    pthread_mutex_lock(&dispatch->lock);
    for (iswi_job *job = dispatch->jobs; job; job = job->next_job)
        if (job->in_use && job->stream)
            iswi_stream_lose(job->stream);
    pthread_mutex_unlock(&dispatch->lock);
}
