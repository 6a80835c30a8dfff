/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invocations that are in flight when the host has waited for them long enough: each is told by a
 * cancel (PROTOCOL.md, section 3, Shutdown) and has cancel_grace to answer. Invariant: a caller is
 * answered by its function or by us, and what was lost is named in the log.
 */
#include "base/clock.h"
#include "host/engine/engine.h"

/* With the lock. */
static void tell(iswi_process *process, iswi_place *place)
{
    iswi_frame frame = { .kind = ISWI_CANCEL, .id = place->id };

    frame.as.cancel.reason = ISWI_CANCEL_SHUTDOWN;
    frame.as.cancel.grace_ms = (uint64_t)process->host->settings->host.cancel_grace_ms;
    iswi_process_send(process, &frame);
    place->stopping = true;
}

void iswi_shutdown_tell(iswi_process *process)
{
    pthread_mutex_lock(&process->lock);
    for (unsigned i = 0; i < process->place_count; i++)
        if (process->places[i].call && !process->places[i].stopping)
            tell(process, &process->places[i]);
    pthread_mutex_unlock(&process->lock);
}

/* The worker's response, should it come, finds its place without a call. */
static iswi_call *take_one(iswi_process *process)
{
    iswi_call *call = NULL;

    pthread_mutex_lock(&process->lock);
    for (unsigned i = 0; i < process->place_count && !call; i++) {
        iswi_place *place = &process->places[i];

        if (!place->call)
            continue;
        call = iswi_place_take_call(place);
        place->until_ns = iswi_now_ns(); /* its process is not waited for */
        iswi_process_count(process, false);
    }
    pthread_mutex_unlock(&process->lock);
    return call;
}

static void lose_all(iswi_process *process)
{
    iswi_call *call;

    while ((call = take_one(process)) != NULL) {
        const iswi_about about = iswi_about_call(call);

        iswi_say_of(process->host, ISW_LOG_WARNING, &about,
                    "%s is lost: it was told that the host stops, and did not answer in "
                    "time%s", call->function->name,
                    call->answer_streams ? "; its answer is cut" : "");
        iswi_call_fail(process->host, call, ISW_E_UNAVAILABLE,
                       "the host stops, and the function did not answer in time");
    }
}

static void each(iswi_host *host, void (*act)(iswi_process *process))
{
    for (size_t i = 0; i < host->pool_count; i++)
        for (unsigned j = 0; j < host->pools[i].count; j++)
            act(&host->pools[i].processes[j]);
}

void iswi_shutdown_cancel(iswi_host *host)
{
    atomic_store(&host->ending, true);
    each(host, iswi_shutdown_tell);
}

void iswi_shutdown_lose(iswi_host *host)
{
    for (size_t i = 0; i < host->pool_count; i++)
        iswi_queue_lose(&host->pools[i]);
    each(host, lose_all);
}
